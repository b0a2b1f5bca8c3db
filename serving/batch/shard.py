"""One shard of a batch: its file and what the journal notes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from serving.batch.disk import flush, rename
from serving.batch.job import count, records
from serving.batch.tables import Reject
from serving.batch.totals import Totals
from serving.batch.window import Chunk
from serving.batch.writers import Layout
from zhuti.result import TaggedUnit


@dataclass(frozen=True, slots=True)
class Entry:
    """A finished shard."""

    file: str
    rows: int
    totals: Totals


@dataclass(frozen=True, slots=True)
class Done:
    """A shard that stands on the disk under its name, and what was rejected among its rows."""

    entry: Entry
    rejects: list[Reject] = field(default_factory=list)


class Shard:
    """The shard that is being written, under another name until it is whole.

    :param attempt: part of that other name, where several processes may be writing the same shard.
    """

    def __init__(self, folder: Path, number: int, layout: Layout, *, attempt: str = "") -> None:
        self._path = folder / f"part-{number:07d}{layout.suffix}"
        self._partial = self._path.with_name(f"{self._path.name}{attempt}.part")
        self._file: BinaryIO = self._partial.open("wb")
        self._writer = layout.writer(self._file)
        self._rows = 0
        self._rejects: list[Reject] = []
        self._totals = Totals()
        self.events = 0

    def write(self, chunk: Chunk, units: list[TaggedUnit]) -> None:
        self._writer.write(records(chunk, units))
        self.events += chunk.events
        self._rows += len(units)
        self._rejects += chunk.rejects
        self._totals.add(count(chunk, units))

    def close(self) -> Done:
        self._writer.finish()
        flush(self._file)
        self._file.close()
        rename(self._partial, self._path)
        return Done(Entry(self._path.name, self._rows, self._totals), self._rejects)
