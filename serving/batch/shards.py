"""Write a batch as numbered shards with a journal; for a single file they are joined when all are there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

from serving.batch.job import Interrupted, Job, OutputError, count, records
from serving.batch.journal import REJECTS, Entry, Journal, JournalError
from serving.batch.progress import Progress
from serving.batch.tables import Reject
from serving.batch.totals import Totals
from serving.batch.window import Chunk
from serving.batch.writers import Layout, flush
from zhuti.result import TaggedUnit


class _Shard:
    """The shard that is being written, under another name until it is whole."""

    def __init__(self, folder: Path, number: int, layout: Layout) -> None:
        self.path = folder / f"part-{number:05d}{layout.suffix}"
        self._partial = self.path.with_name(self.path.name + ".part")
        self._file: BinaryIO = self._partial.open("wb")
        self._writer = layout.writer(self._file)
        self.events = 0
        self.rows = 0
        self.rejects: list[Reject] = []
        self.totals = Totals()

    def write(self, chunk: Chunk, units: list[TaggedUnit]) -> None:
        self._writer.write(records(chunk, units))
        self.events += chunk.events
        self.rows += len(units)
        self.rejects += chunk.rejects
        self.totals.add(count(chunk, units))

    def close(self) -> None:
        self._writer.finish()
        flush(self._file)
        self._file.close()
        self._partial.replace(self.path)


def tag_to_folder(job: Job, folder: Path, progress: Progress) -> None:
    """Write shards into a folder, and ``rejects.jsonl`` where there are any."""
    journal = _open(job, folder)
    try:
        with _guard(journal):
            _write_shards(job, journal, job.layout(), progress)
            _write_rejects(journal, folder / REJECTS)
    finally:
        journal.close()


def tag_to_file(job: Job, output: Path, rejects: Path, progress: Progress) -> None:
    """Write one file, which appears when it is whole; until then shards and journal stand in a folder beside it."""
    folder = work_folder(output)
    journal = _open(job, folder)
    try:
        with _guard(journal):
            layout = job.layout()
            _write_shards(job, journal, layout, progress)
            if not journal.joined:
                _write_rejects(journal, rejects)
                if not job.totals.failed:
                    _join(journal, layout, output)
                journal.note_joined()
            journal.remove()
    finally:
        journal.close()


def _join(journal: Journal, layout: Layout, output: Path) -> None:
    partial = journal.folder / "joined.part"
    with partial.open("wb") as out:
        layout.join([journal.folder / entry.file for entry in journal.entries], out)
        flush(out)
    partial.replace(output)


def work_folder(output: Path) -> Path:
    """:return: where the shards of a single file stand while it is made."""
    return output.with_name(output.name + ".parts")


def _open(job: Job, folder: Path) -> Journal:
    try:
        return Journal(folder, job.head(), resume=job.options.resume)
    except OSError as error:
        raise JournalError(f"{folder}: cannot be written: {error.strerror}") from error


def _write_shards(job: Job, journal: Journal, layout: Layout, progress: Progress) -> None:
    for entry in journal.entries:
        job.totals.add(entry.totals)
    if journal.complete:
        return
    size = job.options.shard_rows
    shard: _Shard | None = None
    for chunk, units in job.tagged(progress, size, skip=len(journal.entries)):
        for reject in chunk.rejects:
            progress.reject(str(reject), all=False)
        shard = shard or _Shard(journal.folder, len(journal.entries), layout)
        shard.write(chunk, units)
        if shard.events == size:
            _note(job, journal, shard)
            shard = None
    if shard:
        _note(job, journal, shard)
    journal.finish()


def _note(job: Job, journal: Journal, shard: _Shard) -> None:
    shard.close()
    journal.note(Entry(shard.path.name, shard.rows, shard.totals), shard.rejects)
    job.totals.add(shard.totals)


def _write_rejects(journal: Journal, path: Path) -> None:
    """Write the rejects of the whole run, or take those of an earlier run to the same output away."""
    partial = path.with_name(path.name + ".part")
    with partial.open("w", encoding="utf-8") as out:
        some = False
        for reject in journal.rejects():
            out.write(json.dumps(asdict(reject), ensure_ascii=False) + "\n")
            some = True
    if some:
        partial.replace(path)
    else:
        partial.unlink()
        path.unlink(missing_ok=True)


@contextmanager
def _guard(journal: Journal) -> Iterator[None]:
    """Say in one sentence what is safe after Ctrl-C or a failed write; a run that has nothing yet leaves nothing behind."""
    try:
        yield
    except (KeyboardInterrupt, OSError) as error:
        rows = sum(entry.rows for entry in journal.entries)
        for partial in journal.folder.glob("*.part"):
            partial.unlink(missing_ok=True)
        if journal.entries:
            state = f"{rows:,} tagged rows are safe in {journal.folder}; the same command with --resume goes on from there"
        else:
            state = "nothing was finished yet; run the same command again"
            journal.remove()
        if isinstance(error, OSError):
            raise OutputError(f"{journal.folder}: cannot be written: {error.strerror or error}; {state}") from error
        raise Interrupted(f"interrupted; {state}") from None
