"""Write a batch straight to standard output or a device, or as tables for people: nothing here can be resumed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TextIO

from serving.batch.disk import flush, rename
from serving.batch.job import Job, count, records
from serving.batch.progress import Progress
from zhuti.result import TaggedUnit

_SHARD = 10_000


def tag_to_stream(job: Job, out: BinaryIO, progress: Progress) -> None:
    """Write rows as they are tagged, in the output's format."""
    writer = job.layout().writer(out)
    for chunk, units in job.tagged(progress, _SHARD):
        for reject in chunk.rejects:
            progress.reject(str(reject), all=True)
        writer.write(records(chunk, units))
        job.totals.add(count(chunk, units))
        out.flush()
    writer.finish()
    out.flush()


def tag_to_tables(job: Job, out: TextIO, progress: Progress) -> None:
    """Write one table an input, when the input is read to its end; holds one input's sentences at a time."""
    place: int | None = None
    name = ""
    waiting: list[TaggedUnit] = []
    for chunk, units in job.tagged(progress, _SHARD):
        for reject in chunk.rejects:
            progress.reject(str(reject), all=True)
        job.rejects += chunk.rejects
        for item, unit in zip(chunk.items, units, strict=True):
            if item.key[0] != place and waiting:
                _print(job, name, waiting, out)
                waiting = []
            place, name = item.key[0], item.source
            waiting.append(unit)
        job.totals.add(count(chunk, units))
    if waiting:
        _print(job, name, waiting, out)
    out.flush()


def _print(job: Job, name: str, units: list[TaggedUnit], out: TextIO) -> None:
    from zhuti.table import print_report

    print_report(name, units, job.tagger.taxonomy, out)


def write_whole(path: Path, write: Callable[[TextIO], object]) -> None:
    """Write a text file that appears whole or not at all."""
    partial = path.with_name(path.name + ".part")
    try:
        with partial.open("w", encoding="utf-8") as out:
            write(out)
            flush(out)
        rename(partial, path)
    finally:
        partial.unlink(missing_ok=True)
