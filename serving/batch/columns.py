"""The columns of an output with a fixed head (CSV, Parquet), known before its first row is written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
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
        heads = (row.keys() for row in _json_rows(source)) if source.kind == "jsonl" else _head(source)
        some = False
        for head in heads:
            names |= dict.fromkeys(reading.names(head))
            some = True
        if some and not reading.sentence:
            names |= dict.fromkeys(("index", "start", "end"))
    return list(names)


def _head(source: Input) -> Iterator[list[str]]:
    with suppress(DocumentError):  # the input becomes a reject when it is read
        yield TableReader(source).columns()


def _json_rows(source: Input) -> Iterator[dict[str, Any]]:
    """The rows of a JSONL file as far as it can be read."""
    with suppress(DocumentError):
        yield from (row.columns for row in TableReader(source).rows() if isinstance(row, Row))


def parquet_schema(names: list[str], inputs: Iterable[Input], reading: Reading, *, explain: bool) -> pa.Schema:
    """The Arrow schema of the output: Parquet inputs keep their types, JSONL gets what its values are, CSV is text.

    A column whose values have no common type becomes text, as JSON, and so do JSON objects, whose keys may differ, and
    large integers, decimals and times whose type is not the same in all inputs.
    """
    import pyarrow as pa

    types: dict[str, pa.DataType] = {"index": pa.int64(), "start": pa.int64(), "end": pa.int64()} if not reading.sentence else {}
    exact: dict[str, set[pa.DataType]] = defaultdict(set)  # of columns with values that another type may not hold
    for source in inputs:
        if source.problem or (source.kind == "text" and reading.sentence):
            continue
        try:
            for name, type_, is_exact in _types(source, reading):
                types[name] = _common(types.get(name, pa.null()), type_)
                if is_exact:
                    exact[name].add(type_)
        except DocumentError:
            continue
    for name in names:
        if types.get(name, pa.null()) == pa.null() or exact[name] - {types[name]}:
            types[name] = pa.string()
    fields = [pa.field(name, types[name]) for name in names]
    theme = pa.struct([("code", pa.string()), ("parent", pa.string()), ("score", pa.float64())])
    fields += [("role", pa.string()), ("primary", pa.string()), ("uncertain", pa.bool_()), ("themes", pa.list_(theme))]
    if explain:
        near = pa.struct([("id", pa.string()), ("text", pa.string()), ("labels", pa.list_(pa.string())), ("similarity", pa.float64())])
        fields.append(("evidence", pa.list_(near)))
    return pa.schema(fields)


def _types(source: Input, reading: Reading) -> Iterable[tuple[str, Any, bool]]:
    """:return: names of columns with a type, and whether another type may not hold its values."""
    import pyarrow as pa

    if source.kind == "text":
        yield from ((name, pa.string(), False) for name in (DOCUMENT_COLUMN, "text"))
    elif source.kind == "parquet":
        schema = TableReader(source).arrow_schema()
        yield from ((name, type_, _is_exact(type_)) for name, type_ in zip(reading.names(schema.names), schema.types, strict=True))
    elif source.kind == "csv":
        yield from ((name, pa.string(), False) for name in reading.names(TableReader(source).columns()))
    else:
        rows = (dict(zip(reading.names(columns), columns.values(), strict=True)) for columns in _json_rows(source))
        while some := list(islice(rows, _ROWS)):
            for name in dict.fromkeys(name for row in some for name in row):
                yield name, *_json_type([row.get(name) for row in some])


def _is_exact(type_: pa.DataType) -> bool:
    """Whether a type holds what Arrow's common type of it and another one may not: floats have 53 bits, nanoseconds end in 2262."""
    import pyarrow as pa

    while pa.types.is_list(type_) or pa.types.is_large_list(type_):
        type_ = type_.value_type
    kinds = (pa.types.is_int64, pa.types.is_uint64, pa.types.is_decimal, pa.types.is_timestamp)
    return any(is_kind(type_) for is_kind in kinds)


def _json_type(values: list[Any]) -> tuple[Any, bool]:
    """:return: the type of a column's values, and whether there are integers among them that no float is."""
    import pyarrow as pa

    try:
        array = leaves = pa.array(values)
    except (pa.ArrowException, TypeError, OverflowError):
        return pa.string(), False
    while pa.types.is_list(leaves.type):
        leaves = leaves.flatten()
    if pa.types.is_struct(leaves.type):
        return pa.string(), False
    if pa.types.is_integer(leaves.type):
        try:
            leaves.cast(pa.float64())
        except pa.ArrowInvalid:
            return array.type, True
    return array.type, False


def _common(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    """:return: a type that holds both; text where there is none."""
    import pyarrow as pa

    schemas = [pa.schema([("x", one)]), pa.schema([("x", other)])]
    try:
        return pa.unify_schemas(schemas, promote_options="permissive").field("x").type
    except pa.ArrowException:
        return pa.string()
