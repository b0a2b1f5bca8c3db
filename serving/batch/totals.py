"""Counts over a whole batch: sentences per leaf, uncertain ones, rejects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from zhuti.result import TaggedUnit
from zhuti.taxonomy import Taxonomy


@dataclass(slots=True)
class Totals:
    """:param primaries: sentences by the code of their primary leaf. :param rejects: inputs and rows that were not tagged."""

    primaries: Counter[str] = field(default_factory=Counter)
    uncertain: int = 0
    rejected_files: int = 0
    rejected_rows: int = 0

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Totals:
        return cls(**(fields | {"primaries": Counter(fields["primaries"])}))

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("primaries", "uncertain", "rejected_files", "rejected_rows")}

    @property
    def units(self) -> int:
        return self.primaries.total()

    @property
    def rejects(self) -> int:
        return self.rejected_files + self.rejected_rows

    @property
    def failed(self) -> bool:
        """Whether no input could be read at all."""
        return self.rejected_files > 0 and not self.units and not self.rejected_rows

    def count(self, units: Iterable[TaggedUnit]) -> None:
        for unit in units:
            self.primaries[unit.primary] += 1
            self.uncertain += unit.uncertain

    def add(self, other: Totals) -> None:
        self.primaries += other.primaries
        self.uncertain += other.uncertain
        self.rejected_files += other.rejected_files
        self.rejected_rows += other.rejected_rows

    def lines(self, taxonomy: Taxonomy) -> list[str]:
        """:return: one line a theme that occurs, the most frequent first."""
        by_theme = [(sum(self.primaries[leaf.code] for leaf in theme.leaves), theme) for theme in taxonomy.themes]
        return [
            f"{count:>10,} {count / self.units:>6.1%}  {theme.zh} {theme.code}"
            for count, theme in sorted(by_theme, key=lambda entry: -entry[0])
            if count
        ]
