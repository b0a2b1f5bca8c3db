"""Whatever way the inputs are cut into parts, all parts together read the shards that one process would read."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.batch.inputs import list_inputs
from serving.batch.job import OutputError
from serving.batch.shard import Done, Entry
from serving.batch.stream import Reading, Stream
from serving.batch.tables import Reject
from serving.batch.totals import Totals
from serving.batch.window import Chunk, chunks
from serving.batch.writers import JsonLines
from serving.distributed.actor import Order, ShardTagger, Written
from serving.distributed.engine import _accepted
from serving.distributed.line import pack, unpack
from serving.distributed.place import Place, SharingError
from serving.distributed.plan import plan, shard_events
from serving.distributed.reading import count_events, read_shards
from tests.conftest import SHIPPED
from tests.serving.batchfiles import sentences, write_jsonl
from zhuti.artifact import MANIFEST, file_hash
from zhuti.documents import DocumentError

ROWS = [row | {"text": " "} if place % 41 == 40 else row for place, row in enumerate(sentences(1500))]
READING = Reading(sentence=True, text_column="text", document_column=None, named=False)


@settings(max_examples=60)
@given(counts=st.lists(st.integers(0, 90), max_size=40), size=st.integers(1, 30), done=st.integers(0, 12))
def test_every_shard_is_in_exactly_one_part(counts: list[int], size: int, done: int) -> None:
    expected = shard_events(counts, size)
    assert sum(expected) == sum(counts)
    numbers = [number for part in plan(counts, size, done) for number in range(part.number, part.number + part.shards)]
    assert numbers == list(range(min(done, len(expected)), len(expected)))


@pytest.mark.parametrize(("lengths", "size", "done"), [
    ([7, 1, 400, 3, 0, 250, 339], 60, 0),
    ([7, 1, 400, 3, 0, 250, 339], 60, 5),
    ([500, 500], 1000, 0),
    ([1] * 300, 4, 31),
])  # fmt: skip
def test_parts_read_the_shards_of_the_whole_with_their_context(lengths: list[int], size: int, done: int, tmp_path: Path) -> None:
    first = 0
    for place, length in enumerate(lengths):
        write_jsonl(tmp_path / f"{place:03d}.jsonl", ROWS[first : first + length])
        first += length
    inputs, _ = list_inputs([str(tmp_path)], rows=True)
    here = Place(Path.cwd())
    counts = [unpack(count_events(pack(0, source), here, READING)) for source in inputs]
    assert counts == [length or 1 for length in lengths]  # an empty file is one reject
    parts = list(plan(counts, size, done))
    read = {
        line["number"]: unpack(line)
        for part in parts
        for line in read_shards(pack(0, (part, inputs[part.first : part.stop])), here, READING, size)
    }
    whole = list(chunks(Stream(inputs, READING).events(), size, skip=done))
    assert [number for number in read for _ in read[number]] == sorted(number for number in read for _ in read[number])
    assert [_content(chunk) for number in read for chunk in read[number]] == [_content(chunk) for chunk in whole]
    assert [sum(chunk.events for chunk in read[number]) for number in read] == shard_events(counts, size)[done:]


def _content(chunk: Chunk) -> tuple[object, ...]:
    return [item.columns for item in chunk.items], chunk.rejects, chunk.documents, chunk.own


def test_an_error_arrives_as_what_it_is() -> None:
    with pytest.raises(DocumentError, match=r"^a\.txt: no such file$"):
        unpack(pack(3, DocumentError("a.txt: no such file")))
    line = count_events(pack(3, None), Place(Path("/no/such/folder")), READING)
    with pytest.raises(SharingError, match=r"^/no/such/folder: the machine \S+ cannot open it \(No such file or directory\)"):
        unpack(line)


def test_a_machine_with_another_zhuti_or_another_model_tags_nothing(tmp_path: Path) -> None:
    manifest = file_hash(SHIPPED / MANIFEST)
    for sha256, started_by, expected in (
        (manifest, "0.0.9", rf"the machine \S+ has zhuti {version('zhuti')}, the run is of 0\.0\.9; all need the same"),
        ("0" * 64, version("zhuti"), r"the machine \S+ has another model there; all need the same"),
    ):
        tagger = ShardTagger(Order(Place(Path.cwd()), SHIPPED, sha256, started_by, 0, tmp_path, JsonLines()))
        with pytest.raises(SharingError, match=expected):
            unpack(tagger(pack(0, list[Chunk]())))
    assert list(tmp_path.iterdir()) == []


def test_rows_that_are_missing_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "part-0000000.jsonl").write_bytes(b"12345")
    done = Done(Entry("part-0000000.jsonl", 57, Totals()), [Reject("a.csv", 3, "no text"), Reject("a.csv", 9, "no text")])
    assert _accepted(tmp_path, Written(done, 5), 59) is done
    with pytest.raises(OutputError, match="57 rows and 2 rejects came of 60 rows; it is not kept"):
        _accepted(tmp_path, Written(done, 5), 60)
    with pytest.raises(SharingError, match="--output must be on storage that all machines share"):
        _accepted(tmp_path, Written(done, 6), 59)
