from __future__ import annotations

from pathlib import Path

import pytest
from opencc import OpenCC

from tests.conftest import ROOT
from zhuti.documents import DocumentError, decode, read_bytes, read_document, suffix_of

SIMPLIFIED = "全市组织工作坚持围绕中心、服务大局,选干部配班子,抓基层打基础。"
TRADITIONAL = "全市組織工作堅持圍繞中心、服務大局,選幹部配班子,抓基層打基礎。"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"])
def test_encodings_of_simplified_text(encoding: str) -> None:
    assert decode(SIMPLIFIED.encode(encoding), "x") == SIMPLIFIED


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "big5"])
def test_big5_and_gb18030_are_told_apart_for_traditional_text(encoding: str) -> None:
    assert decode(TRADITIONAL.encode(encoding), "x") == TRADITIONAL


@pytest.mark.parametrize("name", ["chengdu-2018", "jilin-2023", "sichuan-2015", "xining-2013", "zhuzhou-2021"])
def test_whole_reports_come_back_from_gb18030_and_big5(name: str) -> None:
    text = (ROOT / "data" / "documents" / f"{name}.txt").read_bytes().decode("utf-8")
    assert decode(text.encode("gb18030"), name) == text
    traditional = OpenCC("s2t").convert(text).encode("big5hkscs", "ignore")
    assert decode(traditional, name) == traditional.decode("big5hkscs")
    assert len(traditional.decode("big5hkscs")) > 0.95 * len(text)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "big5"])
def test_pages_with_much_markup_before_the_text_are_decoded(encoding: str) -> None:
    page = f"<html><head><script>{'var a = 1; ' * 1000}</script></head><body><p>{TRADITIONAL}</p></body></html>"
    assert read_document(page.encode(encoding), "a.html") == TRADITIONAL


@pytest.mark.parametrize("encoding", ["gb2312", "GBK", "big5"])
def test_a_page_too_short_to_tell_is_read_as_it_says(encoding: str) -> None:
    page = f'<html><head><meta http-equiv="Content-Type" content="text/html; charset={encoding}"></head><body>甲乙丙丁</body></html>'
    assert read_document(page.encode(encoding), "a.htm") == "甲乙丙丁"
    with pytest.raises(DocumentError, match="neither UTF-8"):
        read_document("<html><body>甲乙丙丁</body></html>".encode(encoding), "a.htm")


def test_a_document_without_a_name_is_known_by_how_it_starts() -> None:
    starts = {
        b"%PDF-1.7": ".pdf",
        b"PK\x03\x04": ".docx",
        b"\xef\xbb\xbf\n<!DOCTYPE HTML>": ".html",
        b"<html lang": ".html",
        b"# a": ".txt",
    }
    assert {start: suffix_of(start + b"...") for start in starts} == starts


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
        read_bytes(tmp_path / "none.txt")
    with pytest.raises(DocumentError, match="is a directory"):
        read_bytes(tmp_path)
