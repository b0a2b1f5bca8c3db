"""What tagging gives: the same shape in library, command, HTTP service, batch and page."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from zhuti.text import Role


@dataclass(frozen=True, slots=True)
class ThemeScore:
    """A leaf given to a sentence; ``score`` is a calibrated probability, 0 to 1."""

    code: str
    parent: str
    score: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """A labelled sentence near the tagged one; ``similarity`` is the cosine of their vectors."""

    id: str
    text: str
    labels: tuple[str, ...]
    similarity: float


@dataclass(frozen=True, slots=True)
class TaggedUnit:
    """A sentence, heading or web-page line with its themes.

    :param index: position in its document, from 0.
    :param start: offset in the document as given, in code points.
    :param end: offset after the last character.
    :param primary: code of the primary leaf; it is also the first of ``themes``.
    :param uncertain: a reader should look: the primary leaf scores low.
    :param themes: one to three leaves, the primary first.
    :param evidence: the nearest labelled sentences, where they were asked for.
    :param chosen: the codes that the model itself gives, the primary first, where the caller's rule gave ``themes``.
    """

    index: int
    start: int
    end: int
    text: str
    role: Role
    primary: str
    uncertain: bool
    themes: tuple[ThemeScore, ...]
    evidence: tuple[Evidence, ...] = field(default=())
    chosen: tuple[str, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """:return: the result contract as plain values; ``evidence`` and ``chosen`` only where there are some."""
        row = asdict(self)
        for name in ("evidence", "chosen"):
            if not row[name]:
                del row[name]
        return row
