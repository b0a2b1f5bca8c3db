"""A document at work: it is scored a window at a time, so that a long one leaves room for others and can be given up half-way."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np

from zhuti.context import window
from zhuti.decision import Floats
from zhuti.options import Options
from zhuti.result import TaggedUnit
from zhuti.tagger import Tagger
from zhuti.text import Unit


@dataclass(eq=False)
class Work:
    """The units of one document, the scores that are there already, and where the answer goes."""

    units: Sequence[Unit]
    options: Options
    future: Future[list[TaggedUnit]] = field(default_factory=Future)
    _done: int = 0
    _probabilities: list[Floats] = field(default_factory=list)
    _vectors: list[Floats] = field(default_factory=list)

    @property
    def finished(self) -> bool:
        """Whether every unit is scored, or the work is answered or given up already."""
        return self._done == len(self.units) or self.future.done()

    def next_window(self, count: int) -> Window:
        """:param count: how many units at most."""
        stop = min(self._done + count, len(self.units))
        if not self.options.context:
            return Window(self, [[unit] for unit in self.units[self._done : stop]], 0, stop - self._done)
        units, before = window(self.units, self._done, stop)
        return Window(self, [units], before, stop - self._done)

    def add(self, probabilities: Floats, vectors: Floats | None) -> None:
        """Take in the scores of the next units: (units, leaves) and (units, width)."""
        self._done += len(probabilities)
        self._probabilities.append(probabilities)
        if vectors is not None:
            self._vectors.append(vectors)

    def answer(self, tagger: Tagger) -> list[TaggedUnit]:
        """:return: the tagged units, once all are scored."""
        vectors = np.concatenate(self._vectors) if self._vectors else None
        return tagger.present(self.units, np.concatenate(self._probabilities), vectors, self.options)


@dataclass(frozen=True)
class Window:
    """What is scored of a work in one batch.

    :param documents: the units, with neighbours around them.
    :param first: how many units stand before the window's own.
    :param count: how many are the window's own.
    """

    work: Work
    documents: list[list[Unit]]
    first: int
    count: int


def score(tagger: Tagger, windows: Sequence[Window]) -> None:
    """Score windows together and add each one's scores to its work."""
    probabilities, vectors = tagger.probabilities([document for part in windows for document in part.documents])
    start = 0
    for part in windows:
        own = slice(start + part.first, start + part.first + part.count)
        part.work.add(probabilities[own], None if vectors is None else vectors[own])
        start += sum(map(len, part.documents))
