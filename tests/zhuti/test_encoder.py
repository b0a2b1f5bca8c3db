"""How texts are put into batches; what the encoder gives is tested through the tagger."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from zhuti.encoder import _BATCH_TOKENS, batches_of


@given(st.lists(st.integers(2, 160), max_size=200))
def test_every_text_is_in_one_batch_andbatches_of_are_bounded(lengths: list[int]) -> None:
    batches = list(batches_of(lengths))
    assert sorted(row for rows in batches for row in rows) == list(range(len(lengths)))
    assert all(len(rows) * max(lengths[row] for row in rows) <= _BATCH_TOKENS for rows in batches)
    longest = [lengths[rows[0]] for rows in batches]
    assert longest == sorted(longest, reverse=True)


def test_a_few_texts_make_twobatches_of() -> None:
    assert list(batches_of([10] * 8)) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert list(batches_of([30, 31, 29, 8])) == [[1, 0], [2, 3]]
    assert list(batches_of([5])) == [[0]]
    assert list(batches_of([])) == []


def test_many_texts_fill_theirbatches_of() -> None:
    assert [len(rows) for rows in batches_of([160] * 3 + [33] * 30)] == [3, 15, 15]
