"""What is to be tagged: files, folders, globs and standard input become a fixed list of inputs, each with its hash."""

from __future__ import annotations

import codecs
import glob
import hashlib
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from zhuti.documents import STDIN, DocumentError, share_of_common_characters

Kind = Literal["text", "csv", "jsonl", "parquet"]
TABLES: dict[str, Kind] = {".csv": "csv", ".jsonl": "jsonl", ".parquet": "parquet"}
TEXTS = (".txt", ".md")  # endings taken from folders; a file that is named may have any. Further readers of documents: add theirs here
_BLOCK = 1 << 20
_SAMPLE = 1 << 16
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True)
class Input:
    """One file, ready to be read.

    :param name: as it is given, found in a folder, or ``-``.
    :param kind: how it is read.
    :param path: where its bytes are: the file, or the copy of standard input.
    :param size: in bytes.
    :param sha256: of its bytes; empty where it could not be read.
    :param encoding: of CSV and JSONL; other kinds find out when they are read.
    :param modified: time of the file's last change, in ns.
    :param problem: why it cannot be read, else empty.
    :param text: a text given on the command line instead of a file.
    """

    name: str
    kind: Kind
    path: Path
    size: int = 0
    sha256: str = ""
    encoding: str = ""
    modified: int = 0
    problem: str = ""
    text: str | None = None


def list_inputs(sources: Iterable[str], *, rows: bool, leave_out: Iterable[Path] = ()) -> tuple[list[Input], list[str]]:
    """Find and hash all inputs; the order is that of the arguments, and by name within a folder or glob.

    :param sources: files, folders (searched to the bottom), globs, or ``-``.
    :param rows: whether standard input holds JSONL rows rather than a text.
    :param leave_out: the run's own output, which may lie in a folder that is read.
    :return: the inputs, those that cannot be read among them, and a note for each folder in which other files were left out.
    """
    inputs: list[Input] = []
    notes: list[str] = []
    own = {path.resolve() for path in leave_out}
    for source in sources:
        if source == STDIN:
            inputs.append(_hashed(STDIN, _spool(), "jsonl" if rows else "text"))
            continue
        path = Path(source)
        if path.is_dir():
            found, other = _folder(path, own)
            if other:
                notes.append(
                    f"{source}: {len(other)} files of other kinds left out ({', '.join(sorted({p.suffix or p.name for p in other}))})"
                )
            if not found:
                problem = f"{source}: is a directory without files of the kinds {', '.join((*TEXTS, *TABLES))}"
                inputs.append(Input(source, "text", path, problem=problem))
        elif not path.exists() and glob.has_magic(source):
            found = [Path(name) for name in sorted(glob.glob(source, recursive=True))]  # noqa: PTH207 (takes absolute patterns)
            found = [file for file in found if file.is_file() and not _inside(file, own)]
            if not found:
                inputs.append(Input(source, "text", path, problem=f"{source}: no file has a name like this"))
        else:
            found = [path]
        inputs.extend(_hashed(source if file is path else str(file), file, TABLES.get(file.suffix.lower(), "text")) for file in found)
    return inputs, notes


def _folder(folder: Path, own: set[Path]) -> tuple[list[Path], list[Path]]:
    """:return: the files below a folder that can be read, and the others; hidden ones are neither."""
    found: list[Path] = []
    other: list[Path] = []
    for file in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
        if hidden or not file.is_file() or _inside(file, own):
            continue
        (found if file.suffix.lower() in (*TEXTS, *TABLES) else other).append(file)
    return found, other


def _inside(file: Path, own: set[Path]) -> bool:
    resolved = file.resolve()
    return resolved in own or any(parent in own for parent in resolved.parents)


def _spool() -> Path:
    """Copy standard input to a file of its own, so that it can be hashed, sized and read again; removed at the end of the process."""
    import atexit

    with tempfile.NamedTemporaryFile(prefix="zhuti-stdin-", delete=False) as copy:
        path = Path(copy.name)
        atexit.register(path.unlink, missing_ok=True)
        shutil.copyfileobj(sys.stdin.buffer, copy, _BLOCK)
    return path


def _hashed(name: str, path: Path, kind: Kind) -> Input:
    label = "standard input" if name == STDIN else name
    try:
        if not path.exists():
            raise DocumentError(f"{label}: no such file")
        before = path.stat()
        digest = hashlib.sha256()
        for block in _blocks(path):
            digest.update(block)
        encoding = find_encoding(path) if kind in ("csv", "jsonl") else ""
        if before.st_size == 0:
            raise DocumentError(f"{label}: is empty; a text to tag is needed")
        return Input(name, kind, path, before.st_size, digest.hexdigest(), encoding, before.st_mtime_ns)
    except DocumentError as error:
        return Input(name, kind, path, problem=str(error))
    except OSError as error:
        return Input(name, kind, path, problem=f"{label}: cannot be read: {error.strerror}")


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def find_encoding(path: Path) -> str:
    """Find a long text's encoding without holding it: its byte order mark, else strict UTF-8, else GB18030 or Big5.

    :return: UTF-8 also where nothing fits as a whole; the rows that do not decode are then rejected one by one.
    """
    with path.open("rb") as file:
        sample = file.read(_SAMPLE)
    for mark, encoding in _BOMS:
        if sample.startswith(mark):
            return encoding
    if _decodes(path, "utf-8"):
        return "utf-8"
    fitting = [encoding for encoding in ("gb18030", "big5") if _decodes(path, encoding)]
    texts = {encoding: sample.decode(encoding, "ignore") for encoding in fitting}
    return max(fitting, key=lambda encoding: share_of_common_characters(texts[encoding], encoding), default="utf-8")


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for block in _blocks(path):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
