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
from serving.batch.disk import is_device, target
from serving.batch.inputs import list_inputs
from serving.batch.job import Job, Options, OutputError
from serving.batch.progress import Progress
from serving.batch.stream import Item
from serving.batch.writers import CsvLines
from serving.chart import write_chart
from serving.labels import short_labels, stem
from zhuti.tagger import Tagger
from zhuti.taxonomy import Taxonomy, Theme

By = Literal["report", "year", "place"]
Group = tuple[str, ...]
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_EDGES = " -_.·年度()()[]【】"
_WITHOUT_THEME = "none"
UNKNOWN = "-"


class Profile:
    """Counts of primary themes by group; web-page lines and the like, which have no theme, are left out.

    :param by: what a group is.
    :param sentence: whether a table's row is one sentence; else it is a report.
    :param column: of a table, which names the report.
    """

    def __init__(self, by: By, *, sentence: bool, column: str) -> None:
        self.by = by
        self.sentence = sentence
        self.column = column
        self.counts: dict[Group, Counter[str]] = defaultdict(Counter)

    def add(self, item: Item, theme: str) -> None:
        if theme != _WITHOUT_THEME:
            key = report(item, self.column, sentence=self.sentence) if self.by == "report" else (group(item, self.by, self.column),)
            self.counts[key][theme] += 1

    def rows(self, taxonomy: Taxonomy) -> list[tuple[str, int, dict[str, float]]]:
        """:return: group, number of its sentences, share of each theme in taxonomy order; years and places are sorted."""
        keys = list(self.counts) if self.by == "report" else sorted(self.counts)
        names = _labels(keys) if self.by == "report" else [key[0] for key in keys]
        rows = []
        for name, key in zip(names, keys, strict=True):
            total = self.counts[key].total()
            rows.append((name, total, {theme.code: self.counts[key][theme.code] / total for theme in themes(taxonomy)}))
        return rows


def themes(taxonomy: Taxonomy) -> list[Theme]:
    """:return: the themes that are compared."""
    return [theme for theme in taxonomy.themes if theme.code != _WITHOUT_THEME]


def report(item: Item, column: str, *, sentence: bool) -> Group:
    """The report that a sentence is of: its file, and in a table the column that names it, else the row that holds the text.

    A table of sentences without that column is one report.
    """
    if len(item.key) == 1:
        return (item.source,)
    document = item.columns.get(column)
    if document not in (None, ""):
        return item.source, str(document)
    return (item.source,) if sentence else (item.source, f"{Path(item.source).stem} {item.row}")


def _labels(reports: Sequence[Group]) -> list[str]:
    """:return: names of reports, no two the same: without folder and ending, else in full, else with the table they are in."""
    names = [key[-1] for key in reports]
    if len(set(names)) < len(names):
        return [": ".join(key) for key in reports]
    return short_labels(names)


def group(item: Item, by: Literal["year", "place"], column: str) -> str:
    """The year or place of a sentence: from the column of that name where a table has it, else from the names of report and folders.

    A report's name is in the column for it or is its file's name; ``成都-2018.txt`` and ``成都/2018.txt`` are of 2018 and of 成都.
    """
    given = item.columns.get(by)
    if given not in (None, ""):
        year = _YEAR.search(str(given)) if by == "year" else None
        return year.group() if year else str(given)
    document = item.columns.get(column) if len(item.key) > 1 else None
    path = Path(str(document or item.source))
    names = [stem(path.name) if document else path.stem, *(folder.name for folder in path.parents if folder.name != "..")]
    found = [(name, _YEAR.search(name)) for name in names]
    if by == "year":
        return next((year.group() for _, year in found if year), UNKNOWN)
    places = (name if year is None else name[: year.start()].strip(_EDGES) or name[year.end() :].strip(_EDGES) for name, year in found)
    return next(filter(None, places), UNKNOWN)


def profile_reports(
    sources: Sequence[str],
    model: str,
    by: By,
    format: Literal["table", "csv", "svg"],
    output: str | None,
    *,
    sentence: bool,
    text_column: str | None,
    document_column: str | None,
) -> int:
    """Tag all sources and write their profile.

    :return: the exit code, as of ``zhuti tag``: 0, 1 where nothing could be tagged, 3 where something was rejected.
    :raises OutputError: if the output cannot be written.
    """
    tagger = Tagger.load(model)
    inputs, notes = list_inputs(sources, rows=sentence or text_column is not None, leave_out=[Path(output)] if output else [])
    options = Options("jsonl", None, sentence, text_column, document_column, explain=0, resume=False, shard_rows=10_000)
    job = Job(tagger, inputs, options, named=True)
    profile = Profile(by, sentence=sentence, column=job.reading.naming_column)
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
        elif is_device(path := target(output)):
            with path.open("w", encoding="utf-8") as out:
                write(profile, tagger.taxonomy, out)
        else:
            write_whole(path, lambda out: write(profile, tagger.taxonomy, out))
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"{output or 'standard output'}: cannot be written: {error.strerror}") from error
    return 3 if rejected else 0


def _write_csv(profile: Profile, taxonomy: Taxonomy, out: TextIO) -> None:
    lines = CsvLines()
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow([profile.by, "sentences", *(theme.code for theme in themes(taxonomy))])
    for name, total, shares in profile.rows(taxonomy):
        writer.writerow([name, total, *(f"{share:.4f}" for share in shares.values())])
    out.writelines(lines)


def _write_table(profile: Profile, taxonomy: Taxonomy, out: TextIO) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    table.add_column(profile.by, overflow="fold")
    table.add_column("句数", justify="right")
    for theme in themes(taxonomy):
        table.add_column(theme.zh, justify="right", overflow="fold", min_width=5)
    for name, total, shares in profile.rows(taxonomy):
        table.add_row(Text(name), str(total), *(f"{share:.0%}" if share else "" for share in shares.values()))
    Console(file=out, width=None if out.isatty() else 140, highlight=False).print(table)


def _write_svg(profile: Profile, taxonomy: Taxonomy, out: TextIO) -> None:
    names = {theme.code: theme.zh for theme in themes(taxonomy)}
    write_chart([(f"{name} ({total})", shares) for name, total, shares in profile.rows(taxonomy)], names, out)
