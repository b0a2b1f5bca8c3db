"""Write tagged rows as JSONL, CSV or Parquet, shard by shard, and join the shards into one file."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from serving.batch.arrow import scalar_text

if TYPE_CHECKING:
    import pyarrow as pa

Record = dict[str, Any]
_BLOCK = 1 << 20


class Writer(Protocol):
    """Writes records to a stream of bytes that its caller opened and closes."""

    def write(self, records: list[Record]) -> None: ...

    def finish(self) -> None:
        """Write what stands at the end of a file."""
        ...


class Layout(Protocol):
    """How an output's files look."""

    suffix: str

    def writer(self, out: BinaryIO) -> Writer: ...

    def join(self, shards: Iterable[Path], out: BinaryIO) -> None:
        """Write one file with the rows of all shards, with flat memory."""
        ...


def as_json(value: Any) -> str:
    """:return: JSON; what Parquet has and JSON has not becomes text (dates and the like) or null (NaN and infinity)."""
    try:
        return json.dumps(value, ensure_ascii=False, default=_as_text, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), ensure_ascii=False, default=_as_text)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def as_text(value: Any) -> str:
    """:return: a value as it stands in a column of text: lists, numbers and truth values as JSON, dates in ISO form."""
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, int, float)):
        return json.dumps(value)
    return as_json(value) if isinstance(value, (list, tuple, dict)) else _as_text(value)


def _as_text(value: Any) -> str:
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    if hasattr(value, "as_py"):
        return scalar_text(value)
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


class JsonLines:
    """One JSON object a line."""

    suffix = ".jsonl"

    def writer(self, out: BinaryIO) -> Writer:
        return _JsonLinesWriter(out)

    def join(self, shards: Iterable[Path], out: BinaryIO) -> None:
        for shard in shards:
            _copy(shard, out, 0)


class _JsonLinesWriter:
    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def write(self, records: list[Record]) -> None:
        self._out.write("".join(as_json(record) + "\n" for record in records).encode("utf-8"))

    def finish(self) -> None:
        pass


class Csv:
    """A head line, then one line a record; themes and their scores are joined by ``|``, other lists are JSON.

    :param columns: names of the columns before the results.
    """

    suffix = ".csv"

    def __init__(self, columns: list[str], *, explain: bool) -> None:
        self._names = [*columns, "role", "primary", "uncertain", "themes", "scores", *(["evidence"] if explain else [])]

    def writer(self, out: BinaryIO) -> Writer:
        return _CsvWriter(out, self._names)

    def join(self, shards: Iterable[Path], out: BinaryIO) -> None:
        head = io.BytesIO()
        self.writer(head)
        out.write(head.getvalue())
        for shard in shards:
            _copy(shard, out, len(head.getvalue()))


class CsvLines(list[str]):
    """Takes lines of a CSV writer; it quotes what its line end holds, so that is ``\\r\\n`` for it and ``\\n`` in the file."""

    def write(self, line: str) -> None:
        self.append(line.removesuffix("\r\n") + "\n")


class _CsvWriter:
    def __init__(self, out: BinaryIO, names: list[str]) -> None:
        self._out = out
        self._names = names
        self._put([dict(zip(names, names, strict=True))])

    def write(self, records: list[Record]) -> None:
        flat = []
        for record in records:
            themes = record["themes"]
            joined = {"themes": "|".join(theme["code"] for theme in themes), "scores": "|".join(str(theme["score"]) for theme in themes)}
            flat.append({name: None if value is None else as_text(value) for name, value in (record | joined).items()})
        self._put(flat)

    def _put(self, rows: list[Record]) -> None:
        lines = CsvLines()
        csv.DictWriter(lines, self._names, lineterminator="\r\n").writerows(rows)
        self._out.write("".join(lines).encode("utf-8"))

    def finish(self) -> None:
        pass


class Parquet:
    """Parquet with a fixed schema; a shard's rows are the row groups of the joined file."""

    suffix = ".parquet"

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema

    def writer(self, out: BinaryIO) -> Writer:
        return _ParquetWriter(out, self._schema)

    def join(self, shards: Iterable[Path], out: BinaryIO) -> None:
        import pyarrow.parquet as pq

        with pq.ParquetWriter(out, self._schema, compression="zstd") as joined:
            for shard in shards:
                joined.write_table(pq.read_table(shard, schema=self._schema, partitioning=None))


class _ParquetWriter:
    def __init__(self, out: BinaryIO, schema: pa.Schema) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._file = pq.ParquetWriter(out, schema, compression="zstd")
        self._schema = schema
        self._texts = {field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)}

    def write(self, records: list[Record]) -> None:
        import pyarrow as pa

        for record in records:
            for name in self._texts:
                if record.get(name) is not None:
                    record[name] = as_text(record[name])
        self._file.write_table(pa.Table.from_pylist(records, schema=self._schema))

    def finish(self) -> None:
        self._file.close()


def _copy(shard: Path, out: BinaryIO, skip: int) -> None:
    with shard.open("rb") as file:
        file.seek(skip)
        while block := file.read(_BLOCK):
            out.write(block)
