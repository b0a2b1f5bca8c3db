"""The rules that choose labels, on small arrays."""

from __future__ import annotations

import numpy as np
import pytest

from zhuti.decision import choose_by_score, themes_of

SCORES = np.array([[0.1, 0.7, 0.5, 0.2], [0.3, 0.1, 0.2, 0.25]], np.float32)
LABELS = [[2, 1], [0]]  # the first row's primary is not its best score, as a theme's may not be


@pytest.mark.parametrize(
    ("top_k", "min_score", "chosen"),
    [
        (1, None, [[2], [0]]),
        (2, None, [[2, 1], [0, 3]]),
        (9, None, [[2, 1, 3, 0], [0, 3, 2, 1]]),
        (None, 0.2, [[2, 1, 3], [0, 3, 2]]),
        (None, 0.0, [[2, 1, 3, 0], [0, 3, 2, 1]]),
        (None, 1.0, [[2], [0]]),
        (2, 0.2, [[2, 1], [0, 3]]),
    ],
)
def test_the_caller_s_own_rule_keeps_the_primary_first(top_k: int | None, min_score: float | None, chosen: list[list[int]]) -> None:
    assert choose_by_score(SCORES, LABELS, top_k, min_score) == chosen


def test_themes_of_leaves_each_once_in_order() -> None:
    assert themes_of([[3, 0, 1], [2]], parents=(0, 0, 1, 2)) == [[2, 0], [1]]
