"""A document at work: it is tagged a window at a time, so that a long one leaves room for others and can be given up half-way."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from zhuti.context import window
from zhuti.decision import Floats
from zhuti.options import Options
from zhuti.result import TaggedUnit
from zhuti.tagger import Tagger
from zhuti.text import Unit


@dataclass(eq=False)
class Work:
    """The units of one document, those that are tagged already, and where the answer goes."""

    units: Sequence[Unit]
    options: Options
    future: Future[list[TaggedUnit]] = field(default_factory=Future)
    tagged: list[TaggedUnit] = field(default_factory=list)

    @property
    def finished(self) -> bool:
        """Whether every unit is tagged, or the work is answered or given up already."""
        return len(self.tagged) == len(self.units) or self.future.done()

    def next_window(self, count: int) -> Window:
        """:param count: how many units at most."""
        start = len(self.tagged)
        stop = min(start + count, len(self.units))
        if not self.options.context:
            return Window(self, [[unit] for unit in self.units[start:stop]], 0, stop - start)
        units, before = window(self.units, start, stop)
        return Window(self, [units], before, stop - start)

    def add(self, tagger: Tagger, probabilities: Floats, vectors: Floats | None) -> None:
        """Tag the next units by their scores, (units, leaves) and (units, width)."""
        start = len(self.tagged)
        self.tagged += tagger.present(self.units[start : start + len(probabilities)], probabilities, vectors, self.options)


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


def score(tagger: Tagger, windows: Sequence[Window]) -> list[tuple[Floats, Floats | None]]:
    """Score windows together. :return: for each the scores of its own units, as :meth:`Work.add` takes them."""
    probabilities, vectors = tagger.probabilities([document for part in windows for document in part.documents])
    scores: list[tuple[Floats, Floats | None]] = []
    start = 0
    for part in windows:
        own = slice(start + part.first, start + part.first + part.count)
        scores.append((probabilities[own], None if vectors is None else vectors[own]))
        start += sum(map(len, part.documents))
    return scores
