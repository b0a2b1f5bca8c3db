"""The context layer: a sentence's logits corrected by its role and by what its heading and its neighbours are about.

It reads the neighbours' logits, which are computed anyway, so context costs no extra encoding; a sentence
without neighbours keeps its own logits. It is a linear layer fitted on out-of-fold logits (stacking,
Wolpert 1992), so it learns how far each view can be trusted on text that training has not seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from zhuti.decision import Floats, sigmoid
from zhuti.text import Role, Unit

FILE = "context.safetensors"
SLOTS = ("heading", "previous", "next")
ROLES: tuple[Role, ...] = get_args(Role)


def neighbours(documents: Sequence[Sequence[Role]]) -> NDArray[np.int64]:
    """Rows of each unit's heading, previous and next unit.

    :param documents: the roles of each document's units; units are numbered through all documents.
    :return: (units, 3); -1 where there is none. A heading's own heading is the one before it.
    """
    rows = np.full((sum(map(len, documents)), len(SLOTS)), -1, np.int64)
    first = 0
    for roles in documents:
        heading = -1
        for place, role in enumerate(roles):
            unit = first + place
            previous = unit - 1 if place > 0 else -1
            following = unit + 1 if place + 1 < len(roles) else -1
            rows[unit] = heading, previous, following
            if role == "heading":
                heading = unit
        first += len(roles)
    return rows


def role_numbers(roles: Iterable[Role]) -> NDArray[np.int64]:
    """:return: (units,), the place of each unit's role in ``ROLES``."""
    return np.fromiter(map(ROLES.index, roles), np.int64)


def window(units: Sequence[Unit], start: int, stop: int) -> tuple[list[Unit], int]:
    """Part of a document with what its units need around them: each has the neighbours there that it has in the whole.

    :return: the units from ``start`` to before ``stop`` among those, and how many stand before them.
    """
    before: list[Unit] = []
    if start > 0:
        previous = units[start - 1]
        heading = next((unit for unit in reversed(units[:start]) if unit.role == "heading"), previous)
        before = [previous] if heading is previous else [heading, previous]
    return [*before, *units[start : stop + 1]], len(before)


@dataclass(frozen=True)
class ContextLayer:
    """Final leaf logits from the two views' logits and the neighbours' probabilities.

    :param dense: (leaves,), weight of the encoder's own logit.
    :param lexical: (leaves,), weight of the lexical logit.
    :param bias: (leaves,).
    :param roles: (3, leaves): what the unit's own role, which its form gives away, adds to each leaf.
    :param slots: (3, leaves, leaves): what a leaf in the heading, previous or next unit adds to each leaf.
    """

    dense: Floats
    lexical: Floats
    bias: Floats
    roles: Floats
    slots: Floats

    @classmethod
    def load(cls, folder: Path) -> ContextLayer:
        return cls(**load_file(folder / FILE))

    def save(self, folder: Path) -> None:
        save_file({field.name: getattr(self, field.name) for field in fields(self)}, folder / FILE)

    def logits(self, dense: Floats, lexical: Floats, rows: NDArray[np.int64], roles: NDArray[np.int64]) -> Floats:
        """:param dense: (n, leaves). :param lexical: (n, leaves).

        :param rows: (n, 3), see :func:`neighbours`. :param roles: (n,), see :func:`role_numbers`.
        :return: (n, leaves).
        """
        own = self.dense * dense + self.lexical * lexical + self.bias + self.roles[roles]
        around = neighbour_probabilities(dense, lexical, rows)
        logits: Floats = own + np.einsum("nsi,sij->nj", around, self.slots, optimize=True)
        return logits


def neighbour_probabilities(dense: Floats, lexical: Floats, rows: NDArray[np.int64]) -> Floats:
    """:return: (n, 3, leaves): the views' mean probabilities at each neighbour, 0 where there is none."""
    own = sigmoid(np.float32(0.5) * (dense + lexical))
    return np.where(rows[:, :, None] >= 0, own[rows], np.float32(0))
