"""The lines of a report, rebuilt from its text and the offsets of its units, so that it reads as it was written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from serving.report.figures import WITHOUT_THEME, Report
from zhuti.result import TaggedUnit

_LINE_END = re.compile(r"[\r\n\v\f\x85\u2028\u2029]")
_BLANK_LINE = re.compile(r"(?:\r\n?|\n)\s*[\r\n]")


@dataclass(slots=True)
class Line:
    """One line with a sentence in it.

    :param heading: as the splitter found it by the line's form.
    :param spaced: a blank line stands before it.
    :param pieces: its units in order, each with the text between the one before and itself.
    """

    heading: bool
    spaced: bool
    pieces: list[tuple[str, TaggedUnit]] = field(default_factory=list)

    @property
    def boilerplate(self) -> bool:
        """No sentence of the line has a theme."""
        return all(unit.primary.partition(".")[0] == WITHOUT_THEME for _, unit in self.pieces)


def lines(report: Report) -> list[Line]:
    """:return: all units of a report, line by line."""
    found: list[Line] = []
    end = 0
    for unit in report.units:
        gap = report.text[end : unit.start]
        if not found or _LINE_END.search(gap):
            found.append(Line(unit.role == "heading", bool(found) and bool(_BLANK_LINE.search(gap))))
            gap = ""
        found[-1].pieces.append((gap, unit))
        end = unit.end
    return found


def title(report: Report) -> str | None:
    """:return: the heading that opens the report, web-page lines passed over; None if it opens with something else."""
    for unit in report.units:
        if unit.primary.partition(".")[0] != WITHOUT_THEME:
            return unit.text if unit.role == "heading" else None
    return None
