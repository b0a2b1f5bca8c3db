"""What a caller may ask of one tagging: how coarse, how many themes, with which evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["leaf", "theme"]


@dataclass(frozen=True, slots=True)
class Options:
    """Options of one document.

    :param level: ``leaf`` gives leaves; ``theme`` gives their themes, with theme scores.
    :param top_k: give the best so many, whatever their thresholds; the primary always stands first.
    :param min_score: give what scores at least this, instead of the model's thresholds; the primary is always given.
    :param explain: how many labelled sentences to give as evidence for each unit.
    :param context: whether a unit's heading and neighbours count.
    """

    level: Level = "leaf"
    top_k: int | None = None
    min_score: float | None = None
    explain: int = 0
    context: bool = True
