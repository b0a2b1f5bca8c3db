"""The text of a PDF. Its hard line breaks are joined back into paragraphs, and page numbers at page ends are left out."""

from __future__ import annotations

import io
import re

from zhuti.documents import DocumentError, DocumentTooLarge, UnsupportedFormat

_ENDS = re.compile(r"[。｡！？!?…；;﹔：:][”’」』》〉）)】〕]*$")
_PAGE_NUMBER = re.compile(r"^[\s\-—–·.]*(?:第\s*)?\d{1,4}(?:\s*/\s*\d{1,4})?(?:\s*页)?[\s\-—–·.]*$")
_FULL_LINE = 0.85  # of the longest usual line; a shorter one ends its paragraph


def pdf_text(data: bytes, source: str, max_pages: int | None) -> str:
    """Read a PDF.

    :param max_pages: refuse a file with more.
    :return: a paragraph a line.
    :raises DocumentError: as :func:`zhuti.documents.read_document` does.
    """
    from pypdf import PdfReader

    if b"%PDF-" not in data[:1024]:
        raise UnsupportedFormat(f"{source}: is not a PDF file (no %PDF- at its start)")
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise DocumentError(f"{source}: is encrypted; save it without a password")
        if max_pages is not None and len(reader.pages) > max_pages:
            raise DocumentTooLarge(f"{source}: has {len(reader.pages)} pages; at most {max_pages} are read")
        pages = [page.extract_text() for page in reader.pages]
    except (DocumentError, MemoryError):
        raise
    except Exception as error:  # damaged files make pypdf raise whatever its code meets
        raise DocumentError(f"{source}: is not a readable PDF file: {error or type(error).__name__}") from None
    return "\n".join(join_lines([_without_number(page.splitlines()) for page in pages]))


def _without_number(lines: list[str]) -> list[str]:
    """A page's lines without blank ones and without the page number in its first or last line."""
    lines = [line.strip() for line in lines if line.strip()]
    if lines and _PAGE_NUMBER.match(lines[-1]):
        del lines[-1]
    if lines and _PAGE_NUMBER.match(lines[0]):
        del lines[0]
    return lines


def join_lines(pages: list[list[str]]) -> list[str]:
    """Join lines that were broken only because the page is so wide, also from page to page.

    :param pages: the lines of each page.
    :return: paragraphs.
    """
    lines = [line for page in pages for line in page]
    widths = sorted(map(len, lines))
    full = _FULL_LINE * widths[int(0.9 * (len(widths) - 1))] if widths else 0
    paragraphs: list[str] = []
    joins = False
    for line in lines:
        if joins:
            latin = paragraphs[-1][-1].isascii() and line[0].isascii()
            paragraphs[-1] += (" " if latin else "") + line
        else:
            paragraphs.append(line)
        joins = len(line) >= full and not _ENDS.search(line)
    return paragraphs
