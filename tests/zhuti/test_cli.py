"""The command as its users run it: a real process, its output, messages and exit codes."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import EXAMPLE, ROOT
from zhuti.tagger import Tagger

TEXT = "一、选准用好干部\n全年共提拔使用干部86人次,严把政治关、廉洁关。\n"


def zhuti(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "zhuti.cli", *arguments], input=stdin, capture_output=True, cwd=ROOT, check=False)


def rows(output: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in output.decode("utf-8").splitlines()]


def test_argument_file_and_standard_input_agree(tmp_path: Path, tagger: Tagger) -> None:
    file = tmp_path / "report.txt"
    file.write_text(TEXT, encoding="utf-8")
    expected = json.loads(json.dumps([unit.as_dict() for unit in tagger.tag(TEXT)]))
    for run in (
        zhuti("tag", "--text", TEXT, "-f", "jsonl"),
        zhuti("tag", str(file), "-f", "jsonl"),
        zhuti("tag", "-f", "jsonl", stdin=TEXT.encode()),
        zhuti("tag", "-", "-f", "jsonl", stdin=TEXT.encode("gb18030")),
    ):
        assert (run.returncode, run.stderr) == (0, b"")
        assert rows(run.stdout) == expected


def test_the_table_names_themes_in_chinese_and_ends_with_a_summary() -> None:
    run = zhuti("tag", str(EXAMPLE))
    table = run.stdout.decode("utf-8")
    assert run.returncode == 0
    assert "人才工作" in table
    assert "本篇主题" in table
    assert "\x1b[" not in table


def test_output_file_appears_whole(tmp_path: Path) -> None:
    target = tmp_path / "tagged.jsonl"
    run = zhuti("tag", str(EXAMPLE), "-f", "jsonl", "-o", str(target))
    assert (run.returncode, run.stdout) == (0, b"")
    assert len(rows(target.read_bytes())) > 40
    assert [path.name for path in tmp_path.iterdir()] == ["tagged.jsonl"]


def test_a_bad_file_does_not_stop_the_others(tmp_path: Path) -> None:
    good = tmp_path / "good.txt"
    good.write_text(TEXT, encoding="utf-8")
    run = zhuti("tag", str(tmp_path / "none.txt"), str(good), "-f", "jsonl")
    assert run.returncode == 3
    assert run.stderr.decode() == f"zhuti: {tmp_path}/none.txt: no such file\n"
    assert {row["document"] for row in rows(run.stdout)} == {str(good)}


def test_sentences_of_a_table_give_each_other_context_and_keep_their_columns(tmp_path: Path, tagger: Tagger) -> None:
    sentences = ["二、人才工作", "一年来成效明显。", "老干部工作", "一年来成效明显。"]
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerows([["nr", "document", "text"], *([n, "ab"[n // 2], text] for n, text in enumerate(sentences))])
    path = tmp_path / "rows.csv"
    path.write_text(table.getvalue(), encoding="utf-8")
    run = zhuti("tag", str(path), "--unit", "sentence", "-f", "jsonl")
    expected = [unit for document in tagger.tag_sentences([sentences[:2], sentences[2:]]) for unit in document]
    assert run.returncode == 0
    assert [(row["nr"], row["text"], row["primary"]) for row in rows(run.stdout)] == [
        (str(n), text, unit.primary) for n, (text, unit) in enumerate(zip(sentences, expected, strict=True))
    ]


def test_an_unreadable_table_does_not_stop_the_others(tmp_path: Path) -> None:
    wrong, right = tmp_path / "wrong.csv", tmp_path / "right.csv"
    wrong.write_text("id,sentence\n1,甲\n", encoding="utf-8")
    right.write_text("text,role,document\n举办干部培训班。,mine,\n慰问老干部。,mine,\n", encoding="utf-8")
    run = zhuti("tag", str(wrong), str(right), "--unit", "sentence", "-f", "jsonl")
    assert run.returncode == 3
    assert run.stderr.decode() == f"zhuti: {wrong}: no column 'text'; found id, sentence\n"
    assert [(row["primary"], row["role"], row["input_role"]) for row in rows(run.stdout)] == [
        ("ideology.training", "body", "mine"),
        ("veterans.care", "body", "mine"),
    ]


def test_csv_on_standard_input() -> None:
    run = zhuti("tag", "--unit", "sentence", "-f", "jsonl", stdin="text\n举办干部培训班。\n".encode())
    assert [row["primary"] for row in rows(run.stdout)] == ["ideology.training"]


def test_bad_rows_are_named_and_counted() -> None:
    run = zhuti("tag", "--unit", "sentence", "-f", "jsonl", stdin='{"text": "培训干部。"}\nx\n{"txt": 1}\n'.encode())
    assert run.returncode == 3
    assert len(rows(run.stdout)) == 1
    messages = run.stderr.decode().splitlines()
    assert messages[0].startswith("zhuti: -, line 2: not JSON")
    assert messages[1:] == ["zhuti: -, line 3: 'text' must be a sentence, found 'no such column'", "zhuti: -: 1 rows tagged, 2 not"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("tag", "none.txt"), 1, "none.txt: no such file"),
        (("tag", "zhuti"), 1, "zhuti: is a directory without files of the kinds .txt"),
        (("tag", "models/zhuti-small/encoder.bin"), 1, "is a binary file"),
        (("tag", "-"), 1, "standard input: is empty"),
        (("tag", "README.md", "--model", "no-such"), 1, "unknown model 'no-such'"),
        (("tag", "./none.txt"), 1, "zhuti: ./none.txt: no such file"),
        (("tag", "README.md", "--text", "甲"), 2, "either files or --text"),
        (("tag", "README.md", "--unit", "sentence"), 1, ".jsonl, .csv or .parquet files, found '.md'"),
        (("tag", "README.md", "-o", "no/such/folder/x"), 2, "the folder no/such/folder does not exist"),
        (("tag", "README.md", "--format", "xml"), 2, "xml"),
        (("serve", "--model", "no-such"), 1, "unknown model 'no-such'"),
        (("taxonomy", "--model", "labels"), 1, "not a zhuti model"),
        (("tag", "README.md", "-o", "data"), 2, "--output data: is a folder"),
        (("train", "--base", "x/y"), 2, "--base x/y: would replace the shipped models; name another folder with --output"),
        (("evaluate", "--base", "x/y"), 2, "--base x/y: would replace the reports on the shipped model; name another"),
        (("tag", "干" * 300), 1, "cannot be read: File name too long"),
    ],
)
def test_errors_are_one_sentence_without_a_traceback(arguments: tuple[str, ...], code: int, message: str) -> None:
    run = zhuti(*arguments)
    assert run.returncode == code
    assert message in run.stderr.decode("utf-8")
    assert b"Traceback" not in run.stderr
    assert run.stdout == b""


def test_taxonomy() -> None:
    assert "年轻干部与干部储备" in zhuti("taxonomy").stdout.decode("utf-8")
    listed = rows(zhuti("taxonomy", "-f", "jsonl").stdout)
    assert len(listed) == 32
    assert listed[0]["code"] == "political.loyalty"


def test_evidence_on_request() -> None:
    [row] = rows(zhuti("tag", "--text", "举办干部培训班12期。", "--explain", "2", "-f", "jsonl").stdout)
    evidence = row["evidence"]
    assert isinstance(evidence, list)
    assert len(evidence) == 2
    assert evidence[0]["similarity"] >= evidence[1]["similarity"]
    assert any(code.startswith("ideology") for code in evidence[0]["labels"])
