"""Neighbours, and windows that keep them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from zhuti.context import neighbours, window
from zhuti.text import Role, Unit

ROLES = st.lists(st.sampled_from(["heading", "body", "boilerplate"]), min_size=1, max_size=30)


@given(ROLES, st.integers(1, 7))
def test_a_unit_has_the_same_neighbours_in_its_window_as_in_the_whole(roles: list[Role], size: int) -> None:
    units = [Unit(index, 0, 0, "", role) for index, role in enumerate(roles)]
    whole = neighbours([roles])
    for start in range(0, len(units), size):
        part, before = window(units, start, start + size)
        own = part[before : before + size]
        assert own == units[start : start + size]
        rows = neighbours([[unit.role for unit in part]])[before : before + size]
        for unit, around in zip(own, rows, strict=True):
            assert [part[row].index if row >= 0 else -1 for row in around] == whole[unit.index].tolist()
