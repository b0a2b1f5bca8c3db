"""POST /tag_file with files as people have them, and with files made to do harm."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from serving import reader, schemas
from tests.conftest import EXAMPLE
from tests.serving.process import Served
from tests.serving.test_errors import check
from tests.zhuti.files import ENTITY_BOMB, PARAGRAPHS, docx_file, pdf_bomb, pdf_file, zip_with

MARKUP = "".join(f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS)
FILES = {
    "report.txt": "\n".join(PARAGRAPHS).encode("gb18030"),
    "报告.md": "\n\n".join(PARAGRAPHS).encode(),
    "report.HTML": f"<html><head><title>x</title><script>var a;</script></head><body>{MARKUP}</body></html>".encode(),
    "report.docx": docx_file(PARAGRAPHS),
    "report.pdf": pdf_file(PARAGRAPHS),
}


@pytest.mark.parametrize("name", FILES)
def test_every_kind_of_file_is_tagged_as_its_text(server: Served, name: str) -> None:
    answer = server.post("/tag_file", files={"file": (name, FILES[name])}, data={"top_k": "2", "explain": "1", "context": "false"})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    schemas.FileResponse.model_validate(body)
    assert body["text"].splitlines() == list(PARAGRAPHS)
    for unit in body["units"]:
        assert body["text"][unit["start"] : unit["end"]] == unit["text"]
        assert (len(unit["themes"]), len(unit["evidence"])) == (2, 1)
    direct = server.post(json={"text": body["text"], "top_k": 2, "explain": 1, "context": False}).json()["units"]
    assert [unit["primary"] for unit in body["units"]] == [unit["primary"] for unit in direct]


def test_a_whole_report(server: Served) -> None:
    body = server.post("/tag_file", files={"file": ("lanshan.txt", EXAMPLE.read_bytes())}).json()
    assert body["text"] == EXAMPLE.read_text(encoding="utf-8")
    assert len(body["units"]) > 90


@pytest.mark.parametrize(
    ("name", "data", "status", "words"),
    [
        ("a.exe", b"MZ", 415, ".txt, .md, .html, .htm, .docx, .pdf"),
        ("a", b"text", 415, "ends in 'nothing'"),
        ("a.pdf", b"not a pdf", 415, "is not a PDF file"),
        ("a.pdf", b"%PDF-1.7\n" + b"\xff" * 1000, 422, "is not a readable PDF file"),
        ("a.docx", b"PK\x03\x04 damaged", 422, "is not a readable .docx file"),
        ("a.docx", zip_with("other.xml", b"<a/>"), 415, "without word/document.xml"),
        ("a.docx", zip_with("word/document.xml", b"<w:p>"), 422, "is not a readable .docx file"),
        ("a.docx", ENTITY_BOMB, 422, "declares a document type"),
        ("a.docx", zip_with("word/document.xml", b" " * 70_000_000), 413, "unpacks to 70,000,000 bytes"),
        ("a.txt", b"\0\1\2", 422, "is a binary file"),
        ("a.txt", b"", 422, "is empty"),
        ("a.html", b"<script>1</script>", 422, "holds no text"),
        ("a.txt", ("长" * 200_001).encode(), 413, "200,001 characters"),
    ],
)
def test_files_that_cannot_be_tagged(server: Served, name: str, data: bytes, status: int, words: str) -> None:
    error = check(server.post("/tag_file", files={"file": (name, data)}), status, words)
    assert ("zhuti tag FILE" in error["message"]) == (status == 413)


def test_whatever_a_library_raises_on_a_file_is_the_file_s_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(error: Exception) -> dict[str, object]:
        monkeypatch.setattr(reader, "read_document", Mock(side_effect=error))
        return reader.read(b"", "a.pdf", 1, 1)

    assert read(KeyError("/Root")) == {"status": 422, "message": "a.pdf: is not a readable file"}
    assert read(MemoryError())["status"] == 413


def test_a_page_that_unpacks_to_400_megabytes_harms_nobody(server: Served) -> None:
    bomb = pdf_bomb(400 * 10**6)
    assert len(bomb) < 500_000
    before = server.worker().memory_info().rss
    answer = server.post("/tag_file", files={"file": ("a.pdf", bomb)})
    assert answer.status_code in (413, 422)
    check(answer, answer.status_code)
    assert server.worker().memory_info().rss - before < 200 * 2**20
    assert server.post(json={"text": "干部。"}).status_code == 200


def test_forms_that_do_not_fit(server: Served) -> None:
    check(server.post("/tag_file", json={"text": "干部。"}), 415, "multipart/form-data")
    check(server.post("/tag_file", content=b"x", headers={"Content-Type": "multipart/form-data"}), 400)
    check(server.post("/tag_file", content=b"x", headers={"Content-Type": "multipart/form-data; boundary=b"}), 400, "multipart")
    check(server.post("/tag_file", files={"other": ("a.txt", b"x")}), 422, "'file'")
    check(server.post("/tag_file", files={"file": ("a.txt", "干部。".encode())}, data={"top_k": "many"}), 422, "top_k")
    check(server.post("/tag_file", files={"file": ("a.txt", "干部。".encode())}, data={"x": "1"}), 422, "x")
    check(server.post("/tag_file", files=[("file", ("a.txt", b"x")), ("file", ("b.txt", b"x"))]), 400)
