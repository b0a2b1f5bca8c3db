"""A run that ends without a word at each step of what a shard and an output go through goes on to the same bytes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.serving.batchfiles import sentences, tag, write_jsonl

ROWS = [row | {"text": ""} if place == 17 else row for place, row in enumerate(sentences(40))]
END = 9
NOTE = "note = journal.Journal.note; journal.Journal.note = lambda self, *done: end() if len(self.entries) == 2 else note(self, *done)"
UNLINK = "unlink = Path.unlink; Path.unlink = lambda self, **how: end() if self.name == 'part-0000002.jsonl' else unlink(self, **how)"
TO_FILE = {  # a step, and what stands beside the inputs when the run ends at it
    "a shard has its name and is not noted": (NOTE, ["tagged.jsonl.parts"]),
    "all shards are noted, their completeness is not": ("journal.Journal.finish = end", ["tagged.jsonl.parts"]),
    "complete, without its rejects": ("shards.write_rejects = end", ["tagged.jsonl.parts"]),
    "complete, not joined": ("shards._join = end", ["tagged.jsonl.parts", "tagged.rejects.jsonl"]),
    "joined, not noted": ("journal.Journal.note_joined = end", ["tagged.jsonl", "tagged.jsonl.parts", "tagged.rejects.jsonl"]),
    "shards half removed": (UNLINK, ["tagged.jsonl", "tagged.jsonl.parts", "tagged.rejects.jsonl"]),
    "an empty folder left": ("Path.rmdir = end", ["tagged.jsonl", "tagged.jsonl.parts", "tagged.rejects.jsonl"]),
}
TO_FOLDER = {step: TO_FILE[step][0] for step in list(TO_FILE)[:3]}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_jsonl(tmp_path_factory.mktemp("source") / "rows.jsonl", ROWS)


@pytest.fixture(scope="module")
def undisturbed(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    for output in ("tagged.jsonl", "shards/"):
        assert tag(*options(source, f"{folder}/{output}")).returncode == 3
    return folder


def options(source: Path, output: str) -> list[str]:
    return [str(source), "--unit", "sentence", "-f", "jsonl", "-o", output, "--shard-rows", "10"]


def end_at(step: str, arguments: list[str]) -> None:
    code = f"""
import os
from pathlib import Path
from serving.batch import journal, shards
from zhuti.cli import app

def end(*_, **__):
    os._exit({END})

{step}
app({["tag", *arguments]!r})
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT, check=False)
    assert run.returncode == END, run.stderr.decode()


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("step", TO_FILE)
def test_a_file_comes_out_the_same_whatever_the_step_a_run_ends_at(step: str, source: Path, undisturbed: Path, tmp_path: Path) -> None:
    arguments = options(source, f"{tmp_path}/tagged.jsonl")
    code, left = TO_FILE[step]
    end_at(code, arguments)
    assert sorted(path.name for path in tmp_path.iterdir()) == left
    assert tag(*arguments, "--resume").returncode == 3
    assert contents(tmp_path) == {name: (undisturbed / name).read_bytes() for name in ("tagged.jsonl", "tagged.rejects.jsonl")}


@pytest.mark.parametrize("step", TO_FOLDER)
def test_a_folder_comes_out_the_same_too(step: str, source: Path, undisturbed: Path, tmp_path: Path) -> None:
    arguments = options(source, f"{tmp_path}/shards/")
    end_at(TO_FOLDER[step], arguments)
    assert tag(*arguments, "--resume").returncode == 3
    assert contents(tmp_path / "shards") == contents(undisturbed / "shards")
