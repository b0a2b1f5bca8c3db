"""The text of HTML and Markdown, a block a line. Page furniture stays: the tagger marks it as boilerplate."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_HIDDEN = frozenset({"script", "style", "title", "template"})
_INLINE = {
    "a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "del", "dfn", "em", "font", "i", "img", "ins", "kbd", "label", "mark", "q", "s",
    "samp", "small", "span", "strike", "strong", "sub", "sup", "tt", "u", "var", "wbr",
}  # fmt: skip
_WIDE = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u2018-\u201d"
_SOURCE_BREAK = re.compile(rf"(?<=[{_WIDE}])[ \t]*[\r\n]\s*(?=[{_WIDE}])")
_SPACES = re.compile(r"[ \t\r\n]+")


class _Blocks(HTMLParser):
    """Collects the text of blocks. Events only: no tree, no external entities, any nesting depth."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._hidden is None and tag in _HIDDEN:
            self._hidden = tag
        self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == self._hidden:
            self._hidden = None
        self._break(tag)

    def handle_data(self, data: str) -> None:
        if self._hidden is None:
            self.parts.append(_SPACES.sub(" ", _SOURCE_BREAK.sub("", data)))

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        """What stands after ``<![`` and is no section that Python knows is a comment, as browsers have it."""
        try:
            return super().parse_marked_section(i, report)
        except AssertionError:
            return self.parse_bogus_comment(i, report)

    def _break(self, tag: str) -> None:
        if tag not in _INLINE:
            self.parts.append("\n")


def html_text(source: str) -> str:
    """:param source: an HTML page, however broken. :return: its visible text, one block a line."""
    blocks = _Blocks()
    blocks.feed(source)
    blocks.close()
    return _lines("".join(blocks.parts).split("\n"))


_FRONT_MATTER = re.compile(r"\A---\s*\n.*?\n---\s*(?:\n|\Z)", re.DOTALL)
_LINE_MARK = re.compile(r"^\s{0,3}(?:#{1,6}\s+|>\s?|[-*+]\s+)+")
_RULE = re.compile(r"^\s*(?:[-*_=]\s*){3,}$|^\s*```.*$|^\s*\|?(?:\s*:?-{3,}:?\s*\|)+\s*:?-*:?\s*$")
_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\n]*\)")
_EMPHASIS = re.compile(r"(\*\*|__|(?<!\d)\*|`)(?=\S)([^*`\n]+?)(?<=\S)\1")


def markdown_text(source: str) -> str:
    """:param source: Markdown. :return: its text without marks; lines stay lines, since Chinese is seldom wrapped by hand."""
    lines = (line for line in _FRONT_MATTER.sub("", source).splitlines() if not _RULE.match(line))
    return _lines([_EMPHASIS.sub(r"\2", _LINK.sub(r"\1", _LINE_MARK.sub("", line).strip().strip("|"))) for line in lines])


def _lines(lines: list[str]) -> str:
    return "\n".join(line for line in (line.strip() for line in lines) if line)
