"""Rows of tables as they are read: numbers, columns, and what is wrong with a row."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serving.batch.inputs import Input, list_inputs
from serving.batch.tables import Reject, Row, TableReader
from tests.conftest import ROOT
from tests.serving.batchfiles import read_jsonl
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


def test_a_head_line_in_another_encoding_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"rows.csv: the head line is not utf-8$"):
        read(table(tmp_path / "rows.csv", b"text,\xff\n" + "甲。,1\n".encode()))


def test_parquet_values_that_python_has_none_for_go_out_as_they_came(tmp_path: Path) -> None:
    columns = {
        "text": pa.array(["引进人才。", "慰问老干部。"]),
        "at": pa.array([1_700_000_000_123_456_789, 1_700_000_000_000_000_000], pa.timestamp("ns", "UTC")),
        "early": pa.array([-1, None], pa.timestamp("ns")),
        "day": pa.array([5_000_000, 19_000], pa.int32()).cast(pa.date32()),
    }
    pq.write_table(pa.table(columns), tmp_path / "rows.parquet")
    run = tag_without_pandas(tmp_path / "rows.parquet", tmp_path / "out.parquet")
    assert (run.returncode, run.stderr.count("Traceback")) == (0, 0), run.stderr
    assert pq.read_table(tmp_path / "out.parquet").select(list(columns)).equals(pa.table(columns))
    assert tag_without_pandas(tmp_path / "rows.parquet", tmp_path / "out.jsonl").returncode == 0
    rows = read_jsonl(tmp_path / "out.jsonl")
    assert [(row["at"], row["early"], row["day"]) for row in rows] == [
        ("2023-11-14T22:13:20.123456789+00:00", "1969-12-31T23:59:59.999999999", "15659-07-15"),
        ("2023-11-14T22:13:20+00:00", None, "2022-01-08"),
    ]


def tag_without_pandas(source: Path, output: Path) -> subprocess.CompletedProcess[str]:
    """Pandas has nanoseconds, and is there with the extras alone."""
    code = f"""
import sys
class Without:
    def find_spec(self, name, *_):
        if name == "pandas":
            raise ImportError(name)
sys.meta_path.insert(0, Without())
from zhuti.cli import app
app(["tag", {str(source)!r}, "--unit", "sentence", "-o", {str(output)!r}])
"""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT, check=False, text=True)


def test_parquet_text_that_is_not_utf8_costs_one_row(tmp_path: Path) -> None:
    texts = pa.array(["甲。".encode(), b"\xff", "乙。".encode()]).view(pa.string())
    pq.write_table(pa.table({"text": texts}), tmp_path / "rows.parquet")
    [source], _ = list_inputs([str(tmp_path / "rows.parquet")], rows=False)
    good, bad = read(source)
    assert good == [(1, {"text": "甲。"}), (3, {"text": "乙。"})]
    assert bad == [(2, "the column 'text' is not UTF-8: invalid start byte at byte 0")]


def test_a_column_that_stands_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="has two columns of the name 'a'"):
        read(table(tmp_path / "rows.csv", "a,text,a\n1,甲。,2\n"))


def test_two_columns_of_one_name_in_parquet_are_refused(tmp_path: Path) -> None:
    columns = [pa.array(["甲。"]), pa.array([1]), pa.array([2])]
    pq.write_table(pa.table(columns, names=["text", "a", "a"]), tmp_path / "rows.parquet")
    [source], _ = list_inputs([str(tmp_path / "rows.parquet")], rows=False)
    for attempt in (read, lambda source: TableReader(source).columns()):
        with pytest.raises(DocumentError, match="has two columns of the name 'a'"):
            attempt(source)


def test_a_key_that_stands_twice_costs_its_row(tmp_path: Path) -> None:
    lines = [
        '{"text": "甲。"}',
        '{"text": "甲。", "n": 1, "n": 2}',
        '{"text": "甲。", "x": [{"b": 1, "b": 1}]}',
        '{"text": "乙。", "x": {"text": 1}}',
    ]
    good, bad = read(table(tmp_path / "rows.jsonl", "\n".join(lines)))
    assert [number for number, _ in good] == [1, 4]
    assert bad == [(2, "not JSON: the key 'n' stands twice"), (3, "not JSON: the key 'b' stands twice")]


def test_a_quote_that_is_not_closed_tells_the_lines_it_costs(tmp_path: Path) -> None:
    open_to_the_end = 'text\n甲。\n"乙。\n丙。\n丁。\n戊。\n'
    good, [reject] = read(table(tmp_path / "a.csv", open_to_the_end))
    assert good == [(2, {"text": "甲。"})]
    assert reject == (6, "lines 3 to 6 are one row (4 lines within one pair of quotes): not CSV: unexpected end of data")
    closed_by_the_next = 'text,n\n甲。,1\n"乙。,2\n丙。,3\n"丁。",4\n戊。,5\n'
    good, [reject] = read(table(tmp_path / "b.csv", closed_by_the_next))
    assert [number for number, _ in good] == [2, 6]
    assert reject == (5, "lines 3 to 5 are one row (3 lines within one pair of quotes): not CSV: ',' expected after '\"'")


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"rows.parquet: is not a Parquet file"):
        read(table(tmp_path / "rows.parquet", "PAR1 but not quite PAR1"))


def test_a_parquet_file_of_one_row_group_is_not_held_whole(tmp_path: Path) -> None:
    path = tmp_path / "one.parquet"
    rows_of_text = pa.table({"text": [os.urandom(300).hex() for _ in range(100_000)]})
    pq.write_table(rows_of_text, path, row_group_size=len(rows_of_text), use_dictionary=False, compression="none")
    program = f"""
import re
from pathlib import Path
import pyarrow.parquet
from serving.batch.inputs import Input
from serving.batch.tables import TableReader
def peak():
    return int(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1])
before = peak()
rows = sum(1 for _ in TableReader(Input("one", "parquet", Path({str(path)!r}), 1)).rows())
print(rows, peak() - before)
"""
    rows, grown = map(int, subprocess.run([sys.executable, "-c", program], capture_output=True, cwd=ROOT, check=True).stdout.split())
    assert rows == len(rows_of_text)
    assert grown * 1024 < path.stat().st_size / 2
