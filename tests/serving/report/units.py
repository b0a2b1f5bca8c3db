"""Tagged units made by hand."""

from __future__ import annotations

from serving.report.figures import Report
from zhuti.result import TaggedUnit, ThemeScore
from zhuti.text import split


def by_hand(name: str, text: str, labels: list[str]) -> Report:
    """:param labels: for each unit of the text its leaves, the primary first, by white space; the scores are .9, .6 and .4."""
    units = []
    for unit, codes in zip(split(text), labels, strict=True):
        themes = [ThemeScore(code, code.partition(".")[0], score) for code, score in zip(codes.split(), (0.9, 0.6, 0.4), strict=False)]
        units.append(TaggedUnit(unit.index, unit.start, unit.end, unit.text, unit.role, themes[0].code, False, tuple(themes)))
    return Report(name, text, units)
