"""What is fitted on out-of-fold logits alone: the context layer, calibration and thresholds."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from torch.nn import functional

from training.metrics import f1, indicator, to_themes
from zhuti.context import SLOTS, ContextLayer, neighbour_probabilities
from zhuti.decision import Decision, Floats, choose, sigmoid, theme_logits
from zhuti.taxonomy import Taxonomy

Ints = NDArray[np.int64]
SLOT_PENALTY = 0.6  # against the loss summed over the sentences, so that few sentences are trusted less
OWN_PENALTY = 1e-2
UNCERTAIN_SHARE = 0.2
_GRID = np.arange(0.2, 0.7, 0.025)


def fit_context(views: Floats, rows: Ints, targets: Floats, primaries: Ints) -> ContextLayer:
    """Fit the context layer on out-of-fold logits.

    Every sentence stands twice in the fit, with and without its neighbours, so that a lone sentence is scored well too.

    :param views: (views, n, leaves). :param rows: (n, slots).
    :param targets: (n, leaves). :param primaries: (n,).
    """
    own, around = (torch.from_numpy(array) for array in (views, neighbour_probabilities(views, rows)))
    y, first = (torch.from_numpy(np.concatenate([array, array])) for array in (targets, primaries))
    count, _, leaves = views.shape
    weights = {
        "views": torch.full((count, leaves), 1 / count, requires_grad=True),
        "bias": torch.zeros(leaves, requires_grad=True),
        "slots": torch.zeros(len(SLOTS), leaves, leaves, requires_grad=True),
    }
    optimizer = torch.optim.LBFGS(list(weights.values()), max_iter=150, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        alone = torch.einsum("vnl,vl->nl", own, weights["views"]) + weights["bias"]
        logits = torch.cat([alone + torch.einsum("nsi,sij->nj", around, weights["slots"]), alone])
        loss = functional.binary_cross_entropy_with_logits(logits, y, reduction="none").sum(1).mean() + functional.cross_entropy(
            logits, first
        )
        loss = loss + SLOT_PENALTY / len(targets) * weights["slots"].square().sum()
        apart = weights["views"] - weights["views"].mean(dim=1, keepdim=True)  # per-leaf weights stay near their mean
        loss = loss + OWN_PENALTY * apart.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return ContextLayer(**{name: weight.detach().numpy() for name, weight in weights.items()})


def fit_decision(logits: Floats, targets: Floats, taxonomy: Taxonomy) -> Decision:
    """Fit calibration and thresholds on out-of-fold logits.

    :param logits: (n, leaves), after the context layer.
    :param targets: (n, leaves).
    """
    leaf_scale, leaf_bias = _platt(logits, targets)
    probabilities = sigmoid(leaf_scale * logits + leaf_bias)
    themes = theme_logits(probabilities, taxonomy)
    theme_scale, theme_bias = _platt(themes, to_themes(targets > 0, taxonomy))
    thresholds = fit_thresholds(probabilities, targets, taxonomy)
    certain = float(np.quantile(probabilities.max(axis=1), UNCERTAIN_SHARE))
    return Decision(leaf_scale, leaf_bias, theme_scale, theme_bias, thresholds, certain)


def _platt(logits: Floats, targets: NDArray[Any]) -> tuple[float, float]:
    regression = LogisticRegression(C=1e4).fit(logits.reshape(-1, 1), targets.ravel() > 0)
    return float(regression.coef_[0, 0]), float(regression.intercept_[0])


def fit_thresholds(probabilities: Floats, targets: Floats, taxonomy: Taxonomy) -> tuple[float, ...]:
    """The threshold of each leaf with the best F1 of that leaf under :func:`choose`, shrunk towards the best common one.

    A leaf with few examples says little about its own threshold, so it counts as much as its support against 20.
    """
    gold = targets > 0
    common = common_threshold(probabilities, gold, taxonomy)
    primary = probabilities.argmax(axis=1)
    thresholds = []
    for leaf in range(gold.shape[1]):
        support = float(gold[:, leaf].sum())
        possible = (primary == leaf) | (probabilities[:, leaf] >= _GRID[0])  # no other sentence is given the leaf

        def leaf_f1(threshold: float, leaf: int = leaf, possible: NDArray[np.bool_] = possible, support: float = support) -> float:
            own = np.full(gold.shape[1], common)
            own[leaf] = threshold
            given = indicator(choose(probabilities[possible], own, taxonomy), gold.shape[1])[:, leaf]
            return 2 * float((given & gold[possible, leaf]).sum()) / max(1.0, float(given.sum()) + support)

        own = max(_GRID, key=leaf_f1)
        thresholds.append(round(float((support * own + 20 * common) / (support + 20)), 4))
    return tuple(thresholds)


def common_threshold(probabilities: Floats, gold: NDArray[np.bool_], taxonomy: Taxonomy) -> float:
    """The one threshold for all leaves with the best leaf micro-F1. :param gold: (n, leaves)."""
    width = gold.shape[1]

    def quality(threshold: float) -> float:
        return f1(indicator(choose(probabilities, np.full(width, threshold), taxonomy), width), gold, "micro")

    return float(max(_GRID, key=quality))
