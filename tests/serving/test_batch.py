"""The batch tagger as its users run it: tables and folders in, tables out, order, columns and rejects."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import pty
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serving.batch import window
from serving.batch.columns import input_columns, parquet_schema
from serving.batch.inputs import list_inputs
from serving.batch.stream import Item, Reading, Stream
from serving.batch.tables import Reject
from serving.batch.window import chunks
from serving.batch.writers import Parquet
from tests.conftest import EXAMPLE, ROOT
from tests.serving.batchfiles import COMMAND, read_any, read_csv, read_jsonl, sentences, tag, write_csv, write_jsonl, write_parquet
from zhuti.context import neighbours
from zhuti.tagger import Tagger

ROWS = sentences(120)
SENTENCE = ("--unit", "sentence")
READING = Reading(sentence=True, text_column="text", document_column=None, named=False)


@pytest.fixture(scope="module")
def expected(tagger: Tagger) -> list[tuple[str, bool, list[str]]]:
    """What the library says of ROWS, document by document."""
    documents: dict[str, list[str]] = {}
    for row in ROWS:
        documents.setdefault(row["document"], []).append(row["text"])
    units = [unit for document in tagger.tag_sentences(list(documents.values())) for unit in document]
    return [(unit.primary, unit.uncertain, [theme.code for theme in unit.themes]) for unit in units]


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_order_and_columns_are_kept_from_every_table_to_every_table(ending: str, tmp_path: Path, expected: list[object]) -> None:
    write = {"csv": write_csv, "jsonl": write_jsonl, "parquet": write_parquet}[ending]
    source = write(tmp_path / f"rows.{ending}", ROWS)
    for out in ("csv", "jsonl", "parquet"):
        target = tmp_path / f"tagged-{ending}.{out}"
        run = tag(source, *SENTENCE, "-o", target)
        assert run.returncode == 0, run.stderr.decode()
        tagged = read_any(target)
        assert list(tagged[0]) == [*ROWS[0], "role", "primary", "uncertain", "themes", *(["scores"] if out == "csv" else [])]
        as_text = ending == "csv" or out == "csv"
        assert [{name: row[name] for name in ROWS[0]} for row in tagged] == [
            {name: str(value) if as_text else value for name, value in row.items()} for row in ROWS
        ]
        if out == "csv":
            found = [(row["primary"], row["uncertain"] == "true", row["themes"].split("|")) for row in tagged]
            assert all(len(row["scores"].split("|")) == len(row["themes"].split("|")) for row in tagged)
        else:
            found = [(row["primary"], row["uncertain"], [theme["code"] for theme in row["themes"]]) for row in tagged]
        assert found == expected
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [source.name, *(f"tagged-{ending}.{o}" for o in ("csv", "jsonl", "parquet"))]
    )


def test_rows_of_one_document_are_known_by_the_column_that_is_named(tmp_path: Path, expected: list[object]) -> None:
    rows = [{"篇" if name == "document" else name: value for name, value in row.items()} for row in ROWS]
    source = write_jsonl(tmp_path / "rows.jsonl", rows)

    def tagged(*arguments: str) -> list[object]:
        run = tag(source, *SENTENCE, "-f", "jsonl", *arguments)
        assert run.returncode == 0, run.stderr.decode()
        found = [json.loads(line) for line in run.stdout.splitlines()]
        return [(row["primary"], row["uncertain"], [theme["code"] for theme in row["themes"]]) for row in found]

    assert tagged("--document-column", "篇") == expected
    assert tagged() != expected  # without it no sentence has context
    without = tag(source, *SENTENCE, "-f", "jsonl", "--document-column", "document")
    assert without.returncode == 3
    assert f"zhuti: {source}, line 1: no column 'document'\n" in without.stderr.decode()


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    schema = pa.schema(
        [
            ("text", pa.large_string()),
            ("day", pa.date32()),
            ("at", pa.timestamp("us", "UTC")),
            ("n", pa.int8()),
            ("tags", pa.list_(pa.string())),
        ]
    )
    at = datetime.datetime(2024, 5, 6, 7, 8, 9, 10, datetime.UTC)
    rows = [
        {"text": "举办干部培训班。", "day": at.date(), "at": at, "n": 3, "tags": ["a", None]},
        {"text": "引进人才。", "day": None, "n": None},
    ]
    source = write_parquet(tmp_path / "in.parquet", rows, schema)
    assert tag(source, *SENTENCE, "-o", tmp_path / "out.parquet").returncode == 0
    table = pq.read_table(tmp_path / "out.parquet")
    assert [table.schema.field(name).type for name in schema.names] == schema.types
    assert table.select(schema.names).to_pylist() == pq.read_table(source).to_pylist()
    assert tag(source, *SENTENCE, "-o", tmp_path / "out.jsonl").returncode == 0
    assert read_jsonl(tmp_path / "out.jsonl")[0]["day"] == "2024-05-06"
    other = write_csv(tmp_path / "other.csv", [{"text": "党费。", "day": "x", "n": "y"}])
    assert tag(source, other, *SENTENCE, "-o", tmp_path / "mixed.parquet").returncode == 0
    mixed = [(row["day"], row["n"], row["tags"]) for row in read_any(tmp_path / "mixed.parquet")]
    assert mixed == [("2024-05-06", "3", ["a", None]), (None, None, None), ("x", "y", None)]


def test_parquet_files_of_different_types_lose_nothing(tmp_path: Path) -> None:
    late = datetime.datetime(9999, 12, 31, 1, 2, 3)
    one = {
        "n": pa.array([2**53 + 1], pa.int64()), "u": pa.array([2**63], pa.uint64()), "d": pa.array([Decimal("0.10")]),
        "at": pa.array([late], pa.timestamp("us")), "l": pa.array([[2**53 + 1]]), "same": pa.array([2**53 + 1], pa.int64()),
    }  # fmt: skip
    two = {
        "n": pa.array([0.5]), "u": pa.array([-1], pa.int64()), "d": pa.array([0.5]),
        "at": pa.array([1_700_000_000_123_456_789], pa.timestamp("ns")), "l": pa.array([[0.5]]), "same": pa.array([None], pa.int64()),
    }  # fmt: skip
    for name, columns in (("one", one), ("two", two)):
        pq.write_table(pa.table({"text": ["引进人才。"]} | columns), tmp_path / f"{name}.parquet")
    assert tag(tmp_path / "one.parquet", tmp_path / "two.parquet", *SENTENCE, "-o", tmp_path / "out.parquet").returncode == 0
    rows = [[row[name] for name in one] for row in read_any(tmp_path / "out.parquet")]
    assert rows == [
        ["9007199254740993", "9223372036854775808", "0.10", "9999-12-31T01:02:03", "[9007199254740993]", 9007199254740993],
        ["0.5", "-1", "0.5", "2023-11-14T22:13:20.123456789", "[0.5]", None],
    ]


def test_json_columns_without_one_type_or_that_come_late_are_kept(tmp_path: Path) -> None:
    rows = [
        {"text": "举办干部培训班。", "x": 1},
        {"text": "引进人才。", "x": "a", "late": {"k": [1]}},
        {"text": "党费。", "x": [2], "late": None},
    ]
    source = write_jsonl(tmp_path / "in.jsonl", rows)
    assert tag(source, *SENTENCE, "-o", tmp_path / "out.parquet").returncode == 0
    tagged = read_any(tmp_path / "out.parquet")
    assert [row["x"] for row in tagged] == ["1", "a", "[2]"]
    assert [row["late"] for row in tagged] == [None, '{"k": [1]}', None]
    assert tag(source, *SENTENCE, "-o", tmp_path / "out.csv").returncode == 0
    assert [(row["x"], row["late"]) for row in read_csv(tmp_path / "out.csv")] == [("1", ""), ("a", '{"k": [1]}'), ("[2]", "")]


@pytest.mark.parametrize(("first", "last", "kept"), [
    ({}, {}, ("{}", "{}")),
    ([{}], None, ("[{}]", None)),
    ({"a": 1}, {"b": "x"}, ('{"a": 1}', '{"b": "x"}')),
    ({"a": 1}, {"a": 2}, ('{"a": 1}', '{"a": 2}')),
    (2**53 + 1, 0.5, ("9007199254740993", "0.5")),
    ([[2**53 + 1]], [[0.5]], ("[[9007199254740993]]", "[[0.5]]")),
    (2**53 + 1, 1, (2**53 + 1, 1)),
    (1, 0.5, (1.0, 0.5)),
    ([], [1], ([], [1])),
    (2**80, 1, (str(2**80), "1")),
])  # fmt: skip
def test_any_json_value_goes_into_parquet_and_loses_nothing(
    first: object, last: object, kept: tuple[object, object], tmp_path: Path
) -> None:
    rows = [{"text": "党费。", "x": first}] * 4096 + [{"text": "党费。", "x": last}]  # types are found in blocks of so many
    inputs, _ = list_inputs([str(write_jsonl(tmp_path / "in.jsonl", rows))], rows=True)
    schema = parquet_schema(input_columns(inputs, READING), inputs, READING, explain=False)
    results = {"role": "body", "primary": "x", "uncertain": False, "themes": []}
    with (tmp_path / "out.parquet").open("wb") as out:
        writer = Parquet(schema).writer(out)
        writer.write([event.columns | results for event in Stream(inputs, READING).events() if isinstance(event, Item)])
        writer.finish()
    values = [row["x"] for row in read_any(tmp_path / "out.parquet")]
    assert (values[0], values[-1]) == kept


def test_documents_in_a_column_are_split_and_keep_the_other_columns(tmp_path: Path, tagger: Tagger) -> None:
    texts = [EXAMPLE.read_text(encoding="utf-8"), "一、人才工作\n引进人才12名。"]
    source = write_csv(tmp_path / "reports.csv", [{"地区": "甲", "正文": texts[0]}, {"地区": "乙", "正文": texts[1]}])
    assert tag(source, "--text-column", "正文", "-o", tmp_path / "out.jsonl").returncode == 0
    tagged = read_jsonl(tmp_path / "out.jsonl")
    for place, text in zip("甲乙", texts, strict=True):
        rows = [row for row in tagged if row["地区"] == place]
        assert [(row["index"], row["start"], row["end"], row["正文"], row["primary"]) for row in rows] == [
            (unit.index, unit.start, unit.end, unit.text, unit.primary) for unit in tagger.tag(text)
        ]


def test_columns_with_the_name_of_a_result_are_kept_beside_it(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [{"text": "引进人才12名。", "primary": "mine", "input_role": "x", "role": "y"}])
    assert tag(source, *SENTENCE, "-o", tmp_path / "out.jsonl").returncode == 0
    [row] = read_jsonl(tmp_path / "out.jsonl")
    assert (row["input_primary"], row["input_role"], row["input_input_role"]) == ("mine", "x", "y")
    assert row["role"] == "body"


def test_folder_glob_and_standard_input(tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    (folder / "b").mkdir(parents=True)
    (folder / "b" / "二.md").write_text("# 老干部工作\n走访老干部。\n", encoding="utf-8")
    (folder / "a.txt").write_text("引进人才。\n", encoding="gb18030")
    (folder / "rows.jsonl").write_text('{"text": "举办培训班。"}\n', encoding="utf-8")
    (folder / "photo.png").write_bytes(b"\x89PNG\0")
    (folder / ".hidden.txt").write_text("不读。", encoding="utf-8")
    run = tag(folder, "-f", "jsonl", "-o", folder / "tagged.jsonl")
    assert run.returncode == 0
    assert f"zhuti: {folder}: 1 files of other kinds left out (.png)" in run.stderr.decode()
    first = read_jsonl(folder / "tagged.jsonl")
    assert [(row.get("document"), row["text"]) for row in first] == [
        (f"{folder}/a.txt", "引进人才。"),
        (f"{folder}/b/二.md", "老干部工作"),
        (f"{folder}/b/二.md", "走访老干部。"),
        (None, "举办培训班。"),
    ]
    assert tag(folder, "-f", "jsonl", "-o", folder / "tagged.jsonl").returncode == 0  # its own output is no input
    assert read_jsonl(folder / "tagged.jsonl") == first
    by_glob = tag(f"{folder}/**/*.md", "-f", "jsonl")
    assert [json.loads(line) for line in by_glob.stdout.splitlines()] == first[1:3]
    piped = tag("--text-column", "句", "-f", "csv", stdin='{"句": "引进人才。", "n": [1]}\n'.encode())
    assert piped.stdout.decode().splitlines()[0] == "句,n,index,start,end,role,primary,uncertain,themes,scores"
    assert piped.stdout.decode().splitlines()[1].startswith("引进人才。,[1],0,0,5,")
    nothing = tag(f"{tmp_path}/none*.txt")
    assert (nothing.returncode, nothing.stderr.decode()) == (1, f"zhuti: {tmp_path}/none*.txt: no file has a name like this\n")


def test_rejects_are_written_counted_and_set_exit_code_3(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_bytes("id,text\n1,引进人才。\n2,\n3,党费。,多\n4,".encode() + b"\xff\xfe\n" + "5,培训。\n".encode())
    (tmp_path / "bin.txt").write_bytes(b"ab\0c")
    write_parquet(tmp_path / "p.parquet", [{"text": "老干部工作。"}, {"text": None}])
    (tmp_path / "torn.parquet").write_bytes((tmp_path / "p.parquet").read_bytes()[:-9])
    write_csv(tmp_path / "other.csv", [{"satz": "甲"}])
    names = ("bad.csv", "bin.txt", "gone.jsonl", "p.parquet", "torn.parquet", "other.csv")
    run = tag(*(tmp_path / name for name in names), *SENTENCE, "-o", tmp_path / "out.csv")
    assert run.returncode == 3
    assert [row["text"] for row in read_csv(tmp_path / "out.csv")] == ["引进人才。", "培训。", "老干部工作。"]
    rejects = read_jsonl(tmp_path / "out.rejects.jsonl")
    found = [(Path(reject["file"]).name, reject["row"]) for reject in rejects]
    whole = [(name, None) for name in ("bin.txt", "gone.jsonl", "torn.parquet", "other.csv")]
    assert found == [("bad.csv", 3), ("bad.csv", 4), ("bad.csv", 5), *whole[:2], ("p.parquet", 2), *whole[2:]]
    assert rejects[0]["reason"] == "'text' must be a sentence, found ''"
    assert rejects[1]["reason"] == "more fields than the 2 columns of the head line"
    assert rejects[2]["reason"] == "is not utf-8, which the rest of the file is"
    assert rejects[4]["reason"] == f"{tmp_path}/gone.jsonl: no such file"
    assert rejects[7]["reason"] == f"{tmp_path}/other.csv: no column 'text'; found satz"
    assert f"zhuti: 3 rows tagged, 4 rows and 4 inputs not; see {tmp_path}/out.rejects.jsonl\n" in run.stderr.decode()
    good = tag(tmp_path / "p.parquet", *SENTENCE, "-o", tmp_path / "good.csv")
    assert good.returncode == 3
    write_parquet(tmp_path / "p.parquet", [{"text": "老干部工作。"}])
    assert tag(tmp_path / "p.parquet", *SENTENCE, "-o", tmp_path / "good.csv").returncode == 0
    assert not (tmp_path / "good.rejects.jsonl").exists()


@pytest.mark.parametrize("name", ["out.html", "out.txt"])
def test_rejects_are_written_beside_what_is_made_for_people_too(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("引进人才。", encoding="utf-8")
    (tmp_path / "b.txt").write_bytes(b"ab\0c")
    run = tag(tmp_path / "a.txt", tmp_path / "b.txt", "-o", tmp_path / name)
    assert run.returncode == 3
    assert f"1 sentences tagged, 0 rows and 1 inputs not; see {tmp_path}/out.rejects.jsonl\n" in run.stderr.decode()
    [reject] = read_jsonl(tmp_path / "out.rejects.jsonl")
    assert (reject["file"], reject["row"]) == (f"{tmp_path}/b.txt", None)
    assert reject["reason"].startswith(f"{tmp_path}/b.txt: is a binary file")
    assert "引进人才。" in (tmp_path / name).read_text(encoding="utf-8")
    assert tag(tmp_path / "a.txt", "-o", tmp_path / name).returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "b.txt", name]


def test_numbers_that_json_has_not_become_null(tmp_path: Path) -> None:
    rows = [{"text": "引进人才。", "x": number, "y": {"z": [number, 1.5]}} for number in (float("nan"), float("-inf"), 0.5)]
    source = write_parquet(tmp_path / "in.parquet", rows)
    assert tag(source, *SENTENCE, "-o", tmp_path / "out.jsonl").returncode == 0
    tagged = read_jsonl(tmp_path / "out.jsonl")
    assert [(row["x"], row["y"]) for row in tagged] == [(None, {"z": [None, 1.5]})] * 2 + [(0.5, {"z": [0.5, 1.5]})]
    assert tag(source, *SENTENCE, "-o", tmp_path / "out.csv").returncode == 0
    assert [row["x"] for row in read_csv(tmp_path / "out.csv")] == ["NaN", "-Infinity", "0.5"]


def test_totals_per_theme_on_standard_error(tmp_path: Path) -> None:
    run = tag(EXAMPLE, "-o", tmp_path / "out.jsonl")
    tagged = read_jsonl(tmp_path / "out.jsonl")
    cadres = sum(row["primary"].startswith("cadres.") for row in tagged)
    lines = [line.split() for line in run.stderr.decode().splitlines()]
    assert [str(cadres), f"{cadres / len(tagged):.1%}", "干部队伍建设", "cadres"] in lines
    assert sum(int(line[0]) for line in lines[:-1]) == len(tagged)
    assert f"zhuti: {len(tagged)} sentences tagged" in run.stderr.decode()


def test_context_crosses_chunks_as_in_the_whole_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = sentences(300)
    rows.insert(40, {"nr": -1, "document": "chengdu-2018-0", "text": ""})
    [source], _ = list_inputs([str(write_jsonl(tmp_path / "rows.jsonl", rows))], rows=True)
    items = [event for event in Stream([source], READING).events() if isinstance(event, Item)]
    whole: dict[tuple[object, ...], list[Item]] = {}
    for item in items:
        whole.setdefault(item.key, []).append(item)
    documents = list(whole.values())
    flat = [item.unit for document in documents for item in document]
    context = neighbours([[item.unit for item in document] for document in documents])
    want = [[flat[row].text if row >= 0 else None for row in rows] for rows in context]
    for size in (1, 2, 7, 64):
        monkeypatch.setattr(window, "CHUNK", size)
        found, kept, rejects = [], [], 0
        for chunk in chunks(Stream([source], READING).events(), 50):
            units = [unit for document in chunk.documents for unit in document]
            rows_of = iter(neighbours(chunk.documents))
            for document, (first, count) in zip(chunk.documents, chunk.own, strict=True):
                own = [next(rows_of) for _ in document][first : first + count]
                found += [[units[row].text if row >= 0 else None for row in slots] for slots in own]
            kept += chunk.items
            rejects += len(chunk.rejects)
            assert len(units) <= size + 8
        assert (found, rejects) == (want, 1)
        assert [item.columns for item in kept] == [item.columns for item in items]


def test_skipped_shards_leave_the_rest_as_it_is(tmp_path: Path) -> None:
    rows = sentences(130)
    rows.insert(9, {"nr": -1, "document": "", "text": ""})
    [source], _ = list_inputs([str(write_jsonl(tmp_path / "rows.jsonl", rows))], rows=True)
    everything = list(chunks(Stream([source], READING).events(), 20))
    for skip in (1, 3, 6, 7):
        rest = list(chunks(Stream([source], READING).events(), 20, skip=skip))
        assert rest == everything[skip:]
    assert sum(isinstance(event, Reject) for event in Stream([source], READING).events()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-f", "parquet"), "--format parquet needs a file: add --output"),
        (("-f", "jsonl", "--resume"), "--resume needs --output"),
        (("-o", "build.txt", "--resume"), "--format table writes one file at once"),
        (("-o", "tests", "-f", "jsonl"), "tests: is not empty and holds no run of zhuti"),
        (("-o", "no/where/", "-f", "jsonl"), "the folder no does not exist"),
    ],
)
def test_wrong_use(arguments: tuple[str, ...], message: str) -> None:
    run = tag(ROOT / "README.md", *arguments)
    assert (run.returncode, run.stdout) == (2, b"")
    assert message in run.stderr.decode()
    assert b"Traceback" not in run.stderr


def test_texts_and_json_rows_are_tagged_without_the_parquet_library() -> None:
    code = f"""
import sys
for name in ("pyarrow", "bentoml", "torch", "pandas"):
    sys.modules[name] = None  # importing it fails
from zhuti.cli import app
app(["tag", {str(EXAMPLE)!r}])
"""
    run = subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT, capture_output=True)
    assert (run.returncode, run.stderr) == (0, b"")
    assert "本篇主题" in run.stdout.decode()


def test_a_bar_with_rate_and_time_left_is_shown_at_a_terminal_only(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "rows.csv", sentences(2500))
    arguments = [str(source), *SENTENCE, "-o", str(tmp_path / "out.jsonl")]
    assert b"\x1b[" not in tag(*arguments).stderr
    screen, terminal = pty.openpty()
    process = subprocess.Popen([*COMMAND, *arguments], stderr=terminal, cwd=ROOT, env=os.environ | {"TERM": "xterm", "COLUMNS": "100"})
    os.close(terminal)
    shown = b""
    with contextlib.suppress(OSError):  # the terminal is gone when the process is
        while part := os.read(screen, 65536):
            shown += part
    os.close(screen)
    assert process.wait() == 0
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    assert re.search(r"━+ +\d+% [\d,]+ sentences, [\d,]+/s \d:\d\d:\d\d", text), text
    assert "zhuti: 2,500 rows tagged" in text
