"""One-character marks of the themes, so that a theme is never told by its colour alone; those of the service's page."""

from __future__ import annotations

from zhuti.taxonomy import Theme

MARKS = {
    "political": "政", "ideology": "思", "cadres": "干", "discipline": "严", "grassroots": "基", "talent": "才",
    "service": "服", "veterans": "老", "department": "组", "overview": "综", "none": "–",
}  # fmt: skip


def mark(theme: Theme) -> str:
    """:return: the mark of a theme; in a taxonomy of one's own, the first character of its name."""
    return MARKS.get(theme.code) or theme.zh[0]
