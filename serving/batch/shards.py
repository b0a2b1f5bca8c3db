"""Write a batch as numbered shards with a journal; for a single file they are joined when all are there."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from serving.batch.disk import flush, rename
from serving.batch.inputs import InputFailedError
from serving.batch.job import Interrupted, Job, OutputError
from serving.batch.journal import REJECTS, Journal
from serving.batch.progress import Progress
from serving.batch.rejects import write_rejects
from serving.batch.shard import Done, Shard
from serving.batch.writers import Layout
from zhuti.errors import ZhutiError

Engine = Callable[[Job, Path, Layout, Progress, int], Generator[Done]]
"""Tags a job's shards into a folder, from the shard with the given number on, and gives them in order."""


def tag_here(job: Job, folder: Path, layout: Layout, progress: Progress, first: int) -> Generator[Done]:
    """The engine that tags in this process, shard after shard."""
    size = job.options.shard_rows
    shard: Shard | None = None
    for chunk, units in job.tagged(progress, size, skip=first):
        shard = shard or Shard(folder, first, layout)
        shard.write(chunk, units)
        if shard.events == size:
            yield shard.close()
            shard = None
            first += 1
    if shard:
        yield shard.close()


def tag_to_folder(job: Job, folder: Path, progress: Progress, engine: Engine = tag_here) -> None:
    """Write shards into a folder, and ``rejects.jsonl`` where there are any."""
    journal = _open(job, folder)
    try:
        with _guard(journal):
            _write_shards(job, journal, job.layout(), progress, engine)
            write_rejects(journal.rejects(), folder / REJECTS)
            if job.totals.failed:  # there is nothing to go on with
                journal.remove()
    finally:
        journal.close()


def tag_to_file(job: Job, output: Path, rejects: Path, progress: Progress, engine: Engine = tag_here) -> None:
    """Write one file, which appears when it is whole; until then shards and journal stand in a folder beside it."""
    folder = work_folder(output)
    journal = _open(job, folder)
    try:
        with _guard(journal):
            layout = job.layout()
            _write_shards(job, journal, layout, progress, engine)
            if not journal.joined:
                write_rejects(journal.rejects(), rejects)
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
    rename(partial, output)


def work_folder(output: Path) -> Path:
    """:return: where the shards of a single file stand while it is made."""
    return output.with_name(output.name + ".parts")


def _open(job: Job, folder: Path) -> Journal:
    try:
        return Journal(folder, job.head(), resume=job.options.resume)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror}; nothing was tagged yet") from error


def _write_shards(job: Job, journal: Journal, layout: Layout, progress: Progress, engine: Engine) -> None:
    for entry in journal.entries:
        job.totals.add(entry.totals)
    if journal.complete:
        return
    with closing(engine(job, journal.folder, layout, progress, len(journal.entries))) as shards:
        for done in shards:
            for reject in done.rejects:
                progress.reject(str(reject), all=False)
            journal.note(done.entry, done.rejects)
            job.totals.add(done.entry.totals)
    journal.drop_partial()
    journal.finish()


@contextmanager
def _guard(journal: Journal) -> Iterator[None]:
    """Say in one sentence what is safe after Ctrl-C or whatever ends a run; a run that has nothing yet leaves nothing behind."""
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        if isinstance(error, ZhutiError) and not isinstance(error, InputFailedError):
            if not journal.entries:
                journal.remove()
            raise
        rows = sum(entry.rows for entry in journal.entries)
        journal.drop_partial()
        if journal.entries:
            state = f"{rows:,} tagged rows are safe in {journal.folder}; the same command with --resume goes on from there"
        else:
            state = "nothing was finished yet; run the same command again"
            journal.remove()
        if isinstance(error, KeyboardInterrupt):
            raise Interrupted(f"interrupted; {state}") from None
        if isinstance(error, InputFailedError):
            raise InputFailedError(f"{error}; {state}") from error
        if isinstance(error, OSError):
            raise OutputError(f"{journal.folder}: cannot be written: {error.strerror or error}; {state}") from error
        raise OutputError(f"{journal.folder}: the run broke off: {type(error).__name__}: {error}; {state}") from error
