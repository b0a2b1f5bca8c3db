"""Run a batch from the options of ``zhuti tag`` to its output, totals and exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from serving.batch.direct import tag_to_stream, tag_to_tables, write_whole
from serving.batch.disk import is_device, target
from serving.batch.inputs import given_text, list_inputs, printable
from serving.batch.job import FOR_PEOPLE, Format, Job, Options, OutputError
from serving.batch.journal import REJECTS
from serving.batch.progress import Progress
from serving.batch.rejects import write_rejects
from serving.batch.shards import Engine, tag_here, tag_to_file, tag_to_folder, work_folder
from zhuti.tagger import Tagger

SUFFIXES: dict[str, Format] = {".jsonl": "jsonl", ".csv": "csv", ".parquet": "parquet"}
ALL_TAGGED, NOTHING_TAGGED, SOME_REJECTED = 0, 1, 3


def tag_batch(sources: Sequence[str], text: str | None, model: str, options: Options) -> int:
    """Tag all sources.

    :param sources: files, folders, globs, or ``-``.
    :param text: a text to tag instead of them.
    :return: the exit code: 0 all tagged, 1 no input could be read, 3 something was rejected.
    :raises ValueError: in one sentence, for a model, an output or an unfinished run that cannot be used.
    """
    engine = _engine(options)
    tagger = Tagger.load(model)
    output = target(options.output) if options.output is not None else None
    rejects = _rejects_file(output, folder=is_folder(options.output or ""))
    own = [path for path in (output, rejects, output and work_folder(output)) if path]
    if text is not None:
        inputs, notes = [given_text(text)], list[str]()
    else:
        rows = options.sentence or options.text_column is not None
        inputs, notes = list_inputs(sources, rows=rows, leave_out=own)
    named = len(inputs) > 1 or (text is None and [one.name for one in inputs] != [printable(source) for source in sources])
    job = Job(tagger, inputs, options, named=named)
    visible = sys.stderr.isatty() and not (output is None and sys.stdout.isatty())
    with Progress(sum(one.size for one in inputs), visible=visible) as progress:
        for note in notes:
            progress.say(note)
        _write(job, output, rejects, progress, engine)
    _report(job, output, rejects, progress)
    if job.totals.failed:
        return NOTHING_TAGGED
    return SOME_REJECTED if job.totals.rejects else ALL_TAGGED


def is_folder(output: str) -> bool:
    """Whether an output receives numbered shards."""
    return output.endswith(("/", os.sep)) or Path(output).is_dir()


def _rejects_file(output: Path | None, *, folder: bool) -> Path | None:
    """``rejects.jsonl`` in a folder of shards, ``tagged.rejects.jsonl`` beside ``tagged.jsonl``; none where there is no file."""
    if output is None or is_device(output):
        return None
    return output / REJECTS if folder else output.with_name(f"{output.stem}.{REJECTS}")


def _write(job: Job, output: Path | None, rejects: Path | None, progress: Progress, engine: Engine) -> None:
    options = job.options
    if output is None or rejects is None or options.format in FOR_PEOPLE:
        try:
            _write_directly(job, output, rejects, progress)
        except BrokenPipeError:
            raise
        except OSError as error:
            place = f"--output {output}" if output else "standard output"
            raise OutputError(f"{place}: cannot be written: {error.strerror}") from error
    elif is_folder(str(options.output)):
        tag_to_folder(job, output, progress, engine)
    else:
        tag_to_file(job, output, rejects, progress, engine)


def _engine(options: Options) -> Engine:
    if options.engine == "local":
        return tag_here
    from serving.distributed.engine import RayEngine

    return RayEngine(options.address)


def _write_directly(job: Job, output: Path | None, rejects: Path | None, progress: Progress) -> None:
    tables = job.options.format == "table"
    if job.options.format == "html":
        from serving.batch.page import render_page, tag_reports  # what makes pages is not loaded for a table

        reports = tag_reports(job, progress)
        if rejects is not None:
            write_rejects(job.rejects, rejects)
        page = render_page(job, reports)
        if output is None:
            sys.stdout.buffer.write(page.encode("utf-8"))
            sys.stdout.buffer.flush()
        elif is_device(output):
            output.write_text(page, encoding="utf-8")
        else:
            write_whole(output, lambda out: out.write(page))
    elif output is None:
        tag_to_tables(job, sys.stdout, progress) if tables else tag_to_stream(job, sys.stdout.buffer, progress)
    elif rejects is not None:
        write_whole(output, lambda out: tag_to_tables(job, out, progress))
        write_rejects(job.rejects, rejects)
    elif tables:
        with output.open("w", encoding="utf-8") as text:
            tag_to_tables(job, text, progress)
    else:
        with output.open("wb") as out:
            tag_to_stream(job, out, progress)


def _report(job: Job, output: Path | None, rejects: Path | None, progress: Progress) -> None:
    """Totals and rejects on standard error; nothing where all is well and the output itself is what the user looks at."""
    totals = job.totals
    noun = "rows" if job.options.sentence else "sentences"
    if output is not None and totals.units:
        for line in totals.lines(job.tagger.taxonomy):
            print(line, file=sys.stderr)
        progress.say(f"{totals.units:,} {noun} tagged, {totals.uncertain:,} uncertain, in {progress.seconds:.1f} s: {job.options.output}")
    if totals.rejected_rows or (rejects is not None and totals.rejects):
        where = f"{job.inputs[0].name}: " if len(job.inputs) == 1 else ""
        files = f" and {totals.rejected_files:,} inputs" if totals.rejected_files else ""
        place = f"; see {rejects}" if rejects is not None else ""
        progress.say(f"{where}{totals.units:,} {noun} tagged, {totals.rejected_rows:,}{' rows' if files else ''}{files} not{place}")
