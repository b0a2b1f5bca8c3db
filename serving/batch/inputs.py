"""What is to be tagged: files, folders, globs and standard input become a fixed list of inputs, each with its hash."""

from __future__ import annotations

import codecs
import glob
import hashlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from zhuti.documents import BOMS, CHINESE, STDIN, SUFFIXES, DocumentError, chinese_encoding
from zhuti.errors import ZhutiError

Kind = Literal["text", "csv", "jsonl", "parquet"]
TABLES: dict[str, Kind] = {".csv": "csv", ".jsonl": "jsonl", ".parquet": "parquet"}
_BLOCK = 1 << 20
_SAMPLE = 1 << 16
_UNDECODED = re.compile("[\udc80-\udcff]")
_JSON_OBJECT = re.compile(rb"[\xef\xbb\xbf\xff\xfe\0 \t\r\n]*\{")
_JSON_ROW = re.compile(_JSON_OBJECT.pattern + rb"[\0 \t]*\"")


@dataclass(frozen=True, slots=True)
class Input:
    """One file, ready to be read.

    :param name: as it is given, found in a folder, or ``-``; printable.
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


class NothingToReadError(ZhutiError):
    """All that was named is the run's own output."""


class InputFailedError(ZhutiError):
    """An input could be read when its hash was taken and cannot be read now, for a reason that may pass.

    It ends the run: as a reject, it would change what an unfinished run is gone on with.
    """


@contextmanager
def read_errors(source: Input) -> Iterator[None]:
    """Tell damaged content from a machine that fails, which has an error number or no memory.

    :raises DocumentError: for content, which costs this input alone.
    :raises InputFailedError: for the machine.
    """
    try:
        yield
    except UnicodeError as error:
        raise DocumentError(f"{source.name}: is not {source.encoding or 'UTF-8'}: {error}") from None
    except (OSError, MemoryError) as error:
        if isinstance(error, OSError) and error.errno is None:  # as Arrow raises it for what is no Parquet
            raise DocumentError(f"{source.name}: cannot be read: {error}") from None
        why = "not enough memory" if isinstance(error, MemoryError) else error.strerror
        raise InputFailedError(f"{source.name}: could be read when the batch began and cannot be read now: {why}") from error


def list_inputs(sources: Iterable[str], *, rows: bool, leave_out: Iterable[Path] = ()) -> tuple[list[Input], list[str]]:
    """Find and hash all inputs, each file once; the order is that of the arguments, and by name within a folder or glob.

    :param sources: files, folders (searched to the bottom), globs, or ``-``.
    :param rows: whether standard input holds the rows of a table in any case; else only where it starts like JSONL or Parquet.
    :param leave_out: the run's own output, which may lie in a folder that is read.
    :return: the inputs, those that cannot be read among them, and a note for each folder in which other files were left out.
    :raises NothingToReadError: if nothing is left, before anything is written.
    """
    inputs: list[Input] = []
    notes: list[str] = []
    own = {path.resolve() for path in leave_out}
    seen: set[str] = set()
    for source in dict.fromkeys(sources):
        if source == STDIN:
            copy = _spool()
            inputs.append(_hashed(STDIN, copy, _kind_of_stdin(copy, rows)))
            continue
        try:
            files, note, problems = _files(source, own)
        except OSError as error:
            files, note, problems = [], "", {source: f"{source[:80]}: cannot be read: {error.strerror}"}
        notes += [note] if note else []
        inputs += [Input(printable(name), "text", Path(name), problem=printable(problem)) for name, problem in problems.items()]
        for file in files:
            if (real := os.path.realpath(file)) in seen:
                continue
            seen.add(real)
            name = source if file == Path(source) else str(file)  # one that was named keeps its ./
            inputs.append(_hashed(printable(name), file, TABLES.get(file.suffix.lower(), "text")))
    if not inputs:
        raise NothingToReadError("nothing to tag: " + "; ".join(notes))
    return inputs, notes


def given_text(text: str) -> Input:
    """:return: a text that stands on the command line."""
    data = text.encode("utf-8")
    return Input("--text", "text", Path("--text"), len(data), hashlib.sha256(data).hexdigest(), text=text)


def printable(name: str) -> str:
    """:return: a name that can be written as UTF-8; bytes of it that are not come as lone surrogates and become ``\\xff``."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _files(source: str, own: set[Path]) -> tuple[list[Path], str, dict[str, str]]:
    """:return: the files that a file's, folder's or glob's name stands for, a note on what is left out, and what cannot be looked into."""
    path = Path(source)
    if path.is_dir():
        found, other, problems = _folder(path, own)
        kinds = ", ".join(sorted({file.suffix or file.name for file in other}))
        note = f"{source}: {len(other)} files of other kinds left out ({kinds})" if other else ""
        if not found and not problems:
            problems = {source: f"{source}: is a directory without files of the kinds {', '.join((*SUFFIXES, *TABLES))}"}
        return found, note, problems
    if path.exists() or not glob.has_magic(source):
        mine = path.exists() and _inside(path, own)
        return ([], f"{source}: is of this run's own output, left out", {}) if mine else ([path], "", {})
    return _matches(source, own)


def _matches(pattern: str, own: set[Path]) -> tuple[list[Path], str, dict[str, str]]:
    """:return: the files that a glob names and those in the folders that it names, as :func:`_files` does."""
    found: list[Path] = []
    problems: dict[str, str] = {}
    matches = [Path(name) for name in sorted(glob.glob(pattern, recursive=True))]  # noqa: PTH207 (takes absolute patterns)
    if "**" in Path(pattern).parts:  # names what is in the folders too
        matches = [match for match in matches if not match.is_dir()]
    for match in matches:
        if match.is_dir():
            inside, _, unread = _folder(match, own)
            found += inside
            problems |= unread
        elif _may_be_file(match) and not _inside(match, own):
            found.append(match)
    return found, "", problems if found or problems else {pattern: f"{pattern}: no file has a name like this"}


def _folder(folder: Path, own: set[Path]) -> tuple[list[Path], list[Path], dict[str, str]]:
    """:return: the files below a folder of the kinds that are read, the other files, and why a folder there cannot be looked into."""
    found: list[Path] = []
    other: list[Path] = []
    problems: dict[str, str] = {}

    def note(error: OSError) -> None:
        problems[error.filename] = f"{error.filename}: is a folder that cannot be read: {error.strerror}"

    entered: set[str] = set()
    for place, folders, names in os.walk(folder, onerror=note, followlinks=True):
        if (real := os.path.realpath(place)) in entered:  # a link to a folder above would go round for ever
            folders.clear()
            continue
        entered.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for file in (Path(place, name) for name in names if not name.startswith(".")):
            if _may_be_file(file) and not _inside(file, own):
                (found if file.suffix.lower() in (*SUFFIXES, *TABLES) else other).append(file)
    return sorted(found), other, problems


def _may_be_file(path: Path) -> bool:
    """Whether it is a file, or a link to nothing or something out of reach, which is told when it is read."""
    try:
        return path.is_file() or not path.exists()
    except OSError:
        return True


def _inside(file: Path, own: set[Path]) -> bool:
    resolved = Path(os.path.realpath(file))
    return resolved in own or any(parent in own for parent in resolved.parents)


def _spool() -> Path:
    """Copy standard input to a file of its own, so that it can be hashed, sized and read again; removed at the end of the process."""
    import atexit

    with tempfile.NamedTemporaryFile(prefix="zhuti-stdin-", delete=False) as copy:
        path = Path(copy.name)
        atexit.register(path.unlink, missing_ok=True)
        shutil.copyfileobj(sys.stdin.buffer, copy, _BLOCK)
    return path


def _kind_of_stdin(path: Path, rows: bool) -> Kind:
    """What has no file's name: Parquet by its mark, JSONL by ``{"``; where rows are expected ``{`` is enough, and the rest is CSV."""
    with path.open("rb") as file:
        start = file.read(_SAMPLE)
    if start.startswith(b"PAR1"):
        return "parquet"
    if _JSON_ROW.match(start):
        return "jsonl"
    return "text" if not rows else "jsonl" if _JSON_OBJECT.match(start) else "csv"


def _hashed(name: str, path: Path, kind: Kind) -> Input:
    label = "standard input" if name == STDIN else name
    try:
        if not path.exists():
            raise DocumentError(f"{label}: is a link to what is not there" if path.is_symlink() else f"{label}: no such file")
        if not path.is_file():
            raise DocumentError(f"{label}: is a pipe or a device, which can be read only once; send it to standard input instead")
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

    :return: where nothing fits as a whole, what leaves the fewest bytes undecoded; the rows with those are then rejected one by one.
    """
    with path.open("rb") as file:
        start = file.read(4)
    for mark, encoding in BOMS:
        if start.startswith(mark):
            return encoding
    if _decodes(path, "utf-8"):
        return "utf-8"
    sample = _beyond_ascii(path)
    texts = {encoding: sample.decode(encoding, "ignore") for encoding in CHINESE}
    if found := chinese_encoding({encoding: text for encoding, text in texts.items() if _decodes(path, encoding)}):
        return found
    likely = ["utf-8", *filter(None, [chinese_encoding(texts)])]
    return min(likely, key=lambda encoding: len(_UNDECODED.findall(sample.decode(encoding, "surrogateescape"))))


def _beyond_ascii(path: Path) -> bytes:
    """:return: some of a file from its first byte on that is not ASCII; a table may begin with pages of figures."""
    with path.open("rb") as file:
        for block in iter(lambda: file.read(_BLOCK), b""):
            place = next((place for place, byte in enumerate(block) if byte > 127), None)
            if place is not None:
                return block[place : place + _SAMPLE] + file.read(max(0, _SAMPLE - len(block) + place))
    return b""


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for block in _blocks(path):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
