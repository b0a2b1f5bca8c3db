"""From inputs to sentences, each with the columns it goes out with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from serving.batch.inputs import Input, InputFailedError, read_errors
from serving.batch.tables import Reject, Row, TableReader
from zhuti.documents import STDIN, SUFFIXES, DocumentError, read_document, suffix_of
from zhuti.errors import ZhutiError
from zhuti.text import Unit, iterate_units, single_unit

DOCUMENT_COLUMN = "document"
_RESULTS = ("role", "primary", "uncertain", "themes", "scores", "evidence")
_PLACES = ("index", "start", "end")
_OTHER_TABLES = (".json", ".ndjson", ".tsv", ".xlsx", ".xls", ".ods")


@dataclass(frozen=True, slots=True)
class Reading:
    """How inputs become sentences.

    :param sentence: a table's row is one sentence; else its text is a document and is split.
    :param text_column: the column with the text.
    :param document_column: rows that follow each other with the same value in it give each other context; None: ``document``, if there.
    :param named: whether sentences of text files carry their file's name as ``document``.
    """

    sentence: bool
    text_column: str
    document_column: str | None
    named: bool

    def names(self, columns: Iterable[str]) -> tuple[str, ...]:
        """The names under which a table's own columns go out: one that has a result's name gets ``input_`` before it."""
        return _outgoing(tuple(columns), _RESULTS if self.sentence else (*_PLACES, *_RESULTS))

    @property
    def naming_column(self) -> str:
        """The column that names a table's reports, as it goes out."""
        [name] = self.names([self.document_column or DOCUMENT_COLUMN])
        return name


@lru_cache(maxsize=1024)
def _outgoing(columns: tuple[str, ...], results: tuple[str, ...]) -> tuple[str, ...]:
    names = []
    taken = {*columns, *results}
    for name in columns:
        if name in results:
            while name in taken:
                name = f"input_{name}"
            taken.add(name)
        names.append(name)
    return tuple(names)


@dataclass(frozen=True, slots=True)
class Item:
    """A sentence to be tagged.

    :param source: its input's name.
    :param key: sentences with the same key that follow each other are one document.
    :param row: of its table, as rejects name it; in a text the sentence's number, from 1.
    :param columns: what goes out before the themes.
    :param document: the text that the unit's offsets lie in; one string for all units of a document.
    """

    source: str
    key: tuple[Any, ...]
    row: int
    columns: dict[str, Any]
    unit: Unit
    document: str


class Stream:
    """All sentences and rejects of the inputs, in order; the same inputs always give the same stream."""

    def __init__(self, inputs: Iterable[Input], reading: Reading) -> None:
        self._inputs = list(inputs)
        self._reading = reading
        self._bytes_before = 0
        self._bytes_here = 0

    @property
    def bytes_read(self) -> int:
        """How much of the inputs has been read."""
        return self._bytes_before + self._bytes_here

    def events(self) -> Iterator[Item | Reject]:
        for place, source in enumerate(self._inputs):
            try:
                if source.problem:
                    raise DocumentError(source.problem)
                with read_errors(source):
                    yield from (self._text_items if source.kind == "text" else self._table_items)(place, source)
            except DocumentError as error:
                yield Reject(source.name, None, str(error))
            except InputFailedError:
                _check_unchanged(source)
                raise
            except Exception as error:  # whatever a reader meets in a strange file: the others are still to be tagged
                yield Reject(source.name, None, f"{source.name}: cannot be read: {type(error).__name__}: {error}")
            _check_unchanged(source)
            self._bytes_before += source.size
            self._bytes_here = 0

    def _text_items(self, place: int, source: Input) -> Iterator[Item]:
        if self._reading.sentence:
            suffix = source.path.suffix or "no ending"
            raise DocumentError(f"{source.name}: sentences are read from .jsonl, .csv or .parquet files, found {suffix!r}")
        text = source.text if source.text is not None else _read_document(source)
        head = {DOCUMENT_COLUMN: source.name} if self._reading.named else {}
        for unit in iterate_units(text):
            self._bytes_here = source.size * unit.end // len(text)
            columns = head | {"index": unit.index, "start": unit.start, "end": unit.end, "text": unit.text}
            yield Item(source.name, (place,), unit.index + 1, columns, unit, text)

    def _table_items(self, place: int, source: Input) -> Iterator[Item | Reject]:
        reader = TableReader(source)
        if source.kind != "jsonl":
            self._check_columns(source, reader.columns())
        run = 0
        previous: Any = None
        for row in reader.rows():
            self._bytes_here = reader.bytes_read
            problem = row if isinstance(row, Reject) else self._problem(row, source)
            if problem is not None:
                yield problem
                continue
            assert isinstance(row, Row)
            text = row.columns[self._reading.text_column]
            if not self._reading.sentence:
                for unit in iterate_units(text):
                    places = {"index": unit.index, "start": unit.start, "end": unit.end}
                    columns = row.columns | {self._reading.text_column: unit.text}
                    yield Item(source.name, (place, row.number), row.number, self._renamed(columns) | places, unit, text)
                continue
            document = row.columns.get(self._reading.document_column or DOCUMENT_COLUMN)
            run += document in (None, "") or document != previous
            previous = document
            yield Item(source.name, (place, run), row.number, self._renamed(row.columns), single_unit(text), text)

    def _renamed(self, columns: dict[str, Any]) -> dict[str, Any]:
        return dict(zip(self._reading.names(columns), columns.values(), strict=True))

    def _check_columns(self, source: Input, columns: list[str]) -> None:
        for name in (self._reading.text_column, self._reading.document_column):
            if name is not None and name not in columns:
                raise DocumentError(f"{source.name}: no column {name!r}; found {', '.join(columns) or 'none'}")

    def _problem(self, row: Row, source: Input) -> Reject | None:
        """What keeps a row from being tagged."""
        text = row.columns.get(self._reading.text_column, "no such column")
        if self._reading.text_column not in row.columns or not isinstance(text, str) or not text.strip():
            shown = text if len(repr(text)) < 200 else type(text).__name__
            wanted = "sentence" if self._reading.sentence else "text"
            return Reject(source.name, row.number, f"{self._reading.text_column!r} must be a {wanted}, found {shown!r}")
        if self._reading.document_column is not None and self._reading.document_column not in row.columns:
            return Reject(source.name, row.number, f"no column {self._reading.document_column!r}")
        return None


class InputChangedError(ZhutiError):
    """An input was written to while the batch was running."""


def _check_unchanged(source: Input) -> None:
    """:raises InputChangedError: if an input is no longer the one whose hash was taken."""
    if source.problem or source.text is not None:
        return
    try:
        now = source.path.stat()
    except OSError as error:
        raise InputChangedError(f"{source.name}: has gone while the batch was running: {error.strerror}") from None
    if (now.st_size, now.st_mtime_ns) != (source.size, source.modified):
        raise InputChangedError(f"{source.name}: was changed while the batch was running; what is tagged of it cannot be relied on")


def _read_document(source: Input) -> str:
    """The text of one report; a file that was named may have any ending, and a strange one is read as what it starts like."""
    data = source.path.read_bytes()
    if source.name == STDIN:
        return read_document(data, "standard input", suffix=suffix_of(data))
    ending = source.path.suffix.lower()
    if ending in _OTHER_TABLES:
        raise DocumentError(f"{source.name}: tables are read from .jsonl, .csv or .parquet files, found {ending!r}")
    return read_document(data, source.name, suffix=ending if ending in SUFFIXES else suffix_of(data))
