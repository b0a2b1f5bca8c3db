"""Counts of operations that can be left out."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.operations import early_exit, padding, render, repeated
from training.dataset import load_dataset


def test_padding_is_counted_by_the_longest_of_a_batch() -> None:
    in_order, by_length, shipped = padding(np.array([8, 80] * 32)).values()
    assert in_order == pytest.approx(64 * 80 / (32 * 88))
    assert by_length == 1.0
    assert 1.0 <= shipped < 1.2


def test_repeats_count_from_the_second_time_on() -> None:
    assert repeated(["甲", "乙", "甲", "甲"], np.array([3, 1, 3, 3])) == pytest.approx(0.6)


def test_an_early_exit_saves_more_the_sooner_it_is_taken() -> None:
    dataset = load_dataset(written=False)
    exits = [early_exit(dataset, np.ones(616, int), threshold) for threshold in (0.0, 0.5, 0.99, 1.1)]
    saved = [each["tokens_saved"] for each in exits]
    assert saved[0] == 1.0
    assert saved == sorted(saved, reverse=True)
    assert saved[-1] == 0.0
    assert exits[-1]["leaf_micro_f1_change"] == 0.0
    assert exits[0]["leaf_micro_f1_change"] < -0.5
    assert "| 0.99 | " in render({"padding": {}, "repeated": 0.0, "early_exit": [exits[2]]})
