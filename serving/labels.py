"""Short names of reports, for charts, tables and pages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from zhuti.documents import SUFFIXES


def short_labels(names: Sequence[str]) -> list[str]:
    """:return: the reports' names without folder and ending, unless two would be called the same."""
    stems = [stem(name) for name in names]
    return stems if len(set(stems)) == len(stems) else list(names)


def stem(name: str) -> str:
    """:return: a name without folder, and without the ending of a report."""
    path = Path(name)
    return path.stem if path.suffix.lower() in SUFFIXES else path.name
