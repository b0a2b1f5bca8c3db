"""Reports as HTML, Markdown, Word and PDF."""

from __future__ import annotations

import contextlib
import io

import docx
import pytest

from tests.zhuti.files import ENTITY_BOMB, PARAGRAPHS, docx_file, pdf_file, zip_with
from zhuti.documents import DocumentError, DocumentTooLarge, UnsupportedFormat, read_document
from zhuti.docx import docx_text
from zhuti.markup import html_text, markdown_text
from zhuti.pdf import join_lines


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<p>甲<b>乙</b>丙</p><p>丁</p>", "甲乙丙\n丁"),
        ("<div>甲<br>乙</div>丙", "甲\n乙\n丙"),
        ("<title>题</title><style>p{}</style><script>if (a<b) {}</script><p>甲</p>", "甲"),
        ("<p>组织\n  工作 in\n2024</p>", "组织工作 in 2024"),
        ("<td>甲</td><td>乙</td>&nbsp;&lt;丙&gt;&#x4e01;", "甲\n乙\n<丙>丁"),
        ("<p>没有结束<div>乱<p>套", "没有结束\n乱\n套"),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><p>&a;甲</p><!-- 注 -->", "]>\n&a;甲"),
        ("甲<![foo[x]]>乙<p><![if !supportLists]>1.<![endif]>丙</p>", "甲乙\n1.丙"),
        ("甲<![>乙<![ a", "甲乙<![ a"),
        ("<div>" * 50_000 + "深" + "</div>" * 50_000, "深"),
    ],
)
def test_html(source: str, text: str) -> None:
    assert html_text(source) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("# 一、选准用好干部\n\n全年**调整**干部，\n提拔`年轻`人。\n", "一、选准用好干部\n全年调整干部，\n提拔年轻人。"),
        ("- 甲\n- 乙\n1. 丙\n", "甲\n乙\n1. 丙"),
        ("---\ntitle: x\n---\n甲\n***\n乙", "甲\n乙"),
        ("> 引文\n\n[链接](http://a.cn)和![图](b.png)", "引文\n链接和图"),
        ("|项目|数量|\n|---|---|\n|干部|86|", "项目|数量\n干部|86"),
        ("3*4=12*1 和 snake_case_name", "3*4=12*1 和 snake_case_name"),
    ],
)
def test_markdown(source: str, text: str) -> None:
    assert markdown_text(source) == text


def test_word_with_tables_and_breaks_in_reading_order() -> None:
    document = docx.Document()
    document.add_heading("一、选准用好干部", 1)
    paragraph = document.add_paragraph("全年")
    paragraph.add_run("调整").bold = True
    paragraph.add_run("干部")
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "甲", "乙"
    document.add_paragraph("前").add_run().add_break()
    document.paragraphs[-1].add_run("后")
    document.sections[0].header.paragraphs[0].text = "页眉"
    out = io.BytesIO()
    document.save(out)
    assert docx_text(out.getvalue(), "x") == "一、选准用好干部\n全年调整干部\n甲\n乙\n前\n后"


def test_word_keeps_insertions_and_leaves_deletions_and_second_copies_out() -> None:
    namespaces = (
        b'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
        b'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    )
    body = (
        "<w:p><w:ins><w:r><w:t>加</w:t></w:r></w:ins><w:del><w:r><w:delText>删</w:delText></w:r></w:del>"
        "<w:moveFrom><w:r><w:t>移</w:t></w:r></w:moveFrom><w:moveTo><w:r><w:t>至</w:t></w:r></w:moveTo>"
        "<mc:AlternateContent><mc:Choice><w:txbxContent><w:p><w:r><w:t>框</w:t></w:r></w:p></w:txbxContent></mc:Choice>"
        "<mc:Fallback><w:txbxContent><w:p><w:r><w:t>框</w:t></w:r></w:p></w:txbxContent></mc:Fallback></mc:AlternateContent></w:p>"
    )
    part = b"<w:document " + namespaces + b"><w:body>" + body.encode() + b"</w:body></w:document>"
    assert docx_text(zip_with("word/document.xml", part), "x") == "框\n加至"


def test_pdf_lines_are_joined_and_page_numbers_left_out() -> None:
    assert read_document(pdf_file(PARAGRAPHS, pages=2), "a.pdf").splitlines() == list(PARAGRAPHS)
    wide = "全年调整干部八十六人次其中提拔"
    pages = [[wide, wide], [wide, "年轻干部。", "二、人才"], ["短行", "引进"]]
    assert join_lines(pages) == [wide * 3 + "年轻干部。", "二、人才", "短行", "引进"]


@pytest.mark.parametrize(
    ("name", "data", "error", "message"),
    [
        ("a.doc", b"x", UnsupportedFormat, r"ends in '\.doc'; reports are read from \.txt"),
        ("a.docx", b"\xd0\xcf\x11\xe0old", UnsupportedFormat, "old .doc or an encrypted file"),
        ("a.docx", zip_with("a", b""), UnsupportedFormat, "without word/document.xml"),
        ("a.docx", docx_file(["甲"])[:-40], DocumentError, "not a readable .docx file"),
        ("a.docx", ENTITY_BOMB, DocumentError, "declares a document type"),
        ("a.docx", zip_with("word/document.xml", bytes(65 * 2**20)), DocumentTooLarge, "unpacks to 68,157,440 bytes"),
        ("a.pdf", pdf_file(["甲"], pages=4), DocumentTooLarge, "has 4 pages; at most 3"),
        ("a.pdf", pdf_file([]), DocumentError, "holds no text to tag"),
        ("a.html", b"<p> </p>", DocumentError, "holds no text"),
        ("a.html", b"<p>&#" + b"1" * 5000 + b";</p>", DocumentError, "is not a readable HTML page: Exceeds the limit"),
    ],
)
def test_files_that_are_refused(name: str, data: bytes, error: type[DocumentError], message: str) -> None:
    with pytest.raises(error, match=f"{name}: .*{message}"):
        read_document(data, name, max_pages=3)


def test_halves_of_surrogate_pairs_in_a_pdf_become_replacement_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pypdf.PageObject.extract_text", lambda page: "干\ud835部\udc00。")
    assert read_document(pdf_file(["甲"]), "a.pdf") == "干\ufffd部\ufffd。"


def test_damaged_files_only_ever_raise_document_errors() -> None:
    """Every file cut, and with a byte changed, at fifty places."""
    for name, whole in (("a.docx", docx_file(PARAGRAPHS)), ("a.pdf", pdf_file(PARAGRAPHS))):
        for place in range(0, len(whole), len(whole) // 50):
            for damaged in (whole[:place], whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :]):
                with contextlib.suppress(DocumentError):
                    assert read_document(damaged, name)
