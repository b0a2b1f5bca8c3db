"""What the batch tagger takes: every kind of report and table, in the encodings they come in, from files, folders and standard input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from opencc import OpenCC

from serving.batch.inputs import find_encoding
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


def test_rows_on_standard_input_are_known_by_how_they_start(tmp_path: Path) -> None:
    rows = [{"text": "举办干部培训班。", "n": 1}, {"text": "慰问老干部。", "n": 2}]
    for path in (
        write_csv(tmp_path / "a.csv", rows, "utf-8-sig"),
        write_jsonl(tmp_path / "a.jsonl", rows),
        write_parquet(tmp_path / "a.parquet", rows),
    ):
        run = tag(*SENTENCE, "-f", "jsonl", stdin=path.read_bytes())
        assert [json.loads(line)["primary"] for line in run.stdout.splitlines()] == ["ideology.training", "veterans.care"]
