"""How texts are put into batches; what the encoder gives is tested through the tagger."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from zhuti.by_openvino import _BATCH_TOKENS, batches_of, padded


@given(st.lists(st.integers(2, 160), max_size=200))
def test_every_text_is_in_one_bounded_batch_padded_to_its_own_length(lengths: list[int]) -> None:
    batches = list(batches_of(lengths))
    assert sorted(row for rows in batches for row in rows) == list(range(len(lengths)))
    assert all(len(rows) * max(lengths[row] for row in rows) <= _BATCH_TOKENS for rows in batches)
    assert all(len({padded(lengths[row]) for row in rows}) == 1 for rows in batches)
    longest = [lengths[rows[0]] for rows in batches]
    assert longest == sorted(longest, reverse=True)


def test_a_few_texts_make_four_batches_or_more() -> None:
    assert list(batches_of([12] * 8)) == [[0, 1], [2, 3], [4, 5], [6, 7]]
    assert list(batches_of([30, 31, 29, 8])) == [[1], [0], [2], [3]]
    assert list(batches_of([5])) == [[0]]
    assert list(batches_of([])) == []


def test_many_texts_fill_their_batches() -> None:
    assert [len(rows) for rows in batches_of([120] * 5 + [36] * 30)] == [2, 2, 1, 6, 6, 6, 6, 6]
