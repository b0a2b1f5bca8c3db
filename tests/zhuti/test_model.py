"""Sentences that repeat are computed once, and what is remembered of them is bounded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import zhuti.model
from tests.conftest import SHIPPED
from zhuti.artifact import Artifact
from zhuti.context import SLOTS
from zhuti.model import EncoderModel, Views, load_model


class Watched:
    """:param computed: the texts that were computed, in order."""

    def __init__(self, views: Views) -> None:
        self._views = views
        self.computed: list[str] = []

    def __call__(self, texts: list[str]) -> Any:
        self.computed += texts
        return self._views(texts)


@pytest.fixture(scope="module")
def shipped() -> EncoderModel:
    model = load_model(Artifact.load(SHIPPED))
    assert isinstance(model, EncoderModel)
    return model


@pytest.fixture
def watched(shipped: EncoderModel, monkeypatch: pytest.MonkeyPatch) -> Watched:
    watched = Watched(shipped._views)
    monkeypatch.setattr(shipped, "_views", watched)
    shipped.forget()
    return watched


def logits(model: EncoderModel, *texts: str) -> Any:
    return model.logits(list(texts), np.full((len(texts), len(SLOTS)), -1))[0]


def test_a_sentence_that_repeats_is_computed_once(shipped: EncoderModel, watched: Watched) -> None:
    first = logits(shipped, "引进人才", "慰问老干部", "引进人才")
    assert watched.computed == ["引进人才", "慰问老干部"]
    assert (first[0] == first[2]).all()
    assert not (first[0] == first[1]).all()
    again = logits(shipped, "慰问老干部", "发展党员")
    assert watched.computed == ["引进人才", "慰问老干部", "发展党员"]
    assert (again[0] == first[1]).all()
    shipped.forget()
    logits(shipped, "慰问老干部")
    assert watched.computed[3:] == ["慰问老干部"]


def test_what_is_remembered_is_bounded(shipped: EncoderModel, watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zhuti.model, "_CACHED_TEXTS", 3)
    monkeypatch.setattr(zhuti.model, "_CACHED_CHARACTERS", 5)
    logits(shipped, "一", "二", "三")
    logits(shipped, "一", "四", "长长长长长长")
    assert list(shipped._cache) == ["三", "一", "四"]  # used last stands last
    logits(shipped, "长长长长长长", "一")
    assert watched.computed == ["一", "二", "三", "四", "长长长长长长", "长长长长长长"]
    for number in range(9):
        logits(shipped, str(number))
        assert len(shipped._cache) == 3
    assert all(part.base is None for parts in shipped._cache.values() for part in parts)  # no part keeps its whole batch
