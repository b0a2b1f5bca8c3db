"""Honest predictions from out-of-fold logits: what is fitted on them is never fitted on the fold it is applied to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.dataset import Dataset, cut_at_fold_edges
from training.outoffold import OutOfFold
from training.stacking import fit_context, fit_decision
from zhuti.context import ContextLayer
from zhuti.decision import Decision, Floats

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class CrossFitted:
    """Predictions for the corpus; the model, context layer and decision of each fold were fitted without its labels.

    Most logits that a fold's context layer is fitted on are those of written reports, from models that knew no corpus sentence.
    Those of the other corpus folds come from models that had this fold among their training sentences, as always in stacking.

    :param probabilities: (corpus, leaves), calibrated.
    :param themes: (corpus, themes), calibrated.
    :param thresholds: (corpus, leaves), those that hold for each sentence.
    :param certain: (corpus,), the score below which the primary leaf is uncertain.
    """

    probabilities: Floats
    themes: Floats
    thresholds: NDArray[np.float64]
    certain: NDArray[np.float64]


class Stack:
    """The out-of-fold logits of a data set, and what is fitted on parts of them.

    Several views are joined by the context layer; one by itself has none.
    """

    def __init__(self, dataset: Dataset, held_out: OutOfFold) -> None:
        self._dataset = dataset
        self._views = held_out.views
        self._folds = held_out.folds
        self._rows = cut_at_fold_edges(dataset.rows, held_out.folds)
        self._targets = dataset.targets
        self._primaries = dataset.primaries
        self._layers: dict[frozenset[int], ContextLayer] = {}

    def context_without(self, folds: frozenset[int]) -> ContextLayer:
        """The context layer fitted on all held-out sentences but those of some folds."""
        if folds not in self._layers:
            self._layers[folds] = self._fit_without(folds)
        return self._layers[folds]

    def _fit_without(self, folds: frozenset[int]) -> ContextLayer:
        use = (self._folds >= 0) & ~np.isin(self._folds, list(folds))
        renumbered = np.full(len(use) + 1, -1, np.int64)  # a neighbour outside the part does not count
        renumbered[np.flatnonzero(use)] = np.arange(use.sum())
        rows = renumbered[self._rows[use]]
        return fit_context(self._views[:, use], rows, self._targets[use], self._primaries[use])

    def logits(self, fold: int, without: frozenset[int], *, context: bool = True) -> Floats:
        """Final logits of a fold's corpus sentences.

        :param without: the folds the context layer must not have seen.
        :param context: False scores each sentence as if it came alone.
        """
        here = self._in(fold)
        if len(self._views) == 1:
            own: Floats = self._views[0, here]
            return own
        rows = self._rows if context else np.full_like(self._rows, -1)
        return self.context_without(without).logits(self._views, rows)[here]

    def decision_without(self, fold: int | None) -> Decision:
        """Calibration and thresholds for a fold, fitted on the others; each of those is scored by a context layer that saw neither.

        :param fold: None fits on all folds, for the model that ships.
        """
        excluded = frozenset() if fold is None else frozenset({fold})
        others = [other for other in range(self.count) if other not in excluded]
        logits = np.concatenate([self.logits(other, excluded | {other}) for other in others])
        targets = np.concatenate([self._targets[self._in(other)] for other in others])
        return fit_decision(logits, targets, self._dataset.taxonomy)

    def predict(self, *, context: bool = True) -> CrossFitted:
        """Predict every corpus sentence; what comes alone is decided as the product does it, by the same thresholds."""
        corpus, taxonomy = self._dataset.corpus, self._dataset.taxonomy
        probabilities = np.zeros_like(self._targets)
        themes = np.zeros((len(corpus), len(taxonomy.theme_codes)), np.float32)
        thresholds, certain = np.zeros(self._targets.shape), np.zeros(len(corpus))
        for fold in range(self.count):
            here, decision = self._in(fold), self.decision_without(fold)
            probabilities[here] = decision.leaf_probabilities(self.logits(fold, frozenset({fold}), context=context))
            themes[here] = decision.theme_probabilities(probabilities[here], taxonomy)
            thresholds[here], certain[here] = decision.thresholds, decision.certain
        return CrossFitted(probabilities[corpus], themes[corpus], thresholds[corpus], certain[corpus])

    @property
    def count(self) -> int:
        """How many folds of the corpus there are; those of the written reports come after them."""
        return int(self._folds[self._dataset.corpus].max()) + 1

    def _in(self, fold: int) -> Bools:
        inside: Bools = (self._folds == fold) & self._dataset.corpus
        return inside
