"""Makes the files that the readers are tested on, with other libraries than the readers use."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence

import docx
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

PARAGRAPHS = (
    "一、选准用好干部",
    "全年调整干部86人次，其中提拔年轻干部32人，进一步优化了领导班子的年龄结构和专业结构，干部队伍的整体功能不断增强。",
    "二、抓好人才工作",
    "引进高层次人才40名，举办各类人才培训班12期，培训各类人才3000多人次，人才对经济社会发展的支撑作用进一步显现出来。",
)
_LINE = 28


def docx_file(paragraphs: Sequence[str]) -> bytes:
    document = docx.Document()
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def pdf_file(paragraphs: Sequence[str], pages: int = 1) -> bytes:
    """Paragraphs broken into lines of 28 characters, with page numbers; further pages are numbers alone."""
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    out = io.BytesIO()
    canvas = Canvas(out)
    lines = [paragraph[start : start + _LINE] for paragraph in paragraphs for start in range(0, len(paragraph), _LINE)]
    for page in range(pages):
        canvas.setFont("STSong-Light", 14)
        for row, line in enumerate(lines if page == 0 else []):
            canvas.drawString(70, 770 - 24 * row, line)
        canvas.drawString(290, 40, f"- {page + 1} -")
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def zip_with(name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr(name, data)
    return out.getvalue()


ENTITY_BOMB = zip_with(
    "word/document.xml",
    b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b']><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:p><w:t>&j;</w:t></w:p></w:document>',
)


def pdf_bomb(unpacked: int) -> bytes:
    """One page whose content unpacks to so many bytes."""
    content = zlib.compress(bytes(unpacked))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>",
        b"<</Length %d/Filter/FlateDecode>>stream\n%b\nendstream" % (len(content), content),
    ]
    return (
        b"%PDF-1.7\n" + b"".join(b"%d 0 obj%bendobj\n" % numbered for numbered in enumerate(objects, 1)) + b"trailer<</Root 1 0 R>>\n%%EOF"
    )
