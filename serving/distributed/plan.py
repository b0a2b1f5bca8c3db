"""Who reads what: the inputs are cut into parts that different machines read, along the shards of the whole batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

_SHARDS = 16  # a part reads up to one shard more than its own at its beginning: this keeps that small


@dataclass(frozen=True, slots=True)
class Part:
    """Shards that one process reads, from the beginning of a file, so that documents have all their context.

    :param first: place of its first input.
    :param stop: place after its last input.
    :param before: events of earlier inputs in the shard in which its first input begins.
    :param skip: shards, from that one on, that are other parts' or are done.
    :param number: its first shard's.
    :param shards: how many it has.
    """

    first: int
    stop: int
    before: int
    skip: int
    number: int
    shards: int


def plan(counts: Sequence[int], size: int, done: int = 0) -> Iterator[Part]:
    """Cut a batch into parts; every shard is in exactly one, that of the input in which it begins.

    :param counts: events of each input.
    :param size: events in a shard.
    :param done: shards that are done.
    """
    ends = [0, *accumulate(counts)]
    first = 0
    while first < len(counts):
        stop = first + 1
        while stop < len(counts) and ends[stop] - ends[first] < _SHARDS * size:
            stop += 1
        begin, end = max(done, -(-ends[first] // size)), -(-ends[stop] // size)
        if begin < end:
            last = min(end * size, ends[-1])
            reach = next(place for place in range(stop, len(ends)) if ends[place] >= last)
            yield Part(first, reach, ends[first] % size, begin - ends[first] // size, begin, end - begin)
        first = stop


def shard_events(counts: Sequence[int], size: int) -> list[int]:
    """:return: how many events each shard must have."""
    total = sum(counts)
    return [min(size, total - begin) for begin in range(0, total, size)]
