"""Out-of-fold logits: every held-out sentence is scored by an exported model that has not seen it."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.base import BASE, PREFIX, build_base
from training.baseline import export_lexical, fit_baseline
from training.corpus import ROOT
from training.dataset import SOURCES, Dataset, cut_at_fold_edges
from training.export import export_encoder
from training.finetune import MAX_TOKENS, FrozenBase, Recipe, Targets, Tuned, fine_tune, start
from training.stacking import fit_context, fit_decision
from zhuti.artifact import file_hash
from zhuti.context import ContextLayer
from zhuti.decision import Decision, Floats
from zhuti.model import Views

CACHE = ROOT / "build" / "out-of-fold"
ENCODER_SETTINGS: dict[str, Any] = {"prefix": PREFIX, "max_tokens": MAX_TOKENS}


@dataclass(frozen=True)
class OutOfFold:
    """Held-out logits of the two views.

    :param folds: (n,), -1 for sentences that were never held out; their logits are 0.
    :param dense: (n, leaves), of the exported encoder.
    :param lexical: (n, leaves), of the exported baseline.
    """

    folds: NDArray[np.int64]
    dense: Floats
    lexical: Floats


def prepare_base(base: str | None) -> Path | str:
    """:return: the folder or hub id of the base encoder; the default one is built first."""
    if base is not None:
        return base
    return BASE if (BASE / "config.json").is_file() else build_base()


class Trainer:
    """Trains the encoder on parts of a data set; what all trainings share is done once.

    :param base: as in :func:`prepare_base`.
    """

    def __init__(self, dataset: Dataset, base: str | None, recipe: Recipe, seed: int) -> None:
        self.dataset = dataset
        self.recipe = recipe
        self.seed = seed
        self._base_name = str(base)
        self._texts = dataset.texts
        self._targets = Targets(dataset.targets, dataset.primaries, np.array(dataset.taxonomy.parents))
        self._base = FrozenBase(prepare_base(base), PREFIX, self._texts, recipe.tuned_layers)

    @cached_property
    def _trunk(self) -> Tuned:
        """Tuned on the lone written sentences, which no fold holds out."""
        lone = np.array([row for row, s in enumerate(self.dataset.sentences) if s.document is None])
        print(f"  trunk: {len(lone)} lone sentences", flush=True)
        started = start(self._base, lone, self._targets, self.recipe, self.seed)
        return fine_tune(started, self._base, lone, self._targets, self.recipe, self.recipe.trunk_epochs, self.seed)

    def train(self, rows: NDArray[np.int64], folder: Path) -> None:
        """Train both views on the given rows and export them into a folder."""
        tuned = fine_tune(self._trunk, self._base, rows, self._targets, self.recipe, self.recipe.epochs, self.seed)
        export_encoder(self._base, tuned, folder)
        export_lexical(fit_baseline([self._texts[row] for row in rows], self._targets.leaves[rows])).save(folder)

    def out_of_fold(self, folds: NDArray[np.int64], key: str) -> OutOfFold:
        """Train once a fold and score what it holds out; kept under ``build/`` until data, labels or recipe change.

        :param folds: (n,), -1 for sentences that are in every training.
        :param key: names the way of holding out in the cache.
        """
        cache = CACHE / f"{_fingerprint(self.recipe, self.seed, f'{key} {self._base_name}')}.npz"
        if cache.is_file():
            stored = np.load(cache)
            return OutOfFold(stored["folds"], stored["dense"], stored["lexical"])
        dense, lexical = (np.zeros_like(self._targets.leaves) for _ in range(2))
        for fold in range(int(folds.max()) + 1):
            held_out, training = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
            print(f"  fold {fold + 1}: {len(training)} sentences train, {len(held_out)} are held out", flush=True)
            with tempfile.TemporaryDirectory() as folder:
                self.train(training, Path(folder))
                _, dense[held_out], lexical[held_out] = Views(Path(folder), ENCODER_SETTINGS)([self._texts[row] for row in held_out])
        cache.parent.mkdir(parents=True, exist_ok=True)
        np.savez(cache, folds=folds, dense=dense, lexical=lexical)
        return OutOfFold(folds, dense, lexical)


def _fingerprint(recipe: Recipe, seed: int, key: str) -> str:
    parts = [file_hash(source) for source in SOURCES] + [json.dumps(asdict(recipe)), str(seed), key]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class CrossFitted:
    """Predictions for the corpus in which nothing was fitted on the fold that is predicted.

    :param probabilities: (corpus, leaves), calibrated.
    :param themes: (corpus, themes), calibrated.
    :param thresholds: (corpus, leaves), those that hold for each sentence.
    :param decisions: the decision that was used for each fold.
    :param logits: (corpus, leaves), before calibration.
    """

    probabilities: Floats
    themes: Floats
    thresholds: NDArray[np.float64]
    decisions: list[Decision]
    logits: Floats


def cross_fit(dataset: Dataset, held_out: OutOfFold, *, lexical_only: bool = False, context: bool = True) -> CrossFitted:
    """Fit context layer, calibration and thresholds for each fold on the logits of the other folds.

    :param lexical_only: score the baseline, which has neither the encoder nor context.
    :param context: give the context layer its neighbours when it predicts; False scores each sentence as if it came alone.
    """
    corpus, folds = dataset.corpus, held_out.folds
    rows, targets, primaries = cut_at_fold_edges(dataset.rows, folds), dataset.targets, dataset.primaries
    logits = held_out.lexical.copy()
    for fold in range(int(folds.max()) + 1):
        if lexical_only:
            break
        here = folds == fold
        layer = fit_context_on(held_out, rows, targets, primaries, (folds >= 0) & ~here)
        logits[here] = layer.logits(held_out.dense, held_out.lexical, rows if context else np.full_like(rows, -1))[here]
    probabilities = np.zeros_like(targets)
    themes = np.zeros((len(targets), len(dataset.taxonomy.theme_codes)), np.float32)
    thresholds = np.zeros(targets.shape)
    decisions = []
    for fold in range(int(folds.max()) + 1):
        here, others = folds == fold, (folds >= 0) & (folds != fold) & corpus
        decision = fit_decision(logits[others], targets[others], dataset.taxonomy)
        probabilities[here], thresholds[here] = decision.leaf_probabilities(logits[here]), decision.thresholds
        themes[here] = decision.theme_probabilities(probabilities[here], dataset.taxonomy)
        decisions.append(decision)
    return CrossFitted(probabilities[corpus], themes[corpus], thresholds[corpus], decisions, logits[corpus])


def fit_context_on(
    held_out: OutOfFold, rows: NDArray[np.int64], targets: Floats, primaries: NDArray[np.int64], use: NDArray[np.bool_]
) -> ContextLayer:
    """Fit the context layer on a part of the out-of-fold logits; neighbours outside that part do not count."""
    places = np.flatnonzero(use)
    renumbered = np.full(len(use) + 1, -1, np.int64)
    renumbered[places] = np.arange(len(places))
    return fit_context(held_out.dense[use], held_out.lexical[use], renumbered[rows[use]], targets[use], primaries[use])
