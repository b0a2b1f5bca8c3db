"""Figures of tagged reports: shares of themes and leaves, and how far a report is from the mean of those beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from zhuti.result import TaggedUnit
from zhuti.taxonomy import Leaf, Taxonomy, Theme

WITHOUT_THEME = "none"
_LAST = ("overview", WITHOUT_THEME)  # they say nothing on what a report stresses
_STRESSED = 2


@dataclass(frozen=True)
class Report:
    """A tagged report.

    :param name: its file's name or the like.
    :param text: the report as it was given; the units' offsets are offsets in it.
    :param units: all its units, in order.
    """

    name: str
    text: str
    units: Sequence[TaggedUnit]

    @cached_property
    def primaries(self) -> Counter[str]:
        """Units by their primary leaf."""
        return Counter(unit.primary for unit in self.units)

    @cached_property
    def seconds(self) -> Counter[str]:
        """Units by the leaves they carry beside the primary one."""
        return Counter(theme.code for unit in self.units for theme in unit.themes[1:])

    @cached_property
    def carriers(self) -> Counter[str]:
        """Units by theme, counted under every theme they carry."""
        return Counter(code for unit in self.units for code in {theme.parent for theme in unit.themes})

    @cached_property
    def themes(self) -> Counter[str]:
        """Units by the theme of their primary leaf."""
        counts: Counter[str] = Counter()
        for code, count in self.primaries.items():
            counts[code.partition(".")[0]] += count
        return counts

    @property
    def boilerplate(self) -> int:
        """Units without a theme: web-page lines and the like."""
        return self.themes[WITHOUT_THEME]

    @property
    def sentences(self) -> int:
        """Units with a theme; shares are shares of these."""
        return len(self.units) - self.boilerplate

    @property
    def uncertain(self) -> int:
        return sum(unit.uncertain for unit in self.units)

    def share(self, code: str) -> float:
        """:param code: of a theme or a leaf other than boilerplate. :return: its share, 0 to 1; all themes' shares add up to 1."""
        counts = self.primaries if "." in code else self.themes
        return counts[code] / self.sentences if self.sentences else 0.0


@dataclass(frozen=True, slots=True)
class LeafRow:
    """A leaf that a report carries.

    :param count: units whose primary leaf it is.
    :param second: units that carry it beside another.
    :param score: mean score of the former, None if there is none.
    :param runs: where the former stand, as first and last index of neighbours.
    """

    leaf: Leaf
    count: int
    second: int
    score: float | None
    runs: list[tuple[int, int]]


def leaf_rows(report: Report, theme: Theme) -> list[LeafRow]:
    """:return: the leaves of one theme that occur in a report, the most frequent first."""
    rows = []
    for leaf in theme.leaves:
        own = [unit for unit in report.units if unit.primary == leaf.code]
        if own or report.seconds[leaf.code]:
            score = sum(unit.themes[0].score for unit in own) / len(own) if own else None
            rows.append(LeafRow(leaf, len(own), report.seconds[leaf.code], score, runs([unit.index for unit in own])))
    return sorted(rows, key=lambda row: (-row.count, -row.second))


def runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Join neighbours.

    >>> runs([1, 2, 3, 7])
    [(1, 3), (7, 7)]
    """
    joined: list[tuple[int, int]] = []
    for number in numbers:
        if joined and joined[-1][1] == number - 1:
            joined[-1] = joined[-1][0], number
        else:
            joined.append((number, number))
    return joined


def order_themes(reports: Sequence[Report], taxonomy: Taxonomy) -> list[Theme]:
    """:return: all themes, those with the largest mean share first, overview and boilerplate last."""
    ranked = sorted(taxonomy.themes, key=lambda theme: -mean_share(reports, theme.code))
    return sorted(ranked, key=lambda theme: _LAST.index(theme.code) + 1 if theme.code in _LAST else 0)


def mean_share(reports: Sequence[Report], code: str) -> float:
    """:return: the mean of the reports' shares of a theme; a long report weighs no more than a short one."""
    return sum(report.share(code) for report in reports) / len(reports)


def stresses(report: Report, reports: Sequence[Report], taxonomy: Taxonomy, least: float) -> list[tuple[Theme, float]]:
    """What sets a report apart from those beside it.

    :param least: differences below this (of shares, 0 to 1) are left out.
    :return: the two themes that it stresses most, and the two that it neglects most, each with its share less the mean share.
    """
    themes = [theme for theme in taxonomy.themes if theme.code != WITHOUT_THEME]
    differences = [(theme, report.share(theme.code) - mean_share(reports, theme.code)) for theme in themes]
    ranked = sorted(differences, key=lambda pair: -pair[1])
    more = [pair for pair in ranked if pair[1] >= least]
    less = [pair for pair in ranked if pair[1] <= -least]
    return more[:_STRESSED] + less[-_STRESSED:]
