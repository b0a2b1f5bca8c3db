"""The text of a Word file: body, tables and text boxes in reading order; notes, headers and deleted text are left out.

The one part that holds the text is streamed through expat, which stops at a document type declaration: no entity
is ever declared or expanded, no tree is built, and the unpacked size is bounded before and while reading.
"""

from __future__ import annotations

import io
import zipfile
from xml.parsers import expat

from zhuti.documents import DocumentError, DocumentTooLarge, UnsupportedFormat

MAX_UNPACKED_BYTES = 64 * 2**20
_PART = "word/document.xml"
_MAIN = ("http://schemas.openxmlformats.org/wordprocessingml/2006/main", "http://purl.oclc.org/ooxml/wordprocessingml/main")
_BREAKS = {"tab": " ", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_LEFT_OUT = {"Fallback", "moveFrom"}  # the same content once more, for older programs or where it was moved away from
_CHUNK = 2**16


def docx_text(data: bytes, source: str) -> str:
    """:param data: a .docx file. :return: a paragraph a line. :raises DocumentError: if it is none, damaged, encrypted or huge."""
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnsupportedFormat(f"{source}: is an old .doc or an encrypted file; save it as .docx without a password")
    reader = _Paragraphs(source)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            info = package.getinfo(_PART)
            if info.file_size > MAX_UNPACKED_BYTES:
                raise DocumentTooLarge(f"{source}: its text unpacks to {info.file_size:,} bytes; at most {MAX_UNPACKED_BYTES:,} are read")
            with package.open(info) as part:
                while chunk := part.read(_CHUNK):
                    reader.parser.Parse(chunk)
                reader.parser.Parse(b"", True)
    except KeyError:
        raise UnsupportedFormat(f"{source}: is a zip archive without {_PART}; a Word file (.docx) is needed") from None
    except (DocumentError, MemoryError):
        raise
    except Exception as error:  # zipfile, zlib, lzma and expat share no narrower base
        raise DocumentError(f"{source}: is not a readable .docx file: {error}") from None
    return "\n".join(reader.lines)


class _Paragraphs:
    """Handlers that gather paragraphs; a text box's paragraphs come before the paragraph they hang on."""

    def __init__(self, source: str) -> None:
        self.lines: list[str] = []
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._data
        self.parser.buffer_text = True
        self._source = source
        self._open: list[list[str]] = []
        self._in_text = False
        self._left_out = 0

    def _refuse(self, *_: object) -> None:
        raise DocumentError(f"{self._source}: declares a document type, which no Word file does; it is not read")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        if local in _LEFT_OUT:
            self._left_out += 1
        if namespace not in _MAIN or self._left_out:
            return
        if local == "p":
            self._open.append([])
        elif local == "t":
            self._in_text = True
        elif local in _BREAKS and self._open:
            self._open[-1].append(_BREAKS[local])

    def _end(self, name: str) -> None:
        namespace, _, local = name.rpartition(" ")
        if local in _LEFT_OUT:
            self._left_out -= 1
        if namespace not in _MAIN or self._left_out:
            return
        if local == "t":
            self._in_text = False
        elif local == "p" and (line := "".join(self._open.pop()).strip()):
            self.lines.append(line)

    def _data(self, data: str) -> None:
        if self._in_text and self._open:
            self._open[-1].append(data)
