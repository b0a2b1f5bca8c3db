"""Scores of multi-label predictions: F1 at both levels, calibration error, bootstrap intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from zhuti.taxonomy import Taxonomy

Bools = NDArray[np.bool_]

#: What :func:`score` gives, with the names that people read.
FIGURES = {
    "leaf_micro_f1": "leaf micro-F1",
    "leaf_macro_f1": "leaf macro-F1",
    "theme_micro_f1": "theme micro-F1",
    "theme_macro_f1": "theme macro-F1",
    "primary_leaf_accuracy": "primary leaf right",
    "primary_theme_accuracy": "primary theme right",
}


def indicator(chosen: Sequence[Sequence[int]], width: int) -> Bools:
    """:param chosen: label positions of each row. :return: (n, width)."""
    matrix = np.zeros((len(chosen), width), bool)
    for row, labels in enumerate(chosen):
        matrix[row, list(labels)] = True
    return matrix


def to_themes(leaves: Bools, taxonomy: Taxonomy) -> Bools:
    """:param leaves: (n, leaves). :return: (n, themes): a theme is given if one of its leaves is."""
    themes = np.zeros((len(leaves), len(taxonomy.theme_codes)), bool)
    for leaf, parent in enumerate(taxonomy.parents):
        themes[:, parent] |= leaves[:, leaf]
    return themes


def f1(predicted: Bools, gold: Bools, average: str) -> float:
    """F1 over the labels that the gold holds; a label without gold is not scored by macro-F1 but its
    predictions still cost micro-F1."""
    present = gold.any(axis=0)
    if average == "macro":
        predicted, gold = predicted[:, present], gold[:, present]
    return float(f1_score(gold, predicted, average=average, zero_division=0))


def score(chosen: Sequence[Sequence[int]], gold: Bools, primaries: NDArray[np.int64], taxonomy: Taxonomy) -> dict[str, float]:
    """The figures of a report: micro- and macro-F1 at both levels, accuracy of the primary leaf and of its theme."""
    predicted = indicator(chosen, gold.shape[1])
    themes, gold_themes = to_themes(predicted, taxonomy), to_themes(gold, taxonomy)
    parents = np.array(taxonomy.parents)
    first = np.array([labels[0] for labels in chosen])
    return {
        "leaf_micro_f1": f1(predicted, gold, "micro"),
        "leaf_macro_f1": f1(predicted, gold, "macro"),
        "theme_micro_f1": f1(themes, gold_themes, "micro"),
        "theme_macro_f1": f1(themes, gold_themes, "macro"),
        "primary_leaf_accuracy": float((first == primaries).mean()),
        "primary_theme_accuracy": float((parents[first] == parents[primaries]).mean()),
    }


def calibration_error(probabilities: NDArray[np.floating[Any]], gold: Bools, bins: int = 10) -> float:
    """Expected calibration error (Naeini et al. 2015) over all label decisions, most of which are near 0; equal-width bins."""
    return sum(weight * abs(mean - share) for mean, share, weight in reliability(probabilities, gold, bins))


def primary_decisions(
    chosen: Sequence[Sequence[int]], themes: NDArray[np.floating[Any]], gold: Bools, parents: Sequence[int]
) -> tuple[NDArray[np.floating[Any]], Bools]:
    """One decision a row: the score of the primary theme, which most readers of a result look at, and whether it is right.

    :param chosen: leaf positions of each row, the primary first. :param themes: (n, themes). :param gold: (n, themes).
    :return: both (n,).
    """
    rows, primary = np.arange(len(chosen)), [parents[labels[0]] for labels in chosen]
    return themes[rows, primary], gold[rows, primary]


def primary_calibration_error(
    chosen: Sequence[Sequence[int]], themes: NDArray[np.floating[Any]], gold: Bools, parents: Sequence[int], bins: int = 10
) -> float:
    """Expected calibration error of :func:`primary_decisions`."""
    return calibration_error(*primary_decisions(chosen, themes, gold, parents), bins)


def reliability(probabilities: NDArray[np.floating[Any]], gold: Bools, bins: int = 10) -> list[tuple[float, float, float]]:
    """:return: for each bin that is not empty: mean probability, share of true labels, share of all decisions."""
    p, g = np.asarray(probabilities, float).ravel(), gold.ravel()
    place = np.minimum((p * bins).astype(int), bins - 1)
    return [(float(p[at].mean()), float(g[at].mean()), float(at.mean())) for b in range(bins) if (at := place == b).any()]


def bootstrap_intervals(
    figures: Callable[[NDArray[np.int64]], dict[str, float]], blocks: NDArray[np.int64], rounds: int = 1000, seed: int = 0
) -> dict[str, tuple[float, float]]:
    """95 % intervals by resampling whole blocks of neighbouring sentences.

    :param figures: of row numbers.
    :param blocks: (n,), the block of each row.
    """
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(blocks == block) for block in np.unique(blocks)]
    draws = [figures(np.concatenate([members[b] for b in rng.integers(len(members), size=len(members))])) for _ in range(rounds)]
    ends = {key: np.percentile([draw[key] for draw in draws], [2.5, 97.5]) for key in draws[0]}
    return {key: (float(low), float(high)) for key, (low, high) in ends.items()}


def paired_permutation(
    difference: Callable[[NDArray[np.bool_]], float], blocks: NDArray[np.int64], rounds: int = 2000, seed: int = 0
) -> float:
    """One-sided p-value of a paired permutation test that swaps the two systems' predictions block by block.

    :param difference: first system's score minus the second's, given where (n,) their predictions are swapped.
    """
    rng = np.random.default_rng(seed)
    observed = difference(np.zeros(len(blocks), bool))
    names, place = np.unique(blocks, return_inverse=True)
    as_large = sum(difference(rng.random(len(names))[place] < 0.5) >= observed for _ in range(rounds))
    return (as_large + 1) / (rounds + 1)
