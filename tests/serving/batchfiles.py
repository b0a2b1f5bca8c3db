"""What the batch tests share: inputs made from real reports, and the command run as a process."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.conftest import ROOT
from tests.serving.process import wait_until as ask_until
from zhuti.text import split

Rows = list[dict[str, Any]]
COMMAND = [sys.executable, "-m", "zhuti.cli", "tag"]
PATIENCE = 600.0  # seconds, for what takes a few on a machine that is not busy


def tag(*arguments: str | Path, stdin: bytes = b"", limit: Callable[[], None] | None = None) -> subprocess.CompletedProcess[bytes]:
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, cwd=ROOT, check=False, preexec_fn=limit)


def start(*arguments: str | Path) -> subprocess.Popen[bytes]:
    """It takes Ctrl-C as at a terminal, even where these tests run in the background of a shell, which has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen([*COMMAND, *map(str, arguments)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    finally:
        signal.signal(signal.SIGINT, before)


def wait_until(process: subprocess.Popen[bytes], happened: Callable[[], bool]) -> None:
    """Wait for something that happens while a process runs; fail where the process ends before it."""
    ask_until(lambda: happened() or process.poll() is not None, PATIENCE)
    assert happened(), process.communicate()[1].decode()


def noted(journal: Path) -> int:
    """:return: whole lines of a journal, which is not there before a run begins and after its file is whole."""
    try:
        return journal.read_bytes().count(b"\n")
    except OSError:
        return 0


def sentences(count: int) -> Rows:
    """Rows of sentences from the reports in the repository, by document; repeated with a number where they do not suffice."""
    rows: Rows = []
    while len(rows) < count:
        for file in sorted((ROOT / "data" / "documents").glob("*.txt")):
            for unit in split(file.read_text(encoding="utf-8")):
                rows.append(
                    {"nr": len(rows), "document": f"{file.stem}-{len(rows) // 700}", "text": unit.text, "年份": 2013 + len(rows) % 9}
                )
    return rows[:count]


def write_csv(path: Path, rows: Rows, encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_jsonl(path: Path, rows: Rows) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def write_parquet(path: Path, rows: Rows, schema: pa.Schema | None = None) -> Path:
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    return path


def read_jsonl(path: Path) -> Rows:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def read_csv(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_any(path: Path) -> Rows:
    if path.suffix == ".parquet":
        rows: Rows = pq.read_table(path).to_pylist()
        return rows
    return read_csv(path) if path.suffix == ".csv" else read_jsonl(path)
