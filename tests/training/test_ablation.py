"""The rows of the ablation, and how one is compared with another."""

from __future__ import annotations

import numpy as np
import pytest

from training.ablation import ROWS, _compare, _references, render, run


def test_every_row_is_compared_with_another_one() -> None:
    for name, (_, reference) in ROWS.items():
        assert reference in ROWS
        assert name not in _references(name)
    assert _references("asymmetric loss") == [
        "reference: 12 layers, upper 3 tuned, started head, tied loss",
        "heads not tied by the hierarchy",
    ]


def test_an_unknown_row_is_refused_before_anything_runs() -> None:
    with pytest.raises(ValueError, match=r"unknown rows \['R-Dorp'\]; the rows are: reference"):
        next(run(["R-Drop", "R-Dorp"]))


def test_gain_and_p_value_of_a_row_that_is_right_where_its_reference_is_wrong() -> None:
    gold = np.tile(np.eye(2, dtype=bool), (40, 1))
    blocks = np.repeat(np.arange(20), 4)
    right, wrong = gold, ~gold
    gain, p = _compare([right, right], [wrong, wrong], gold, blocks)
    assert gain == 1.0
    assert p == pytest.approx(2 / 501)
    assert _compare([wrong, wrong], [right, right], gold, blocks) == (-1.0, p)
    assert _compare([right], [right], gold, blocks) == (0.0, 1.0)


def test_a_line_of_the_table() -> None:
    keys = ("leaf_micro_f1", "leaf_macro_f1", "theme_micro_f1", "theme_macro_f1")
    record = {"row": "a", "mean": dict.fromkeys(keys, 0.5), "spread": dict.fromkeys(keys, 0.01), "gain": -0.02, "p": 0.25}
    assert render(record) == "| a |" + " 0.500 ± 0.010 |" * 4 + " -0.020 | 0.250 |"
