"""Strange inputs and a tagger that fails on a row: one of them never ends a run, and the others come out as they would without it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from serving.batch import stream
from serving.batch.inputs import list_inputs
from serving.batch.job import records
from serving.batch.stream import Reading, Stream
from serving.batch.tables import Reject
from serving.batch.tagging import tag_chunk
from serving.batch.window import Chunk, chunks
from tests.conftest import SHIPPED
from tests.serving.batchfiles import read_any, read_jsonl, sentences, tag, write_jsonl, write_parquet
from zhuti.errors import ZhutiError
from zhuti.tagger import Tagger
from zhuti.text import Unit

READING = Reading(sentence=True, text_column="text", document_column=None, named=False)


class Fragile(Tagger):
    """Fails on texts with 毒."""

    def probabilities(self, documents: Sequence[Sequence[Unit]]) -> tuple[Any, Any]:
        if any("毒" in unit.text for document in documents for unit in document):
            raise RuntimeError("poisoned")
        return super().probabilities(documents)


def read_chunks(sources: list[Path], reading: Reading = READING, shard: int = 1000) -> list[Chunk]:
    inputs, _ = list_inputs([str(source) for source in sources], rows=True)
    return list(chunks(Stream(inputs, reading).events(), shard))


def test_rows_on_which_the_tagger_fails_are_rejects_and_the_others_come_out_as_without_them(tmp_path: Path) -> None:
    fragile = Fragile.load(SHIPPED)
    rows = sentences(40)
    bad = {0, 7, 8, 25, 39}
    poisoned = write_jsonl(tmp_path / "p.jsonl", [row | {"text": f"毒{place}"} if place in bad else row for place, row in enumerate(rows)])
    blank = write_jsonl(tmp_path / "b.jsonl", [row | {"text": ""} if place in bad else row for place, row in enumerate(rows)])
    [one], [other] = read_chunks([poisoned]), read_chunks([blank])
    events = one.events
    found = records(one, tag_chunk(fragile, one, 1))
    fragile.forget()
    assert found == records(other, tag_chunk(fragile, other, 1))
    assert (len(found), one.events) == (35, events)
    assert one.rejects == [
        Reject(str(poisoned), place + 1, f"the tagger failed on '毒{place}': RuntimeError: poisoned") for place in sorted(bad)
    ]


def test_a_sentence_at_fault_beyond_the_border_of_a_chunk_is_rejected_once(tmp_path: Path) -> None:
    fragile = Fragile.load(SHIPPED)
    text = tmp_path / "report.txt"
    text.write_text("引进人才。举办干部培训班。毒。慰问老干部。发展党员。", encoding="utf-8")
    parts = read_chunks([text], Reading(False, "text", None, False), shard=2)
    tagged = [records(chunk, tag_chunk(fragile, chunk, 0)) for chunk in parts]
    assert [[row["text"] for row in rows] for rows in tagged] == [["引进人才。", "举办干部培训班。"], ["慰问老干部。"], ["发展党员。"]]
    [reject] = [reject for chunk in parts for reject in chunk.rejects]
    assert str(reject) == f"{text}, sentence 3: the tagger failed on '毒。': RuntimeError: poisoned"


def test_what_is_wrong_with_the_options_is_no_matter_of_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fragile = Fragile.load(SHIPPED)
    monkeypatch.setattr(type(fragile._model), "evidence", None)
    [chunk] = read_chunks([write_jsonl(tmp_path / "a.jsonl", sentences(3))])
    with pytest.raises(ZhutiError, match="keeps no labelled sentences"):
        tag_chunk(fragile, chunk, 1)


def test_a_reader_that_fails_costs_its_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("引进人才。", encoding="utf-8")
    (tmp_path / "b.html").write_text("甲<![foo[x]]>乙", encoding="utf-8")
    read = stream._read_document
    monkeypatch.setattr(stream, "_read_document", lambda source: read(source) if source.name.endswith("html") else 1 / 0)
    inputs, _ = list_inputs([str(tmp_path)], rows=False)
    reject, item = Stream(inputs, Reading(False, "text", None, False)).events()
    assert reject == Reject(f"{tmp_path}/a.txt", None, f"{tmp_path}/a.txt: cannot be read: ZeroDivisionError: division by zero")
    assert not isinstance(item, Reject)
    assert item.unit.text == "甲乙"


def test_file_names_that_are_not_utf8_are_written_with_escapes(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path / "reports")
    os.mkdir(folder)  # noqa: PTH102 (Path takes no bytes)
    for name, data in ((b"\xb3\xc9.txt", "引进人才。".encode()), (b"\xff.txt", b"\0")):
        with open(folder + b"/" + name, "wb") as file:  # noqa: PTH123
            file.write(data)
    run = tag(tmp_path / "reports", "-o", tmp_path / "tagged.jsonl")
    assert (run.returncode, b"Traceback" in run.stderr) == (3, False), run.stderr
    assert [row["document"] for row in read_jsonl(tmp_path / "tagged.jsonl")] == [f"{tmp_path}/reports/\\xb3\\xc9.txt"]
    assert [row["file"] for row in read_jsonl(tmp_path / "tagged.rejects.jsonl")] == [f"{tmp_path}/reports/\\xff.txt"]


def test_a_text_on_the_command_line_that_is_not_utf8_is_refused() -> None:
    run = tag("--text", os.fsdecode("引进人才。\xff".encode("latin-1", "ignore") + b"\xff"))
    assert (run.returncode, run.stdout) == (2, b"")
    assert run.stderr.decode() == "zhuti: --text: is not UTF-8 (at character 0); a file with the text may be GB18030 or Big5\n"


def test_a_file_that_is_named_twice_is_taken_once(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("引进人才。", encoding="utf-8")
    (tmp_path / "b.txt").symlink_to(tmp_path / "a.txt")
    inputs, _ = list_inputs([f"{tmp_path}/a.txt", str(tmp_path), f"{tmp_path}/./*.txt"], rows=False)
    assert [one.name for one in inputs] == [f"{tmp_path}/a.txt"]


def test_a_pipe_is_not_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    run = tag(tmp_path / "pipe", "-f", "jsonl")
    assert run.returncode == 1
    assert run.stderr.decode() == (
        f"zhuti: {tmp_path}/pipe: is a pipe or a device, which can be read only once; send it to standard input instead\n"
    )


def test_tables_on_standard_input_are_known_without_an_option(tmp_path: Path) -> None:
    rows = [{"text": "举办干部培训班。", "n": 1}, {"text": "慰问老干部。", "n": 2}]
    for path in (write_jsonl(tmp_path / "a.jsonl", rows), write_parquet(tmp_path / "a.parquet", rows)):
        run = tag("-f", "jsonl", stdin=path.read_bytes())
        assert [(row["n"], row["text"]) for row in map(json.loads, run.stdout.splitlines())] == [(row["n"], row["text"]) for row in rows]
    csv = "text\n举办干部培训班。\n".encode()
    assert [json.loads(line)["text"] for line in tag("-f", "jsonl", stdin=csv).stdout.splitlines()] == ["text", "举办干部培训班。"]
    as_table = tag("--text-column", "text", "-f", "jsonl", stdin=csv)
    assert [json.loads(line)["text"] for line in as_table.stdout.splitlines()] == ["举办干部培训班。"]


def test_texts_beside_a_table_whose_columns_are_numbers_go_into_one_parquet(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("引进人才。", encoding="utf-8")
    write_parquet(tmp_path / "b.parquet", [{"document": 7, "正文": "慰问老干部。", "text": 8}])
    run = tag(tmp_path / "a.txt", tmp_path / "b.parquet", "--text-column", "正文", "-o", tmp_path / "out.parquet")
    assert run.returncode == 0, run.stderr.decode()
    rows = read_any(tmp_path / "out.parquet")
    assert [(row["document"], row["text"], row["正文"]) for row in rows] == [
        (f"{tmp_path}/a.txt", "引进人才。", None),
        ("7", "8", "慰问老干部。"),
    ]
