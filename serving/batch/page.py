"""Tag whole reports for people to read: everything in one HTML page, kept in memory until it is whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from serving.batch.job import Job, count
from serving.batch.progress import Progress
from serving.batch.stream import Item
from serving.report.figures import Report
from serving.report.render import check_size, render
from zhuti.documents import STDIN
from zhuti.result import TaggedUnit

_SHARD = 10_000
_NAMELESS = {"--text": "文本", STDIN: "标准输入"}


def tag_reports(job: Job, progress: Progress) -> list[Report]:
    """:return: the reports with their sentences. :raises ReportError: as soon as there are more sentences than a page can hold."""
    names: list[str] = []
    texts: list[str] = []
    tagged: list[list[TaggedUnit]] = []
    key = None
    for item, unit in _tagged(job, progress):
        if item.key != key:
            key = item.key
            names.append(_name(item, job.reading.naming_column))
            texts.append(item.document)
            tagged.append([])
        tagged[-1].append(unit)
    return [Report(*parts) for parts in zip(names, texts, tagged, strict=True)]


def render_page(job: Job, reports: list[Report]) -> str:
    """:return: the HTML page. :raises ReportError: if there is no sentence."""
    return render(reports, job.tagger.taxonomy, job.tagger.artifact.name)


def _tagged(job: Job, progress: Progress) -> Iterator[tuple[Item, TaggedUnit]]:
    for chunk, units in job.tagged(progress, _SHARD):
        for reject in chunk.rejects:
            progress.reject(str(reject), all=True)
        job.rejects += chunk.rejects
        job.totals.add(count(chunk, units))
        check_size(job.totals.units)
        yield from zip(chunk.items, units, strict=True)


def _name(item: Item, column: str) -> str:
    """A report goes by its file's name, in a table by the column that names it, else by the table's name and the row's number."""
    if len(item.key) == 1:
        return _NAMELESS.get(item.source, item.source)
    return str(item.columns.get(column) or f"{Path(item.source).stem} {item.key[1]}")
