"""Scoring a corpus that training saw nothing of: thresholds, and what joins views, come from the other half of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from training.dataset import Dataset
from training.metrics import Bools
from training.stacking import common_threshold, fit_context
from zhuti.context import ContextLayer
from zhuti.decision import Floats, choose, sigmoid


@dataclass(frozen=True)
class UnseenCorpus:
    """The corpus sentences of a data set and its two halves: Sichuan, and the other four documents."""

    dataset: Dataset

    @cached_property
    def size(self) -> int:
        return int(self.dataset.corpus.sum())

    @cached_property
    def gold(self) -> Bools:
        return self.dataset.targets[: self.size] > 0

    @cached_property
    def primaries(self) -> NDArray[np.int64]:
        return self.dataset.primaries[: self.size]

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        return self.dataset.rows[: self.size]

    @cached_property
    def halves(self) -> tuple[tuple[Bools, Bools], ...]:
        """Pairs of (fitted on, applied to), each (corpus,)."""
        sichuan = np.array([sentence.document == "sichuan-2015" for sentence in self.dataset.sentences[: self.size]])
        return (sichuan, ~sichuan), (~sichuan, sichuan)

    def choose(self, logits: Floats) -> list[list[int]]:
        """Label sets by the common threshold that is best on the other half."""
        probabilities, thresholds = sigmoid(logits), np.zeros(self.gold.shape)
        for fitted, applied in self.halves:
            thresholds[applied] = common_threshold(probabilities[fitted], self.gold[fitted], self.dataset.taxonomy)
        return choose(probabilities, thresholds, self.dataset.taxonomy)

    def joined(self, views: Floats, *, context: bool) -> Floats:
        """Views joined, with or without neighbours, by a context layer fitted on the other half.

        :param views: (views, corpus, leaves).
        """
        logits: Floats = np.zeros_like(views[0])
        for fitted, applied in self.halves:
            numbers = np.full(self.size + 1, -1, np.int64)
            numbers[np.flatnonzero(fitted)] = np.arange(fitted.sum())
            gold = self.gold[fitted].astype(np.float32)
            rows = numbers[self.rows[fitted]]
            layer: ContextLayer = fit_context(views[:, fitted], rows, gold, self.primaries[fitted])
            logits[applied] = layer.logits(views, self.rows if context else np.full_like(self.rows, -1))[applied]
        return logits
