"""Which options of the command fit together."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path

from zhuti.complaints import UsageError


class TagFormat(StrEnum):
    table = "table"
    html = "html"
    jsonl = "jsonl"
    csv = "csv"
    parquet = "parquet"


class ProfileFormat(StrEnum):
    table = "table"
    csv = "csv"
    svg = "svg"


class Engine(StrEnum):
    local = "local"
    ray = "ray"


_NEAR = {"htm": "html", "json": "jsonl", "ndjson": "jsonl", "tsv": "csv", "xlsx": "csv", "xls": "csv"}


def format_of(output: str | None) -> TagFormat:
    ending = _ending(output)
    if ending in set(TagFormat):
        return TagFormat(ending)
    if ending in _NEAR:
        raise UsageError(f"--output {output}: .{ending} is not written; name it .{_NEAR[ending]}, or add --format")
    return TagFormat.jsonl if output and output.endswith("/") else TagFormat.table


def profile_format_of(output: str | None) -> ProfileFormat:
    ending = _ending(output)
    if ending in set(ProfileFormat):
        return ProfileFormat(ending)
    if ending not in ("", "txt"):
        raise UsageError(f"--output {output}: .{ending} is not written; name it .csv, .svg or .txt, or add --format")
    return ProfileFormat.table


def _ending(output: str | None) -> str:
    return Path(output).suffix.lower().removeprefix(".") if output else ""


def named_output(output: str | None) -> str | None:
    """:return: None for standard output by its names; opened by one, a file that it goes to would be emptied."""
    return None if output in ("-", "/dev/stdout") else output


def check_output(output: str | None, format: TagFormat, resume: bool) -> None:
    if output is None:
        if format is TagFormat.parquet:
            raise UsageError("--format parquet needs a file: add --output")
        if resume:
            raise UsageError("--resume needs --output: standard output cannot be gone on with")
        return
    path = Path(output)
    if not path.parent.is_dir():
        raise UsageError(f"--output {output}: the folder {path.parent} does not exist")
    whole = format in (TagFormat.table, TagFormat.html)
    if whole and (output.endswith("/") or path.is_dir()):
        raise UsageError(f"--output {output}: is a folder; name a file, or add --format jsonl, csv or parquet for a folder of shards")
    if whole and resume:
        raise UsageError(f"--format {format} writes one file at once; --resume needs jsonl, csv or parquet")


def check_sources(sources: list[str] | None, output: str | None) -> None:
    for source in sources or []:
        if output and Path(output).is_file() and os.path.realpath(source) == os.path.realpath(output):
            raise UsageError(f"{source}: would be replaced by --output {output}; name another file there")


def check_text(text: str | None) -> None:
    try:
        (text or "").encode("utf-8")
    except UnicodeEncodeError as error:
        raise UsageError(f"--text: is not UTF-8 (at character {error.start}); a file with the text may be GB18030 or Big5") from None


def check_engine(
    engine: Engine, address: str | None, sources: list[str] | None, text: str | None, output: str | None, format: TagFormat
) -> None:
    if engine is Engine.local:
        if address is not None:
            raise UsageError("--address is that of a Ray cluster: add --engine ray")
        return
    if text is not None or "-" in (sources or ["-"]):
        raise UsageError("--engine ray reads files and folders that all machines share, not --text or standard input")
    if output is None or format in (TagFormat.table, TagFormat.html):
        found = f"--format {format.value}" if output else "no --output"
        raise UsageError(f"--engine ray writes jsonl, csv or parquet to --output, found {found}")
    if Path(output).exists() and not Path(output).is_file() and not Path(output).is_dir():
        raise UsageError(f"--engine ray writes a file or a folder; --output {output} is neither")


def check_base(base: str | None, output: Path | None, shipped: str) -> None:
    if base is not None and output is None:
        raise UsageError(f"--base {base}: would replace {shipped}; name another folder with --output")
