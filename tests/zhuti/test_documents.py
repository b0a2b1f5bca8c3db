from __future__ import annotations

import io
from pathlib import Path

import pytest

from tests.conftest import ROOT
from zhuti.documents import BadRow, DocumentError, Row, decode, read_rows, read_text

SIMPLIFIED = "全市组织工作坚持围绕中心、服务大局,选干部配班子,抓基层打基础。"
TRADITIONAL = "全市組織工作堅持圍繞中心、服務大局,選幹部配班子,抓基層打基礎。"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"])
def test_encodings_of_simplified_text(encoding: str) -> None:
    assert decode(SIMPLIFIED.encode(encoding), "x") == SIMPLIFIED


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "big5"])
def test_big5_and_gb18030_are_told_apart_for_traditional_text(encoding: str) -> None:
    assert decode(TRADITIONAL.encode(encoding), "x") == TRADITIONAL


@pytest.mark.parametrize("name", ["chengdu-2018", "jilin-2023", "sichuan-2015", "xining-2013", "zhuzhou-2021"])
def test_whole_reports_come_back_from_gb18030(name: str) -> None:
    text = (ROOT / "data" / "documents" / f"{name}.txt").read_bytes().decode("utf-8")
    assert decode(text.encode("gb18030"), name) == text


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "x: is empty"),
        (b" \n\n", "x: is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "x: is a binary file"),
        ("日本語の文章です。カタカナとひらがな。".encode("euc_jp"), "neither UTF-8 .* nor Chinese text in GB18030 or Big5"),
        ("日本語の文章です。カタカナとひらがな。".encode("shift_jis"), "neither UTF-8"),
        ("한국어 문장입니다. 조직 사업 보고서.".encode("euc_kr"), "neither UTF-8"),
        (b"\xff\xfe\x80", "neither UTF-8|utf-16 mark"),
        (b"\xef\xbb\xbf\xff\xfe", "starts with a utf-8-sig mark"),
    ],
)
def test_what_is_no_text_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(DocumentError, match=message):
        decode(data, "x")


def test_missing_file_and_directory(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="no such file"):
        read_text(str(tmp_path / "none.txt"), None)
    with pytest.raises(DocumentError, match="is a directory"):
        read_text(str(tmp_path), None)


def test_json_rows_keep_columns_and_bad_rows_go_by_themselves() -> None:
    lines = '{"text": "甲。", "n": 1}\n\nnot json\n[1]\n{"n": 2}\n{"text": " "}\n{"text": "乙。", "document": "d"}\n'
    rows = list(read_rows("-", io.BytesIO(lines.encode())))
    assert [row.columns for row in rows if isinstance(row, Row)] == [{"text": "甲。", "n": 1}, {"text": "乙。", "document": "d"}]
    assert [(row.number, row.reason.split(":")[0]) for row in rows if isinstance(row, BadRow)] == [
        (3, "not JSON"),
        (4, "expected a JSON object, found list"),
        (5, "'text' must be a sentence, found 'no such column'"),
        (6, "'text' must be a sentence, found ' '"),
    ]


def test_csv_rows(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('id,text\n1,"两行,\n一句。"\n2,乙。\n3,丙。,多\n', encoding="utf-8")
    rows = list(read_rows(str(path), None))
    assert [row.columns for row in rows if isinstance(row, Row)] == [{"id": "1", "text": "两行,\n一句。"}, {"id": "2", "text": "乙。"}]
    assert [row.reason for row in rows if isinstance(row, BadRow)] == ["more fields than the 2 columns of the head line"]


def test_tables_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("id,sentence\n1,甲\n", encoding="utf-8")
    with pytest.raises(DocumentError, match="no column 'text'; found id, sentence"):
        list(read_rows(str(path), None))
    with pytest.raises(DocumentError, match=r"\.jsonl or \.csv files, found '\.xlsx'"):
        list(read_rows(str(tmp_path / "a.xlsx"), None))
