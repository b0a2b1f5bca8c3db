"""Measure what docs/scale.md computes with, per CPU second, so that other work on the machine does not count:

    python -m benchmarks.scale

hashing and reading an archive, tagging and writing it on one thread as an actor does, bytes a row, memory. The rows are the
sentences of the repository's reports; while tagging, each is new to the cache of repeated sentences, the least favourable case.
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from ray import cloudpickle

from serving.batch.columns import parquet_schema
from serving.batch.inputs import Input, list_inputs
from serving.batch.shard import Shard
from serving.batch.stream import Reading, Stream
from serving.batch.tagging import tag_chunk
from serving.batch.window import Chunk, chunks
from serving.batch.writers import JsonLines, Layout, Parquet, as_json
from serving.distributed.line import pack
from serving.distributed.place import Place
from serving.distributed.plan import plan
from serving.distributed.reading import read_shards
from zhuti.result import TaggedUnit
from zhuti.tagger import Tagger
from zhuti.text import split

ROOT = Path(__file__).resolve().parent.parent
ROWS = 100_000
SHARD = 10_000
PASSES = 2
T = TypeVar("T")
READING = Reading(sentence=True, text_column="text", document_column=None, named=False)


def main() -> None:
    rows = [
        {"id": f"{file.stem}-{unit.index}", "document": file.stem, "text": unit.text}
        for file in sorted((ROOT / "data" / "documents").glob("*.txt"))
        for unit in split(file.read_text(encoding="utf-8"))
    ]
    many = [row | {"document": f"{row['document']}-{turn}"} for turn in range(ROWS // len(rows) + 1) for row in rows][:ROWS]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "rows.jsonl").write_text("".join(as_json(row) + "\n" for row in many), encoding="utf-8")
        pq.write_table(pa.Table.from_pylist(many), folder / "rows.parquet", compression="zstd")
        for file in (folder / "rows.parquet", folder / "rows.jsonl"):
            _reading(file)
        pq.write_table(pa.Table.from_pylist(rows), folder / "distinct.parquet")
        _tagging(folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    _print("resident memory at most (tagger, archive above and all)", f"{peak:,.0f} MiB")


def _reading(file: Path) -> None:
    kind = file.suffix[1:]
    (inputs, _), seconds = _timed(lambda: list_inputs([str(file)], rows=True))
    _print(f"hash {kind}", f"{inputs[0].size / seconds / 1e6:,.0f} MB a CPU second")
    if kind == "jsonl":  # Parquet packs repeated sentences away, an archive's do not repeat
        _print("bytes a row, jsonl", f"{inputs[0].size / ROWS:,.0f}")
    _, seconds = _timed(lambda: sum(1 for _ in Stream(inputs, READING).events()))
    _print(f"count {kind}", f"{ROWS / seconds:,.0f} rows a CPU second")
    lines = [pack(0, (part, inputs)) for part in plan([ROWS], SHARD)]
    read, seconds = _timed(lambda: [shard for line in lines for shard in read_shards(line, Place(Path.cwd()), READING, SHARD)])
    _print(f"read {kind} into shards", f"{ROWS / seconds:,.0f} rows a CPU second")
    packed, seconds = _timed(lambda: [cloudpickle.dumps(shard) for shard in read])
    _print("pack shards, as Ray does", f"{ROWS / seconds:,.0f} rows a CPU second, {sum(map(len, packed)) / ROWS:,.0f} bytes a row")
    _, seconds = _timed(lambda: [cloudpickle.loads(shard) for shard in packed])
    _print("unpack shards", f"{ROWS / seconds:,.0f} rows a CPU second")


def _tagging(folder: Path) -> None:
    tagger, seconds = _timed(lambda: Tagger.load(threads=1))
    _print("load the model", f"{seconds:.1f} CPU seconds")
    inputs, _ = list_inputs([str(folder / "distinct.parquet")], rows=True)
    some = list(chunks(Stream(inputs, READING).events(), SHARD))
    rows = sum(len(chunk.items) for chunk in some)
    layouts: list[Layout] = [JsonLines(), Parquet(_schema(inputs))]
    for turn in range(PASSES):
        tagger.forget()
        tagged, seconds = _timed(lambda: [(chunk, tag_chunk(tagger, chunk, 0)) for chunk in some])
        _print(f"tag, pass {turn + 1}", f"{rows / seconds:,.0f} rows a CPU second")
    for layout in layouts:
        done, seconds = _timed(partial(_write, folder, layout, tagged * 20))
        _print(
            f"write {layout.suffix[1:]}",
            f"{20 * rows / seconds:,.0f} rows a CPU second, {done.stat().st_size / rows / 20:,.0f} bytes a row",
        )


def _schema(inputs: list[Input]) -> pa.Schema:
    return parquet_schema(["id", "document", "text"], inputs, READING, explain=False)


def _write(folder: Path, layout: Layout, tagged: list[tuple[Chunk, list[TaggedUnit]]]) -> Path:
    shard = Shard(folder, 0, layout)
    for chunk, units in tagged:
        shard.write(chunk, units)
    return folder / shard.close().entry.file


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    began = time.process_time()
    return work(), time.process_time() - began


def _print(what: str, value: str) -> None:
    print(f"{what:<56}{value}", flush=True)


if __name__ == "__main__":
    main()
