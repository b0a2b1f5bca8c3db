"""Neighbours, and windows that keep them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from zhuti.context import heading_level, neighbours, window
from zhuti.text import Unit

HEADINGS = ("总则", "一、干部工作", "（二）选拔任用", "3. 考察")
LINES = dict.fromkeys(HEADINGS, "heading") | {"正文。": "body", "打印本页": "boilerplate"}


def units_of(texts: list[str]) -> list[Unit]:
    return [Unit(index, 0, 0, text, LINES[text]) for index, text in enumerate(texts)]


def test_neighbours_are_the_headings_above_and_the_units_beside() -> None:
    document = units_of(["一、干部工作", "（二）选拔任用", "正文。", "打印本页", "一、干部工作", "正文。"])
    assert neighbours([document, document[2:3], []]).tolist() == [
        [-1, -1, 1, -1, 2, -1],
        [0, 0, 2, -1, 3, 0],
        [1, 1, 3, 0, 4, 0],
        [1, 2, 4, 1, 5, 0],
        [1, 3, 5, 2, -1, -1],
        [4, 4, -1, 3, -1, -1],
        [-1, -1, -1, -1, -1, -1],
    ]


def test_levels_of_headings() -> None:
    texts = ["一、干部工作", "第三部分 展望", "（十二）选拔任用", "(二)选拔任用", "3.考察", "4、考察", "附则", "“一、二”"]
    assert [heading_level(text) for text in texts] == [0, 0, 1, 1, 2, 2, 3, 3]


@given(st.lists(st.sampled_from(list(LINES)), min_size=1, max_size=30), st.integers(1, 7))
def test_a_unit_has_the_same_neighbours_in_its_window_as_in_the_whole(texts: list[str], size: int) -> None:
    units = units_of(texts)
    whole = neighbours([units])
    for start in range(0, len(units), size):
        part, before = window(units, start, start + size)
        own = part[before : before + size]
        assert own == units[start : start + size]
        for unit, around in zip(own, neighbours([part])[before : before + size], strict=True):
            assert [part[row].index if row >= 0 else -1 for row in around] == whole[unit.index].tolist()
