"""Cut a stream of sentences into chunks that are tagged at once, each with the context its documents give it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from serving.batch.stream import Item
from serving.batch.tables import Reject
from zhuti.context import REACH, reached_back
from zhuti.text import Unit

CHUNK = 2048  # units tagged at once: enough for batches of one length


@dataclass(slots=True)
class Chunk:
    """What is tagged at once.

    :param documents: units by document; the first and the last may hold units of the chunks around them, as context.
    :param own: for each document, the first of its units that belongs to this chunk, and how many do.
    """

    items: list[Item] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    documents: list[list[Unit]] = field(default_factory=list)
    own: list[tuple[int, int]] = field(default_factory=list)

    @property
    def events(self) -> int:
        return len(self.items) + len(self.rejects)


def chunks(events: Iterable[Item | Reject], shard: int, *, skip: int = 0, before: int = 0) -> Iterator[Chunk]:
    """Cut a stream into chunks that never lie across the border of two shards.

    A chunk's documents get the units that the model's context reaches into across its borders: the headings
    above, the units before and the units after. So the window is bounded, and the tags are those of the whole document.

    :param shard: events (sentences and rejects) in a shard.
    :param skip: shards that are done: their events are read, for their context, and not given.
    :param before: events of the first shard that come before this stream, of which they are no part.
    """
    waiting: deque[Item | Reject] = deque()
    source = iter(events)
    above: list[Unit] = []
    key: tuple[Any, ...] | None = None
    done = before
    while True:
        size = min(CHUNK, shard - done % shard)
        following = _fill(waiting, source, size)
        if not waiting:
            return
        chunk = Chunk()
        for _ in range(min(size, len(waiting))):
            event = waiting.popleft()
            if isinstance(event, Reject):
                chunk.rejects.append(event)
                continue
            chunk.items.append(event)
            if event.key != key:
                above = []
            if event.key != key or not chunk.documents:
                chunk.documents.append([*above])
                chunk.own.append((len(above), 0))
                key = event.key
            chunk.documents[-1].append(event.unit)
            first, count = chunk.own[-1]
            chunk.own[-1] = first, count + 1
            above = reached_back([*above, event.unit], len(above) + 1)
        if chunk.documents:
            chunk.documents[-1] += [item.unit for item in following if item.key == key]
        done += chunk.events
        if done > skip * shard:
            yield chunk


def _fill(waiting: deque[Item | Reject], source: Iterator[Item | Reject], size: int) -> list[Item]:
    """Read on until ``size`` events wait and the sentences that context reaches after them are known. :return: those sentences."""
    waiting.extend(islice(source, max(0, size - len(waiting))))
    following = [event for event in islice(waiting, size, None) if isinstance(event, Item)]
    while len(following) < REACH and (event := next(source, None)) is not None:
        waiting.append(event)
        if isinstance(event, Item):
            following.append(event)
    return following[:REACH]
