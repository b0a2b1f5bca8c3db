"""Read tables row by row with flat memory: CSV, JSONL and Parquet. What cannot be read comes as a reject in its place."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from serving.batch.arrow import python_rows
from serving.batch.inputs import TABLES, Input, read_errors
from zhuti.documents import STDIN, DocumentError

_PARQUET_ROWS = 2048
_BUFFER = 1 << 20  # of a column; else all of it that a row group holds is read at once
_LONGEST_FIELD = 1 << 26
_UNDECODED = re.compile("[\udc80-\udcff]")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


@dataclass(frozen=True, slots=True)
class Row:
    """One row with all its columns.

    :param number: line of a CSV or JSONL file, row of a Parquet file, from 1.
    """

    number: int
    columns: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reject:
    """What cannot be tagged: a row of a table or a sentence of a text, or a whole input where ``row`` is None."""

    file: str
    row: int | None
    reason: str

    def __str__(self) -> str:
        if self.row is None:
            return self.reason
        ending = Path(self.file).suffix.lower()
        noun = "row" if ending == ".parquet" else "line" if ending in TABLES or self.file == STDIN else "sentence"
        return f"{self.file}, {noun} {self.row}: {self.reason}"


class TableReader:
    """Rows of one table in order.

    :param source: a CSV, JSONL or Parquet input.
    """

    def __init__(self, source: Input) -> None:
        self.source = source
        self.bytes_read = 0

    def rows(self) -> Iterator[Row | Reject]:
        """:raises DocumentError: if the table as a whole cannot be read. :raises InputFailedError: if the machine fails."""
        reader = {"csv": self._csv, "jsonl": self._jsonl, "parquet": self._parquet}[self.source.kind]
        with read_errors(self.source):
            yield from reader()

    def columns(self) -> list[str]:
        """:return: the columns of a CSV or Parquet file. :raises DocumentError, InputFailedError: as :meth:`rows`."""
        if self.source.kind == "parquet":
            return list(self.arrow_schema().names)
        with read_errors(self.source), self._text("") as (_, file):
            return self._head(self._csv_lines(file))

    def arrow_schema(self) -> Any:
        """:return: the schema of a Parquet file. :raises DocumentError, InputFailedError: as :meth:`rows`."""
        with read_errors(self.source):
            return self._open_parquet().schema_arrow

    @contextmanager
    def _text(self, newline: str) -> Iterator[tuple[BinaryIO, io.TextIOWrapper]]:
        """The file's bytes, which know how far they are read, and its text; bytes that do not decode become lone surrogates."""
        with self.source.path.open("rb") as data:
            yield data, io.TextIOWrapper(data, self.source.encoding, "surrogateescape", newline)

    def _reject(self, number: int, reason: str) -> Reject:
        return Reject(self.source.name, number, reason)

    def _csv_lines(self, file: io.TextIOWrapper) -> Any:
        csv.field_size_limit(_LONGEST_FIELD)
        return csv.reader(file, strict=True)

    def _head(self, reader: Any) -> list[str]:
        try:
            head: list[str] = next(reader, [])
        except csv.Error as error:
            raise DocumentError(f"{self.source.name}: the head line is not CSV: {error}") from None
        if any(_UNDECODED.search(name) for name in head):
            raise DocumentError(f"{self.source.name}: the head line is not {self.source.encoding}")
        self._check_names(head)
        return head

    def _check_names(self, names: list[str]) -> None:
        double = sorted(name for name, times in Counter(names).items() if times > 1)
        if double:
            raise DocumentError(f"{self.source.name}: has two columns of the name {double[0]!r}")

    def _csv(self) -> Iterator[Row | Reject]:
        with self._text("") as (data, file):
            reader = self._csv_lines(file)
            names = self._head(reader)
            while True:
                first = reader.line_num + 1
                try:
                    fields = next(reader, None)
                except csv.Error as error:
                    yield self._csv_reject(first, reader.line_num, f"not CSV: {error}")
                    continue
                if fields is None:
                    return
                self.bytes_read = data.tell()
                if not fields:
                    continue
                if any(_UNDECODED.search(field) for field in fields):
                    yield self._csv_reject(first, reader.line_num, f"is not {self.source.encoding}, which the rest of the file is")
                elif len(fields) > len(names):
                    yield self._csv_reject(first, reader.line_num, f"more fields than the {len(names)} columns of the head line")
                else:
                    yield Row(reader.line_num, dict(zip(names, fields + [None] * (len(names) - len(fields)), strict=True)))

    def _csv_reject(self, first: int, last: int, reason: str) -> Reject:
        """:return: a reject that says how many lines it costs, where a quote that is not closed has made one row of them."""
        span = f"lines {first} to {last} are one row ({last - first + 1} lines within one pair of quotes): " if last > first else ""
        return self._reject(last, span + reason)

    def _jsonl(self) -> Iterator[Row | Reject]:
        with self._text("\n") as (data, file):
            for number, line in enumerate(file, 1):
                self.bytes_read = data.tell()
                if not line.strip():
                    continue
                if _UNDECODED.search(line):
                    yield self._reject(number, f"is not {self.source.encoding}, which the rest of the file is")
                    continue
                try:
                    columns = _JSON.decode(line)
                except (ValueError, RecursionError) as error:
                    yield self._reject(number, f"not JSON: {error}")
                    continue
                if isinstance(columns, dict):
                    if _SURROGATE_ESCAPE.search(line) and not _is_unicode(columns):
                        yield self._reject(number, "holds half of a surrogate pair, which is no character")
                    else:
                        yield Row(number, columns)
                else:
                    yield self._reject(number, f"expected a JSON object, found {type(columns).__name__}")

    def _open_parquet(self) -> Any:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            file = pq.ParquetFile(self.source.path, pre_buffer=False, buffer_size=_BUFFER)
        except MemoryError:
            raise
        except pa.ArrowException as error:
            raise DocumentError(f"{self.source.name}: is not a Parquet file: {error}") from None
        self._check_names(file.schema_arrow.names)
        return file

    def _parquet(self) -> Iterator[Row | Reject]:
        import pyarrow as pa

        file = self._open_parquet()
        number = 0
        total = max(1, file.metadata.num_rows)
        try:
            for batch in file.iter_batches(batch_size=_PARQUET_ROWS, use_threads=False):
                for columns in python_rows(batch):
                    number += 1
                    yield self._reject(number, columns) if isinstance(columns, str) else Row(number, columns)
                self.bytes_read = self.source.size * number // total
        except MemoryError:
            raise
        except pa.ArrowException as error:
            raise DocumentError(f"{self.source.name}: cannot be read after row {number}: {error}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    columns = dict(pairs)
    if len(columns) < len(pairs):
        [(name, _), *_] = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"the key {name!r} stands twice")
    return columns


_JSON = json.JSONDecoder(object_pairs_hook=_object)


def _is_unicode(columns: dict[str, Any]) -> bool:
    try:
        json.dumps(columns, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
