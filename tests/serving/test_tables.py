"""Rows of tables as they are read: numbers, columns, and what is wrong with a row."""

from __future__ import annotations

from pathlib import Path

import pytest

from serving.batch.inputs import Input, list_inputs
from serving.batch.tables import Reject, Row, TableReader
from zhuti.documents import DocumentError


def table(path: Path, content: str | bytes) -> Input:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    [source], _ = list_inputs([str(path)], rows=False)
    return source


def read(source: Input) -> tuple[list[tuple[int, object]], list[tuple[int | None, str]]]:
    """:return: (number, columns) of the rows, and (number, reason) of the rejects."""
    events = list(TableReader(source).rows())
    good = [(event.number, event.columns) for event in events if isinstance(event, Row)]
    return good, [(event.row, event.reason) for event in events if isinstance(event, Reject)]


def test_json_rows_are_numbered_by_line_and_bad_ones_go_by_themselves(tmp_path: Path) -> None:
    lines = '{"text": "甲。", "n": 1}\n\nnot json\n[1]\n{"text": "\\ud800"}\n{"n": "\\ud83d\\ude00\u2028"}\r\n{"n": 2}'
    good, bad = read(table(tmp_path / "rows.jsonl", lines))
    assert good == [(1, {"text": "甲。", "n": 1}), (6, {"n": "😀\u2028"}), (7, {"n": 2})]
    assert bad == [
        (3, "not JSON: Expecting value: line 1 column 1 (char 0)"),
        (4, "expected a JSON object, found list"),
        (5, "holds half of a surrogate pair, which is no character"),
    ]


def test_csv_rows(tmp_path: Path) -> None:
    good, bad = read(table(tmp_path / "rows.csv", 'id,text\n1,"两行,\n一句。"\n\n2,乙。\n3,丙。,多\n4\n5,"丁"x\n6,戊。\n7,"开'))
    assert good == [
        (3, {"id": "1", "text": "两行,\n一句。"}),
        (5, {"id": "2", "text": "乙。"}),
        (7, {"id": "4", "text": None}),
        (9, {"id": "6", "text": "戊。"}),
    ]
    assert bad == [
        (6, "more fields than the 2 columns of the head line"),
        (8, "not CSV: ',' expected after '\"'"),
        (10, "not CSV: unexpected end of data"),
    ]


def test_one_bad_byte_costs_one_row(tmp_path: Path) -> None:
    rows = [f'{{"text": "第{number}行。"}}'.encode() for number in range(5)]
    rows[2] = b'{"text": "\xe7\xac"}'
    good, bad = read(table(tmp_path / "rows.jsonl", b"\n".join(rows)))
    assert [number for number, _ in good] == [1, 2, 4, 5]
    assert bad == [(3, "is not utf-8, which the rest of the file is")]


def test_a_column_that_stands_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="the column 'a' stands twice in the head line"):
        read(table(tmp_path / "rows.csv", "a,text,a\n1,甲。,2\n"))


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"rows.parquet: is not a Parquet file"):
        read(table(tmp_path / "rows.parquet", "PAR1 but not quite PAR1"))
