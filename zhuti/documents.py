"""Read documents that are to be tagged: text files in the encodings Chinese reports come in."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Any

STDIN = "-"
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class DocumentError(ValueError):
    """An input cannot be read; the message names it and says what is accepted."""


def read_bytes(path: Path) -> bytes:
    """:return: a file's bytes. :raises DocumentError: for a missing file, a folder, or one that may not be read."""
    if path.is_dir():
        raise DocumentError(f"{path}: is a directory; name the files in it")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise DocumentError(f"{path}: no such file") from None
    except OSError as error:
        raise DocumentError(f"{path}: cannot be read: {error.strerror}") from error


def decode(data: bytes, source: str) -> str:
    """Decode a text: by its byte order mark, else strict UTF-8, else GB18030 or Big5.

    :param data: the file's bytes.
    :param source: named in errors.
    :raises DocumentError: for binary data, other encodings and texts without a word.
    """
    text = _decode_marked(data, source)
    if not text.strip():
        raise DocumentError(f"{source}: is empty; a text to tag is needed")
    return text


def _decode_marked(data: bytes, source: str) -> str:
    for mark, encoding in _BOMS:
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
    candidates = [(encoding, text) for encoding in ("gb18030", "big5") if (text := _decode_strict(data, encoding)) is not None]
    if not candidates:
        raise DocumentError(f"{source}: is neither UTF-8 (byte {utf8_error.start}) nor GB18030 nor Big5; convert it to UTF-8") from None
    return max(candidates, key=lambda candidate: share_of_common_characters(candidate[1], candidate[0]))[1]


def _decode_strict(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def share_of_common_characters(text: str, encoding: str) -> float:
    """Share of the non-ASCII characters that the encoding's level 1 or its punctuation holds.

    Text in the wrong one of the two decodes into rare characters; both standards sort the common ones first.
    """
    ranges = {"gb18030": ((0xA1, 0xA3), (0xB0, 0xD7)), "big5": ((0xA1, 0xA2), (0xA4, 0xC6))}[encoding]
    foreign = [char for char in text[:4000] if ord(char) > 127]
    common = 0
    for char in foreign:
        code = char.encode(encoding, "replace")
        common += len(code) == 2 and any(low <= code[0] <= high for low, high in ranges)
    return common / max(1, len(foreign))


def read_text(source: str, stdin: Any) -> str:
    """:param source: a path, or ``-`` for ``stdin`` (a binary stream). :return: the decoded text."""
    if source == STDIN:
        return decode(stdin.read(), "standard input")
    return decode(read_bytes(Path(source)), source)
