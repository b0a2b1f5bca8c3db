"""Rows of an Arrow batch as Python values; what Python has no value for stays Arrow's own, so that it goes out as it came."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

_NOT_PYTHON = (ValueError, OverflowError, LookupError)  # of nanoseconds, dates beyond the year 9999, unknown time zones


def python_rows(batch: pa.RecordBatch) -> Iterator[dict[str, Any] | str]:
    """:return: the columns of each row, or what is wrong with it."""
    try:
        rows = batch.to_pylist()
    except _NOT_PYTHON:
        yield from (_row(batch, row) for row in range(batch.num_rows))
    else:
        yield from rows


def _row(batch: pa.RecordBatch, row: int) -> dict[str, Any] | str:
    import pyarrow as pa

    columns: dict[str, Any] = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        value = column[row]
        try:
            columns[name] = value.as_py()
        except UnicodeDecodeError as error:
            return f"the column {name!r} is not UTF-8: {error.reason} at byte {error.start}"
        except _NOT_PYTHON as error:
            if pa.types.is_nested(column.type):
                return f"the column {name!r} cannot be read: {error}"
            columns[name] = value
    return columns


def scalar_text(value: pa.Scalar) -> str:
    """:return: an Arrow value as Arrow writes it; nanoseconds in ISO form, as other times are."""
    import pyarrow as pa

    if pa.types.is_timestamp(value.type) and value.type.unit == "ns":
        micros, rest = divmod(value.value, 1000)
        text = pa.scalar(micros, pa.timestamp("us", value.type.tz)).as_py().isoformat(timespec="microseconds")
        return f"{text[:26]}{rest:03d}{text[26:]}"
    return str(value.cast(pa.string()).as_py())
