"""`zhuti tag --format html` as a user runs it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from serving.report.figures import Report
from tests.conftest import EXAMPLE, ROOT
from tests.serving.report.conftest import COMPARED

CORPUS = [f"data/documents/{name}.txt" for name in COMPARED]


def tag(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "zhuti.cli", "tag", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, cwd=ROOT, check=False)


def test_the_page_is_that_of_the_library(tmp_path: Path, single: str, compared: str) -> None:
    run = tag(*CORPUS, "-o", str(tmp_path / "compared.html"))
    assert run.returncode == 0, run.stderr
    named = compared
    for path in CORPUS:
        named = named.replace(f">{Path(path).name} ·", f">{path} ·")
    assert (tmp_path / "compared.html").read_text(encoding="utf-8") == named
    assert [path.name for path in tmp_path.iterdir()] == ["compared.html"]
    piped = tag("-f", "html", stdin=EXAMPLE.read_bytes())
    assert piped.stdout.decode("utf-8") == single.replace("lanshan-2024.txt", "标准输入")


def test_rows_of_a_table_are_reports(tmp_path: Path, report: Report) -> None:
    rows = [{"document": "甲 <b>", "text": "提拔八人。\n引才三人。"}, {"text": report.text}, {"text": 7}]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")
    run = tag(str(path), "-f", "html")
    html = run.stdout.decode("utf-8")
    assert run.returncode == 3
    assert f"{path}, line 3: 'text' must be a text, found 7" in run.stderr.decode()
    assert re.findall(r'<th scope="row" class="name"><a href="#d\d">([^<]+)</a>', html) == ["甲 &lt;b&gt;", "rows 2"]
    ids = [f"d1s{n}" for n in (1, 2)] + [f"d2s{unit.index + 1}" for unit in report.units]
    assert re.findall(r'<span id="(d\ds\d+)"', html) == ids


def test_a_page_has_a_limit_that_is_told_before_anything_is_written(tmp_path: Path) -> None:
    path = tmp_path / "many.txt"
    path.write_text("提拔八人。\n" * 10_001, encoding="utf-8")
    run = tag(str(path), "-o", str(tmp_path / "many.html"))
    assert run.returncode == 1
    assert "takes 10,000 sentences at most and there are more; use jsonl, csv or parquet" in run.stderr.decode()
    assert not (tmp_path / "many.html").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("x.csv", "-f", "html", "--unit", "sentence"), "--format html shows whole reports; --unit sentence needs another format"),
        (("x.txt", "-f", "html", "--explain", "2"), "--format html shows no evidence; --explain needs another format"),
        (("x.txt", "-o", "x.html", "--resume"), "--format html writes one file at once; --resume needs jsonl, csv or parquet"),
        (("x.txt", "-f", "html", "-o", "data/"), "--output data/: is a folder; name a file"),
    ],
)
def test_what_a_page_cannot_do_is_said(arguments: tuple[str, ...], said: str) -> None:
    run = tag(*arguments)
    assert (run.returncode, run.stdout) == (2, b"")
    assert said in run.stderr.decode()


def test_no_page_of_nothing(tmp_path: Path) -> None:
    run = tag("missing.txt", "-o", str(tmp_path / "x.html"))
    assert run.returncode == 1
    assert run.stderr.decode().splitlines() == ["zhuti: missing.txt: no such file", "zhuti: there is no sentence to show in an HTML report"]
    assert [path.name for path in tmp_path.iterdir()] == ["x.rejects.jsonl"]
