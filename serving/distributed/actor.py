"""The actor that tags shards: it loads the model once and writes each shard as the local engine would."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from uuid import uuid4

from serving.batch.shard import Done, Shard
from serving.batch.tagging import tag_chunk
from serving.batch.window import Chunk
from serving.batch.writers import Layout
from serving.distributed.line import TOLD, Line, pack, unpack
from serving.distributed.place import Place, SharingError
from zhuti.artifact import MANIFEST, file_hash
from zhuti.tagger import Tagger


@dataclass(frozen=True, slots=True)
class Order:
    """What all shards of a run have in common.

    :param model: the model's folder.
    :param sha256: of its manifest.
    :param version: of zhuti, where the run was started.
    :param folder: receives the shards.
    """

    place: Place
    model: Path
    sha256: str
    version: str
    explain: int
    folder: Path
    layout: Layout


@dataclass(frozen=True, slots=True)
class Written:
    """A finished shard with the size of its file, which must look the same from where the journal is."""

    done: Done
    bytes: int


class ShardTagger:
    """Tags on one CPU; a machine runs as many of them as it has CPUs."""

    def __init__(self, order: Order) -> None:
        os.environ["RAYON_NUM_THREADS"] = "1"  # the tokenizer's threads: the other CPUs have their own actors
        self._order = order

    @cached_property
    def _tagger(self) -> Tagger:
        """Loaded with the first shard, where an error reaches the user; from the constructor Ray would only try again."""
        self._order.place.enter()
        if (here := version("zhuti")) != (needed := self._order.version):
            raise SharingError(f"the machine {socket.gethostname()} has zhuti {here}, the run is of {needed}; all need the same")
        tagger = Tagger.load(self._order.model, threads=1)
        if file_hash(self._order.model / MANIFEST) != self._order.sha256:
            raise SharingError(f"{self._order.model}: the machine {socket.gethostname()} has another model there; all need the same")
        return tagger

    def __call__(self, line: Line) -> Line:
        """:param line: a shard's chunks. :return: what was :class:`Written`."""
        try:
            return pack(line["number"], self._write(line["number"], unpack(line)))
        except TOLD as error:
            return pack(line["number"], error)

    def _write(self, number: int, chunks: list[Chunk]) -> Written:
        order, tagger = self._order, self._tagger
        shard = Shard(order.folder, number, order.layout, attempt=f".{uuid4().hex}")
        tagger.forget()  # as the local engine does at each shard's beginning
        for chunk in chunks:
            shard.write(chunk, tag_chunk(tagger, chunk, order.explain))
        done = shard.close()
        return Written(done, (order.folder / done.entry.file).stat().st_size)
