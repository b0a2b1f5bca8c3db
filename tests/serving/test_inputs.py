"""What the batch tagger takes: every kind of report and table, in the encodings they come in, from files, folders and standard input."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
from opencc import OpenCC

from serving.batch.inputs import find_encoding, list_inputs
from serving.batch.tables import Reject, Row, TableReader
from tests.serving.batchfiles import read_jsonl, sentences, tag, write_csv, write_jsonl, write_parquet
from tests.zhuti.files import PARAGRAPHS, docx_file, pdf_file
from zhuti.tagger import Tagger

ROWS = sentences(120)
SENTENCE = ("--unit", "sentence")
MARKUP = "".join(f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS)
REPORTS = {
    "a.txt": "\n".join(PARAGRAPHS).encode("gb18030"),
    "b.md": f"# {PARAGRAPHS[0]}\n\n**{PARAGRAPHS[1]}**\n\n- {PARAGRAPHS[2]}\n\n{PARAGRAPHS[3]}\n".encode(),
    "c.html": f'<html><head><meta charset="gbk"><title>x</title></head><body>{MARKUP}</body></html>'.encode("gbk"),
    "d.HTM": f"<html><body>{MARKUP}</body></html>".encode("utf-8-sig"),
    "e.docx": docx_file(PARAGRAPHS),
    "f.pdf": pdf_file(PARAGRAPHS),
}


def test_every_kind_of_report_in_a_folder_is_tagged_as_its_text(tmp_path: Path, tagger: Tagger) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    for name, data in REPORTS.items():
        (folder / name).write_bytes(data)
    run = tag(folder, "-o", tmp_path / "tagged.jsonl")
    assert run.returncode == 0, run.stderr.decode()
    found: dict[str, list[tuple[Any, ...]]] = {name: [] for name in REPORTS}
    for row in read_jsonl(tmp_path / "tagged.jsonl"):
        found[Path(row["document"]).name].append((row["start"], row["end"], row["text"], row["primary"]))
    expected = [(unit.start, unit.end, unit.text, unit.primary) for unit in tagger.tag("\n".join(PARAGRAPHS))]
    assert len(expected) == 4
    assert found == dict.fromkeys(REPORTS, expected)


@pytest.mark.parametrize("name", [name for name in REPORTS if name != "b.md"])
def test_every_kind_of_report_on_standard_input(name: str) -> None:
    run = tag("-f", "jsonl", stdin=REPORTS[name])
    texts = [json.loads(line)["text"] for line in run.stdout.splitlines()]
    assert (run.returncode, len(texts)) == (0, 4)
    assert texts[1] == PARAGRAPHS[1]


def test_damaged_reports_are_rejected_and_the_others_tagged(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(REPORTS["e.docx"][:-300])
    (tmp_path / "b.pdf").write_bytes(b"%PDF-1.7 and nothing else")
    (tmp_path / "c.html").write_text("<script>1</script>", encoding="utf-8")
    (tmp_path / "d.txt").write_bytes(REPORTS["a.txt"])
    run = tag(tmp_path, "-o", tmp_path / "tagged.csv")
    assert run.returncode == 3
    rejects = {
        Path(reject["file"]).name: reject["reason"].removeprefix(reject["file"]) for reject in read_jsonl(tmp_path / "tagged.rejects.jsonl")
    }
    assert list(rejects) == ["a.docx", "b.pdf", "c.html"]
    assert rejects["a.docx"] == ": is not a readable .docx file: File is not a zip file"
    assert rejects["b.pdf"].startswith(": is not a readable PDF file")
    assert rejects["c.html"] == ": holds no text to tag (a scan needs text recognition first)"
    assert len((tmp_path / "tagged.csv").read_text(encoding="utf-8").splitlines()) == 5


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "big5hkscs"])
@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_tables_come_in_the_encodings_reports_come_in(ending: str, encoding: str, tmp_path: Path) -> None:
    rows = ROWS
    if encoding == "big5hkscs":
        convert = OpenCC("s2t").convert
        rows = [row | {"text": convert(row["text"]).encode(encoding, "ignore").decode(encoding)} for row in ROWS]
    figures = [{"nr": -1, "document": "x" * 50_000, "text": "2024", "年份": 2013}] * 3 if encoding not in ("utf-16", "utf-8-sig") else []
    path = tmp_path / f"rows.{ending}"
    if ending == "csv":
        write_csv(path, figures + rows, encoding)
    else:
        path.write_bytes(write_jsonl(path, figures + rows).read_text(encoding="utf-8").encode(encoding))
    assert path.read_bytes().decode(find_encoding(path)).lstrip("\ufeff") == path.read_bytes().decode(encoding).lstrip("\ufeff")
    run = tag(path, *SENTENCE, "-f", "jsonl")
    assert [json.loads(line)["text"] for line in run.stdout.decode().splitlines()] == ["2024"] * len(figures) + [
        row["text"] for row in rows
    ]


@pytest.mark.parametrize("encoding", ["gb18030", "big5hkscs", "utf-8"])
@pytest.mark.parametrize("ending", ["csv", "jsonl"])
@pytest.mark.parametrize("place", [0, 60, 119])
def test_one_bad_byte_costs_one_row_in_every_encoding(place: int, ending: str, encoding: str, tmp_path: Path) -> None:
    convert = OpenCC("s2t").convert if encoding == "big5hkscs" else str
    rows = [{"nr": row["nr"], "text": convert(row["text"]).encode(encoding, "ignore").decode(encoding)} for row in ROWS]
    rows[place]["text"] += "@@"
    path = write_csv(tmp_path / "rows.csv", rows) if ending == "csv" else write_jsonl(tmp_path / "rows.jsonl", rows)
    path.write_bytes(path.read_text(encoding="utf-8").encode(encoding).replace(b"@@", b"\xff"))
    [source], _ = list_inputs([str(path)], rows=True)
    assert source.encoding == encoding
    events = list(TableReader(source).rows())
    assert [event.columns["text"] for event in events if isinstance(event, Row)] == [row["text"] for row in rows if row is not rows[place]]
    [reject] = [event for event in events if isinstance(event, Reject)]
    assert reject.reason == f"is not {encoding}, which the rest of the file is"
    assert events.index(reject) == place


def test_a_text_in_no_encoding_at_all_is_read_as_utf8(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"text\n" + bytes(range(128, 256)) * 9)
    assert find_encoding(tmp_path / "a.csv") == "utf-8"


def test_what_a_folder_holds_and_cannot_be_read_is_a_reject(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "closed", "z"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "report.txt").write_text("引进人才。", encoding="utf-8")
    (tmp_path / "a" / "broken.txt").symlink_to("nowhere.txt")
    (tmp_path / "a" / "circle.csv").symlink_to("circle.csv")
    (tmp_path / "a" / "hidden").mkdir()
    (tmp_path / "a" / "hidden").rename(tmp_path / "a" / ".hidden")
    look = os.scandir

    def scandir(path: str) -> Any:
        if Path(path).name in ("closed", ".hidden"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return look(path)

    monkeypatch.setattr(os, "scandir", scandir)
    inputs, notes = list_inputs([str(tmp_path)], rows=False)
    assert notes == []
    assert [(one.name.removeprefix(f"{tmp_path}/"), one.problem.removeprefix(f"{tmp_path}/")) for one in inputs] == [
        ("closed", "closed: is a folder that cannot be read: Permission denied"),
        ("a/broken.txt", "a/broken.txt: is a link to what is not there"),
        ("a/circle.csv", "a/circle.csv: is a link to what is not there"),
        ("a/report.txt", ""),
        ("z/report.txt", ""),
    ]
    by_glob, _ = list_inputs([f"{tmp_path}/a/*.txt"], rows=False)
    assert [bool(one.problem) for one in by_glob] == [True, False]


def test_a_file_in_a_folder_that_may_be_listed_and_not_entered_is_a_reject(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("引进人才。", encoding="utf-8")
    (tmp_path / "b.txt").write_text("引进人才。", encoding="utf-8")
    stat = Path.stat

    def closed(path: Path, **options: bool) -> os.stat_result:
        if path.name == "a.txt":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", closed)
    inputs, _ = list_inputs([str(tmp_path)], rows=False)
    assert [one.problem for one in inputs] == [f"{tmp_path}/a.txt: cannot be read: Permission denied", ""]


def test_rows_on_standard_input_are_known_by_how_they_start(tmp_path: Path) -> None:
    rows = [{"text": "举办干部培训班。", "n": 1}, {"text": "慰问老干部。", "n": 2}]
    for path in (
        write_csv(tmp_path / "a.csv", rows, "utf-8-sig"),
        write_jsonl(tmp_path / "a.jsonl", rows),
        write_parquet(tmp_path / "a.parquet", rows),
    ):
        run = tag(*SENTENCE, "-f", "jsonl", stdin=path.read_bytes())
        assert [json.loads(line)["primary"] for line in run.stdout.splitlines()] == ["ideology.training", "veterans.care"]
