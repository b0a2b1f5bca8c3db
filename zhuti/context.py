"""The context layer: a sentence's logits corrected by what its heading and its neighbours are about.

It reads the neighbours' logits, which are computed anyway, so context costs no extra encoding; a sentence
without neighbours keeps its own logits. It is a linear layer fitted on out-of-fold logits (stacking,
Wolpert 1992), so it learns how far each view can be trusted on text that training has not seen.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from zhuti.decision import Floats, sigmoid
from zhuti.text import Role, Unit

FILE = "context.safetensors"
SLOTS = ("heading", "previous", "next", "second previous", "second next", "heading above")
REACH = 2  # units to either side
_NUMBERING = (r"第[一二三四五六七八九十]+[部章編编]|[一二三四五六七八九十]+[、.．]", r"[（(][一二三四五六七八九十]+[)）]", r"\d+[、.．]")


class Line(Protocol):
    """What context is read from: a unit or a labelled sentence."""

    @property
    def text(self) -> str: ...
    @property
    def role(self) -> Role: ...


def neighbours(documents: Sequence[Sequence[Line]]) -> NDArray[np.int64]:
    """Rows of each unit's headings and of the units beside it.

    :param documents: each document's units in order; units are numbered through all documents.
    :return: (units, slots), see ``SLOTS``; -1 where there is none. A heading's own heading is the one before it.
    """
    rows = np.full((sum(map(len, documents)), len(SLOTS)), -1, np.int64)
    first = 0
    for document in documents:
        last, heading = first + len(document) - 1, -1
        above: list[tuple[int, int]] = []  # level and row of the headings that are open, outermost first
        for row, line in enumerate(document, first):
            own = heading
            if line.role == "heading":
                level = heading_level(line.text)
                above = [*(other for other in above if other[0] < level), (level, row)]
                heading = row
            beside = [step if first <= step <= last else -1 for step in (row - 1, row + 1, row - 2, row + 2)]
            rows[row] = own, *beside, above[-2][1] if len(above) > 1 else -1
        first += len(document)
    return rows


def heading_level(text: str) -> int:
    """:return: 0 for 一、, 1 for (一), 2 for 1. and 3 for a heading without such a number."""
    return next((level for level, form in enumerate(_NUMBERING) if re.match(form, text)), len(_NUMBERING))


def window(units: Sequence[Unit], start: int, stop: int) -> tuple[list[Unit], int]:
    """Part of a document with what its units need around them: each has the neighbours there that it has in the whole.

    :return: the units from ``start`` to before ``stop`` among those, and how many stand before them.
    """
    before = reached_back(units, start)
    return [*before, *units[start : stop + REACH]], len(before)


def reached_back(units: Sequence[Unit], stop: int) -> list[Unit]:
    """What the context of later units reaches back to: of the units before ``stop`` the last ones and the open headings."""
    places = set(range(max(0, stop - REACH), stop))
    level = len(_NUMBERING) + 1
    for place in range(stop - 1, -1, -1):
        if units[place].role == "heading" and (own := heading_level(units[place].text)) < level:
            places.add(place)
            level = own
            if level == 0:
                break
    return [units[place] for place in sorted(places)]


@dataclass(frozen=True)
class ContextLayer:
    """Final leaf logits from the views' logits and the neighbours' probabilities.

    :param views: (views, leaves), weight of each view's logit.
    :param bias: (leaves,).
    :param slots: (slots, leaves, leaves): what a leaf in a heading or a unit beside adds to each leaf.
    """

    views: Floats
    bias: Floats
    slots: Floats

    @classmethod
    def load(cls, folder: Path) -> ContextLayer:
        """:raises ValueError: if it was fitted for other slots than this version reads."""
        layer = cls(**load_file(folder / FILE))
        if len(layer.slots) != len(SLOTS):
            raise ValueError(f"the context layer has {len(layer.slots)} slots, this version of zhuti reads {len(SLOTS)}")
        return layer

    def save(self, folder: Path) -> None:
        save_file({field.name: getattr(self, field.name) for field in fields(self)}, folder / FILE)

    def logits(self, views: Floats, rows: NDArray[np.int64]) -> Floats:
        """:param views: (views, n, leaves).

        :param rows: (n, slots), see :func:`neighbours`.
        :return: (n, leaves).
        """
        own = np.einsum("vnl,vl->nl", views, self.views) + self.bias
        logits: Floats = own + np.einsum("nsi,sij->nj", neighbour_probabilities(views, rows), self.slots, optimize=True)
        return logits


def neighbour_probabilities(views: Floats, rows: NDArray[np.int64]) -> Floats:
    """:return: (n, slots, leaves): what the views say of each neighbour, as probabilities, 0 where there is none."""
    own = sigmoid(np.float32(0.5) * views.sum(axis=0))
    return np.where(rows[:, :, None] >= 0, own[rows], np.float32(0))
