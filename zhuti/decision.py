"""From logits to tags: calibration, thresholds and the one rule by which labels are chosen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zhuti.taxonomy import MAX_LABELS, STAND_ALONE, Taxonomy

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Decision:
    """Calibration and thresholds, all fitted on out-of-fold predictions.

    :param leaf_scale: slope of the leaf calibration (Platt 1999): ``p = sigmoid(scale * logit + bias)``.
    :param leaf_bias: its intercept.
    :param theme_scale: the same for themes.
    :param theme_bias: the same for themes.
    :param thresholds: per leaf in label order, the probability from which a leaf is given beside the primary one.
    :param certain: a sentence whose primary leaf scores below this is marked uncertain.
    """

    leaf_scale: float
    leaf_bias: float
    theme_scale: float
    theme_bias: float
    thresholds: tuple[float, ...]
    certain: float

    @classmethod
    def load(cls, path: Path) -> Decision:
        """Read what :meth:`save` wrote."""
        fields = json.loads(path.read_text(encoding="utf-8"))
        return cls(**(fields | {"thresholds": tuple(fields["thresholds"])}))

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    def leaf_probabilities(self, logits: Floats) -> Floats:
        """:param logits: (n, leaves). :return: calibrated probabilities, (n, leaves)."""
        return sigmoid(self.leaf_scale * logits + self.leaf_bias)

    def theme_probabilities(self, leaf_probabilities: Floats, taxonomy: Taxonomy) -> Floats:
        """:param leaf_probabilities: (n, leaves), calibrated. :return: calibrated probabilities, (n, themes)."""
        return sigmoid(self.theme_scale * theme_logits(leaf_probabilities, taxonomy) + self.theme_bias)


def theme_logits(leaf_probabilities: Floats, taxonomy: Taxonomy) -> Floats:
    """A theme is there unless all of its leaves are missing (noisy-or), before calibration.

    :param leaf_probabilities: (n, leaves). :return: log-odds, (n, themes).
    """
    missing = np.zeros((len(leaf_probabilities), len(taxonomy.theme_codes)), np.float64)
    np.add.at(missing.T, np.array(taxonomy.parents), np.log1p(-np.clip(leaf_probabilities.T.astype(np.float64), 1e-7, 1 - 1e-7)))
    return (np.log(-np.expm1(missing)) - missing).astype(np.float32)


def sigmoid(values: Floats) -> Floats:
    """The logistic function, safe for large values."""
    odds: Floats = np.asarray(0.5 * (1.0 + np.tanh(0.5 * values)), np.float32)
    return odds


def choose(probabilities: Floats, thresholds: NDArray[np.float64], taxonomy: Taxonomy) -> list[list[int]]:
    """The threshold rule: the best leaf is primary, others join from their own threshold on.

    :param probabilities: (n, leaves), in label order.
    :param thresholds: (leaves,), or (n, leaves) where they differ from row to row.
    :return: for each row one to three leaf positions, the primary first, the rest by falling probability.
    """
    alone = {taxonomy.position(code) for code in STAND_ALONE}
    rows: list[list[int]] = []
    order = np.argsort(-probabilities, axis=1, kind="stable")
    above = probabilities >= thresholds
    for row, ranked in enumerate(order):
        primary = int(ranked[0])
        chosen = [primary]
        if primary not in alone:
            others = (int(leaf) for leaf in ranked[1:8] if above[row, leaf] and int(leaf) not in alone)
            chosen += [leaf for leaf, _ in zip(others, range(MAX_LABELS - 1), strict=False)]
        rows.append(chosen)
    return rows


def themes_of(labels: list[list[int]], parents: Sequence[int]) -> list[list[int]]:
    """:param labels: leaf positions of each row. :return: positions of their themes, each once, in the same order."""
    return [list(dict.fromkeys(parents[leaf] for leaf in row)) for row in labels]


def choose_by_score(scores: Floats, labels: list[list[int]], top_k: int | None, min_score: float | None) -> list[list[int]]:
    """The caller's own rule in place of the thresholds: the best ``top_k``, or what scores at least ``min_score``, or both.

    :param scores: (n, leaves or themes).
    :param labels: what :func:`choose` gave; only the primary of each row is kept.
    :return: for each row the primary, then the others by falling score.
    """
    order = np.argsort(-scores, axis=1, kind="stable")
    count = top_k or scores.shape[1]
    floor = 0.0 if min_score is None else min_score
    return [
        [row[0], *[int(label) for label in ranked if label != row[0] and own[label] >= floor][: count - 1]]
        for row, ranked, own in zip(labels, order, scores, strict=True)
    ]
