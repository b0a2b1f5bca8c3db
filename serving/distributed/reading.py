"""Read inputs on the machines of a cluster: how many events each has, and the shards of one part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from serving.batch.inputs import Input
from serving.batch.stream import Reading, Stream
from serving.batch.window import Chunk, chunks
from serving.distributed.line import TOLD, Line, pack, unpack
from serving.distributed.place import Place
from serving.distributed.plan import Part


def count_events(line: Line, place: Place, reading: Reading) -> Line:
    """:param line: an input. :return: how many events it has: sentences and rejects."""
    source: Input = unpack(line)
    try:
        place.enter()
        return pack(line["number"], sum(1 for _ in Stream([source], reading).events()))
    except TOLD as error:
        return pack(line["number"], error)


def read_shards(line: Line, place: Place, reading: Reading, size: int) -> Iterator[Line]:
    """:param line: a part with its inputs. :return: the chunks of each of its shards, under the shard's number."""
    part: Part
    inputs: list[Input]
    part, inputs = unpack(line)
    try:
        place.enter()
        stream = chunks(Stream(inputs, reading).events(), size, skip=part.skip, before=part.before)
        for number in range(part.number, part.number + part.shards):
            yield pack(number, _shard(stream, size))
    except TOLD as error:
        yield pack(part.number, error)


def _shard(stream: Iterator[Chunk], size: int) -> list[Chunk]:
    """:return: the chunks of the next shard; only the last one of a batch has fewer events than the others."""
    shard: list[Chunk] = []
    events = 0
    for chunk in stream:
        chunk.items = [replace(item, document="") for item in chunk.items]  # no shard's file needs it, and each would carry all of it
        shard.append(chunk)
        events += chunk.events
        if events == size:
            break
    return shard
