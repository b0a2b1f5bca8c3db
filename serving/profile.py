"""Theme shares per report, year and place, for comparing reports: as a table, CSV or an SVG chart."""

from __future__ import annotations

import csv
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TextIO

from serving.batch.direct import write_whole
from serving.batch.inputs import list_inputs
from serving.batch.job import Job, Options, OutputError
from serving.batch.progress import Progress
from serving.batch.stream import DOCUMENT_COLUMN, Item
from serving.chart import write_chart
from zhuti.tagger import Tagger
from zhuti.taxonomy import Taxonomy, Theme

By = Literal["report", "year", "place"]
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_EDGES = " -_.·年度()()[]【】"
_WITHOUT_THEME = "none"
UNKNOWN = "-"


class Profile:
    """Counts of primary themes by group; web-page lines and the like, which have no theme, are left out.

    :param by: what a group is.
    """

    def __init__(self, by: By) -> None:
        self.by = by
        self.counts: dict[str, Counter[str]] = defaultdict(Counter)

    def add(self, item: Item, theme: str) -> None:
        if theme != _WITHOUT_THEME:
            self.counts[group(item, self.by)][theme] += 1

    def rows(self, taxonomy: Taxonomy) -> list[tuple[str, int, dict[str, float]]]:
        """:return: group, number of its sentences, share of each theme in taxonomy order; years and places are sorted."""
        names = list(self.counts) if self.by == "report" else sorted(self.counts)
        rows = []
        for name in names:
            total = self.counts[name].total()
            rows.append((name, total, {theme.code: self.counts[name][theme.code] / total for theme in themes(taxonomy)}))
        return rows


def themes(taxonomy: Taxonomy) -> list[Theme]:
    """:return: the themes that are compared."""
    return [theme for theme in taxonomy.themes if theme.code != _WITHOUT_THEME]


def group(item: Item, by: By) -> str:
    """The group of a sentence: from columns ``year`` and ``place`` where a table has them, else from the report's name.

    A report's name is its ``document`` column or its file's name; ``成都-2018.txt`` is of 2018 and of 成都.
    """
    document = item.columns.get(DOCUMENT_COLUMN)
    report = Path(item.source).stem if document is None or document == item.source else str(document)
    if by == "report":
        return report
    given = item.columns.get(by)
    if given not in (None, ""):
        return str(given)
    year = _YEAR.search(report)
    if by == "year":
        return year.group() if year else UNKNOWN
    if year is None:
        return report
    return report[: year.start()].strip(_EDGES) or report[year.end() :].strip(_EDGES) or UNKNOWN


def profile_reports(
    sources: Sequence[str],
    model: str,
    by: By,
    format: Literal["table", "csv", "svg"],
    output: str | None,
    *,
    sentence: bool,
    text_column: str,
) -> int:
    """Tag all sources and write their profile.

    :return: the exit code, as of ``zhuti tag``: 0, 1 where nothing could be tagged, 3 where something was rejected.
    :raises OutputError: if the output cannot be written.
    """
    tagger = Tagger.load(model)
    inputs, notes = list_inputs(sources, rows=sentence, leave_out=[Path(output)] if output else [])
    options = Options("jsonl", None, sentence, text_column, None, explain=0, resume=False, shard_rows=10_000)
    job = Job(tagger, inputs, options, named=True)
    profile = Profile(by)
    rejected = 0
    with Progress(sum(one.size for one in inputs), visible=sys.stderr.isatty()) as progress:
        for note in notes:
            progress.say(note)
        for chunk, units in job.tagged(progress, options.shard_rows):
            for reject in chunk.rejects:
                progress.reject(str(reject), all=True)
            rejected += len(chunk.rejects)
            for item, unit in zip(chunk.items, units, strict=True):
                profile.add(item, unit.primary.partition(".")[0])
    if not profile.counts:
        progress.say("no sentence with a theme was found")
        return 1
    write = {"table": _write_table, "csv": _write_csv, "svg": _write_svg}[format]
    try:
        if output is None:
            write(profile, tagger.taxonomy, sys.stdout)
            sys.stdout.flush()
        else:
            write_whole(Path(output), lambda out: write(profile, tagger.taxonomy, out))
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"{output or 'standard output'}: cannot be written: {error.strerror}") from error
    return 3 if rejected else 0


def _write_csv(profile: Profile, taxonomy: Taxonomy, out: TextIO) -> None:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([profile.by, "sentences", *(theme.code for theme in themes(taxonomy))])
    for name, total, shares in profile.rows(taxonomy):
        writer.writerow([name, total, *(f"{share:.4f}" for share in shares.values())])


def _write_table(profile: Profile, taxonomy: Taxonomy, out: TextIO) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    table.add_column(profile.by, overflow="fold")
    table.add_column("句数", justify="right")
    for theme in themes(taxonomy):
        table.add_column(theme.zh, justify="right", overflow="fold", min_width=5)
    for name, total, shares in profile.rows(taxonomy):
        table.add_row(name, str(total), *(f"{share:.0%}" if share else "" for share in shares.values()))
    Console(file=out, width=None if out.isatty() else 140, highlight=False).print(table)


def _write_svg(profile: Profile, taxonomy: Taxonomy, out: TextIO) -> None:
    names = {theme.code: theme.zh for theme in themes(taxonomy)}
    write_chart([(f"{name} ({total})", shares) for name, total, shares in profile.rows(taxonomy)], names, out)
