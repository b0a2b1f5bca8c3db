"""Read reports that are to be tagged: text in the encodings Chinese reports come in, Markdown, HTML, Word or PDF."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from zhuti.errors import ZhutiError

STDIN = "-"
SUFFIXES = (".txt", ".md", ".html", ".htm", ".docx", ".pdf")
_SAMPLE = 4000  # characters beyond ASCII that are looked at
_LIKELY = 0.6  # a smaller share of common characters means the wrong table
_FREQUENT = frozenset("的一是在不了有和人这中大为上个国我以要工作干部组织会年这個國為會組織幹")
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?([\w-]+)", re.IGNORECASE)
_HEAD = 4096
_SURROGATES = re.compile("[\ud800-\udfff]")  # halves of pairs, which PDFs may hold and no encoding can write
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
CHINESE = ("gb18030", "big5hkscs")  # each the widest of its family


class DocumentError(ZhutiError):
    """An input cannot be read; the message names it and says what is accepted."""


class UnsupportedFormat(DocumentError):
    """A file is of no kind that is read."""


class DocumentTooLarge(DocumentError):
    """A file has more pages or text than is allowed here."""


def read_bytes(path: Path) -> bytes:
    """:return: a file's bytes. :raises DocumentError: for a missing file, a folder, or one that may not be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise DocumentError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise DocumentError(f"{path}: is a directory; name the files in it") from None
    except OSError as error:
        raise DocumentError(f"{str(path)[:80]}: cannot be read: {error.strerror}") from error


def decode(data: bytes, source: str, declared: str | None = None) -> str:
    """Decode a text: by its byte order mark, else strict UTF-8, else GB18030 or Big5.

    :param data: the file's bytes.
    :param source: named in errors.
    :param declared: the encoding of :data:`CHINESE` to take where the text is too short to tell.
    :raises DocumentError: for binary data, other encodings and texts without a word.
    """
    text = _decode_marked(data, source, declared)
    if not text.strip():
        raise DocumentError(f"{source}: is empty; a text to tag is needed")
    return text


def _decode_marked(data: bytes, source: str, declared: str | None) -> str:
    for mark, encoding in BOMS:
        if data.startswith(mark):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError as error:
                raise DocumentError(
                    f"{source}: starts with a {encoding} mark but is not {encoding}: {error.reason} at byte {error.start}"
                ) from None
    if b"\0" in data:
        raise DocumentError(f"{source}: is a binary file (a zero byte at {data.index(0)}); a text in UTF-8, GB18030 or Big5 is needed")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        utf8_error = error
    texts = {encoding: text for encoding in CHINESE if (text := _decode_strict(data, encoding)) is not None}
    found = chinese_encoding(texts) or declared
    if found not in texts:
        raise DocumentError(
            f"{source}: is neither UTF-8 (byte {utf8_error.start}) nor Chinese text in GB18030 or Big5; convert it to UTF-8"
        )
    return texts[found]


def _declared_encoding(data: bytes) -> str | None:
    """:return: the Chinese encoding that an HTML page says it is in, if it says one."""
    declared = _CHARSET.search(data[:_HEAD])
    name = declared[1].lower() if declared else b""
    return "gb18030" if name.startswith(b"gb") else "big5hkscs" if name.startswith(b"big5") else None


def _decode_strict(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def chinese_encoding(texts: Mapping[str, str]) -> str | None:
    """Tell GB18030 from Big5, which decode much of each other without an error.

    :param texts: the same bytes decoded from those of :data:`CHINESE` that they are valid in.
    :return: the encoding with which they read as Chinese; None if they do with neither.
    """
    shares = {encoding: _share_of_common_characters(text, encoding) for encoding, text in texts.items()}
    best = max(shares, key=shares.__getitem__, default=None)
    if best is None or shares[best] < _LIKELY or not _FREQUENT.intersection(texts[best]):
        return None
    return best


def _share_of_common_characters(text: str, encoding: str) -> float:
    """Share of the non-ASCII characters that the encoding's level 1 or its punctuation holds.

    Text in the wrong one of the two decodes into rare characters; both standards sort the common ones first.
    """
    ranges = {"gb18030": ((0xA1, 0xA3), (0xB0, 0xD7)), "big5hkscs": ((0xA1, 0xA2), (0xA4, 0xC6))}[encoding]
    foreign = list(islice((char for char in text if ord(char) > 127), _SAMPLE))
    common = 0
    for char in foreign:
        code = char.encode(encoding, "replace")
        common += len(code) == 2 and any(low <= code[0] <= high for low, high in ranges)
    return common / max(1, len(foreign))


def read_document(data: bytes, source: str, *, suffix: str | None = None, max_pages: int | None = None) -> str:
    """Read a report by the ending of its name.

    :param data: the file's bytes.
    :param source: the file's name; it is named in errors too.
    :param suffix: read it as if its name ended so.
    :param max_pages: of a PDF; longer ones are refused.
    :return: its text, a paragraph a line.
    :raises UnsupportedFormat: for another ending, or content that is not what the ending says.
    :raises DocumentTooLarge: for more pages, or an archive that unpacks to too much.
    :raises DocumentError: for a file that is damaged, encrypted, undecodable or without text.
    """
    suffix = Path(source).suffix.lower() if suffix is None else suffix
    if suffix not in SUFFIXES:
        raise UnsupportedFormat(f"{source}: ends in {suffix or 'nothing'!r}; reports are read from {', '.join(SUFFIXES)}")
    if suffix == ".docx":
        from zhuti.docx import docx_text

        text = docx_text(data, source)
    elif suffix == ".pdf":
        from zhuti.pdf import pdf_text

        text = pdf_text(data, source, max_pages)
    else:
        text = decode(data, source, _declared_encoding(data) if suffix in (".html", ".htm") else None)
        if suffix in (".html", ".htm"):
            from zhuti.markup import html_text

            try:
                text = html_text(text)
            except MemoryError:
                raise
            except Exception as error:  # what Python's parser meets on broken pages has no narrower base
                raise DocumentError(f"{source}: is not a readable HTML page: {error}") from None
        elif suffix == ".md":
            from zhuti.markup import markdown_text

            text = markdown_text(text)
    text = _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", text)
    if not text.strip():
        raise DocumentError(f"{source}: holds no text to tag (a scan needs text recognition first)")
    return text


def suffix_of(data: bytes) -> str:
    """:return: the ending that a document without a name should have, by how it starts; ``.txt`` if nothing tells."""
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"%PDF-"):
        return ".pdf"
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):  # of an old .doc it is then said how to save it
        return ".docx"
    return ".html" if start.lower().startswith((b"<!doctype html", b"<html")) else ".txt"
