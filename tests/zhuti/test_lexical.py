"""The lexical view counts n-grams of many texts at once; a plain count of each text says what must come out."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import SHIPPED
from zhuti.lexical import NGRAMS, LexicalView

TERMS = ["党", "建", "a", "党建", "aa", "建党", "党建a", "aaaa", "党建党建", "😀", "1"]
VIEW = LexicalView(
    TERMS,
    np.linspace(1, 2, len(TERMS), dtype=np.float32),
    np.random.default_rng(0).standard_normal((len(TERMS), 3)).astype(np.float32),
    np.array([0.5, -0.5, 0], np.float32),
)


def plain_logits(view: LexicalView, text: str) -> np.ndarray:
    place = {term: row for row, term in enumerate(view.terms)}
    text = text.lower()
    grams = (text[start : start + size] for size in range(NGRAMS[0], NGRAMS[1] + 1) for start in range(len(text) - size + 1))
    counts = Counter(place[gram] for gram in grams if gram in place)
    values = np.zeros(len(view.terms))
    for row, count in counts.items():
        values[row] = (1 + np.log(count)) * view.idf[row]
    return values / (np.linalg.norm(values) or 1) @ view.weight + view.bias


@given(st.lists(st.text(st.sampled_from("党建aA1外\n😀\ud800İ"), max_size=12), max_size=6))
def test_many_texts_at_once_give_what_each_gives_by_a_plain_count(texts: list[str]) -> None:
    found = VIEW.logits(texts)
    assert found.shape == (len(texts), 3)
    for row, text in enumerate(texts):
        np.testing.assert_allclose(found[row], plain_logits(VIEW, text), atol=1e-5)


def test_the_shipped_view_gives_what_a_plain_count_gives() -> None:
    view = LexicalView.load(SHIPPED)
    texts = ["全年调整干部1人次", "", "加强党支部标准化规范化建设，建强战斗堡垒" * 50, "ABC 外文"]
    for row, text in zip(view.logits(texts), texts, strict=True):
        np.testing.assert_allclose(row, plain_logits(view, text), atol=1e-4)


def test_terms_that_cannot_be_numbered_are_refused() -> None:
    terms = [chr(point) for point in range(0x3400, 0x3400 + 60_000) if not 0xD800 <= point < 0xE000]
    ones = np.ones((len(terms), 1), np.float32)
    with pytest.raises(ValueError, match="too many to number"):
        LexicalView(terms, ones[:, 0], ones, np.zeros(1, np.float32))
