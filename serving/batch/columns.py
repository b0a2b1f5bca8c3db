"""The columns of an output with a fixed head (CSV, Parquet), known before its first row is written."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

from serving.batch.inputs import Input
from serving.batch.stream import DOCUMENT_COLUMN, Reading
from serving.batch.tables import Row, TableReader
from zhuti.documents import DocumentError

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS = 4096


def input_columns(inputs: Iterable[Input], reading: Reading) -> list[str]:
    """:return: names of all columns that come out before the themes, in order of first appearance; JSONL is read through for them."""
    names: dict[str, None] = {}
    for source in inputs:
        if source.problem or (source.kind == "text" and reading.sentence):
            continue
        if source.kind == "text":
            names |= dict.fromkeys(([DOCUMENT_COLUMN] if reading.named else []) + ["index", "start", "end", "text"])
            continue
        try:
            reader = TableReader(source)
            if source.kind == "jsonl":
                for row in reader.rows():
                    if isinstance(row, Row):
                        names |= dict.fromkeys(reading.names(row.columns))
            else:
                names |= dict.fromkeys(reading.names(reader.columns()))
        except DocumentError:
            continue  # becomes a reject when it is read
        if not reading.sentence:
            names |= dict.fromkeys(("index", "start", "end"))
    return list(names)


def parquet_schema(names: list[str], inputs: Iterable[Input], reading: Reading, *, explain: bool) -> pa.Schema:
    """The Arrow schema of the output: Parquet inputs keep their types, JSONL gets what its values are, CSV is text.

    A column whose values have no common type becomes text, as JSON.
    """
    import pyarrow as pa

    types: dict[str, pa.DataType] = {"index": pa.int64(), "start": pa.int64(), "end": pa.int64()} if not reading.sentence else {}
    for source in inputs:
        if source.problem or (source.kind == "text" and reading.sentence):
            continue
        try:
            for name, type_ in _types(source, reading):
                types[name] = _common(types.get(name, pa.null()), type_)
        except DocumentError:
            continue
    fields = [pa.field(name, pa.string() if types.get(name, pa.null()) == pa.null() else types[name]) for name in names]
    theme = pa.struct([("code", pa.string()), ("parent", pa.string()), ("score", pa.float64())])
    fields += [("role", pa.string()), ("primary", pa.string()), ("uncertain", pa.bool_()), ("themes", pa.list_(theme))]
    if explain:
        near = pa.struct([("id", pa.string()), ("text", pa.string()), ("labels", pa.list_(pa.string())), ("similarity", pa.float64())])
        fields.append(("evidence", pa.list_(near)))
    return pa.schema(fields)


def _types(source: Input, reading: Reading) -> Iterable[tuple[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if source.kind == "text":
        yield from ((name, pa.string()) for name in (DOCUMENT_COLUMN, "text"))
    elif source.kind == "parquet":
        try:
            schema = pq.read_schema(source.path)
            yield from zip(reading.names(schema.names), schema.types, strict=True)
        except (pa.ArrowException, OSError) as error:
            raise DocumentError(str(error)) from None
    elif source.kind == "csv":
        yield from ((name, pa.string()) for name in reading.names(TableReader(source).columns()))
    else:
        tables = (row.columns for row in TableReader(source).rows() if isinstance(row, Row))
        rows = (dict(zip(reading.names(columns), columns.values(), strict=True)) for columns in tables)
        while some := list(islice(rows, _ROWS)):
            for name in dict.fromkeys(name for row in some for name in row):
                try:
                    yield name, pa.array([row.get(name) for row in some]).type
                except (pa.ArrowException, TypeError, OverflowError):
                    yield name, pa.string()


def _common(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    """:return: a type that holds both; text where there is none."""
    import pyarrow as pa

    schemas = [pa.schema([("x", one)]), pa.schema([("x", other)])]
    try:
        return pa.unify_schemas(schemas, promote_options="permissive").field("x").type
    except pa.ArrowException:
        return pa.string()
