from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import ROOT
from zhuti.documents import DocumentError, decode, read_text

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
