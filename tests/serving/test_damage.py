"""Damaged content costs its file, a machine that fails ends the run: told apart while inputs are read."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serving.batch import shards
from serving.batch.columns import input_columns
from serving.batch.inputs import InputFailedError, list_inputs
from serving.batch.job import Options, OutputError
from serving.batch.run import tag_batch
from serving.batch.shard import Shard
from serving.batch.stream import InputChangedError, Reading, Stream
from serving.batch.tables import Reject, Row, TableReader
from tests.serving.batchfiles import read_jsonl, tag, write_csv, write_jsonl, write_parquet

ROWS = [{"text": "引进人才。", "nr": nr} for nr in range(60)]
WRITE = {"csv": write_csv, "jsonl": write_jsonl, "parquet": write_parquet}
READING = Reading(sentence=True, text_column="text", document_column=None, named=False)
BROKEN_FOOT = "broken-foot.parquet"
BROKEN_PAGE = "broken-page.parquet"
CUT = "cut.csv"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three damaged tables, and one that is not."""
    folder = tmp_path / "tables"
    folder.mkdir()
    whole = write_parquet(folder / BROKEN_FOOT, ROWS).read_bytes()
    foot = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    (folder / BROKEN_FOOT).write_bytes(whole[: foot + 10] + b"\xff" * 8 + whole[foot + 18 :])
    (folder / BROKEN_PAGE).write_bytes(whole[:4] + b"\xff" * 40 + whole[44:])
    (folder / CUT).write_bytes("text\n甲。\n".encode("utf-16")[:9])
    write_jsonl(folder / "good.jsonl", ROWS)
    return folder


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_damaged_tables_are_rejects_and_the_others_are_tagged(ending: str, folder: Path, tmp_path: Path) -> None:
    run = tag(folder, "--unit", "sentence", "-o", tmp_path / f"tagged.{ending}")
    assert run.returncode == 3, run.stderr.decode()
    rejects = {Path(reject["file"]).name: reject for reject in read_jsonl(tmp_path / "tagged.rejects.jsonl")}
    assert list(rejects) == [BROKEN_FOOT, BROKEN_PAGE, CUT]
    assert [reject["row"] for reject in rejects.values()] == [None] * 3
    assert "thrift" in rejects[BROKEN_FOOT]["reason"]
    assert f"{CUT}: is not utf-16: " in rejects[CUT]["reason"]
    assert b"zhuti: 60 rows tagged, 0 rows and 3 inputs not" in run.stderr


def test_what_arrow_finds_wrong_with_content_has_no_error_number(folder: Path) -> None:
    """Which is how damage is told from a machine that fails."""
    for name in (BROKEN_FOOT, BROKEN_PAGE):
        with pytest.raises(OSError, match="thrift") as raised:
            pq.ParquetFile(folder / name).read()
        assert raised.value.errno is None
    with pytest.raises(OSError, match="No such file") as missing:
        pq.ParquetFile(folder / "missing.parquet")
    assert missing.value.errno == errno.ENOENT


def fail_after(rows: int, error: Exception, reader: str) -> Callable[..., Iterator[Row | Reject]]:
    read = getattr(TableReader, reader)

    def failing(self: TableReader) -> Iterator[Row | Reject]:
        for place, row in enumerate(read(self)):
            if place == rows:
                raise error
            yield row

    return failing


def tagged_options(output: Path, *, resume: bool = False) -> Options:
    return Options("jsonl", str(output), True, None, None, explain=0, resume=resume, shard_rows=10)


@pytest.mark.parametrize("error", [OSError(errno.EIO, "Input/output error"), OSError(errno.ESTALE, "Stale file handle"), MemoryError()])
@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_a_passing_read_error_stops_the_run_and_resume_loses_and_repeats_nothing(
    ending: str, error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = WRITE[ending](tmp_path / f"rows.{ending}", ROWS)
    output = tmp_path / "tagged.jsonl"
    with monkeypatch.context() as broken:
        broken.setattr(TableReader, f"_{ending}", fail_after(35, error, f"_{ending}"))
        with pytest.raises(InputFailedError) as raised:
            tag_batch([str(source)], None, "zhuti-small", tagged_options(output))
    why = "not enough memory" if isinstance(error, MemoryError) else error.args[1]
    assert str(raised.value) == (
        f"{source}: could be read when the batch began and cannot be read now: {why}; 30 tagged rows are safe in {output}.parts; "
        "the same command with --resume goes on from there"
    )
    assert not output.exists()
    assert tag_batch([str(source)], None, "zhuti-small", tagged_options(output, resume=True)) == 0
    assert [int(row["nr"]) for row in read_jsonl(output)] == list(range(60))
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"rows.{ending}", "tagged.jsonl"]


def test_a_read_error_in_the_head_or_in_a_text_stops_the_run_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("引进人才。", encoding="utf-8")
    paths = [tmp_path / "a.txt", write_csv(tmp_path / "b.csv", ROWS), write_parquet(tmp_path / "c.parquet", ROWS)]
    inputs, _ = list_inputs([str(path) for path in paths], rows=True)
    monkeypatch.setattr(Path, "open", fail)
    monkeypatch.setattr(pq, "ParquetFile", fail)
    for source in inputs:
        with pytest.raises(InputFailedError, match="cannot be read now: Input/output error"):
            list(Stream([source], Reading(source.kind != "text", "text", None, False)).events())
        if source.kind != "text":
            with pytest.raises(InputFailedError):
                input_columns([source], READING)


def fail(*_: Any, **__: Any) -> Any:
    raise OSError(errno.EIO, "Input/output error")


def test_an_input_that_is_gone_is_told_as_one_that_has_changed(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "rows.jsonl", ROWS)
    inputs, _ = list_inputs([str(source)], rows=True)
    source.unlink()
    with pytest.raises(InputChangedError, match="has gone while the batch was running"):
        list(Stream(inputs, READING).events())


def test_no_memory_for_parquet_is_not_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs, _ = list_inputs([str(write_parquet(tmp_path / "a.parquet", ROWS))], rows=True)

    def full(*_: Any, **__: Any) -> Any:
        raise pa.ArrowMemoryError("malloc of size 64 failed")

    monkeypatch.setattr(pq, "ParquetFile", full)
    with pytest.raises(InputFailedError, match="not enough memory"):
        list(Stream(inputs, READING).events())


@pytest.mark.parametrize("place", ["zhuti.markup.html_text", "serving.batch.stream.iterate_units"])
def test_no_memory_for_a_page_is_not_damage(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.html").write_text("<p>引进人才。</p>", encoding="utf-8")
    inputs, _ = list_inputs([str(tmp_path / "a.html")], rows=False)
    monkeypatch.setattr(place, Mock(side_effect=MemoryError()))
    with pytest.raises(InputFailedError, match="not enough memory"):
        list(Stream(inputs, Reading(False, "text", None, False)).events())


def test_whatever_ends_a_run_is_told_with_what_it_leaves_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_jsonl(tmp_path / "rows.jsonl", ROWS)
    output = tmp_path / "tagged.jsonl"
    with monkeypatch.context() as broken:
        broken.setattr(Shard, "write", lambda *_: 1 / 0)
        with pytest.raises(OutputError, match=r"ZeroDivisionError: division by zero; nothing was finished yet"):
            tag_batch([str(source)], None, "zhuti-small", tagged_options(output))
    assert not Path(f"{output}.parts").exists()
    monkeypatch.setattr(shards, "_join", lambda *_: 1 / 0)
    with pytest.raises(OutputError) as raised:
        tag_batch([str(source)], None, "zhuti-small", tagged_options(output))
    assert str(raised.value) == (
        f"{output}.parts: the run broke off: ZeroDivisionError: division by zero; 60 tagged rows are safe in {output}.parts; "
        "the same command with --resume goes on from there"
    )
