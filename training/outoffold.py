"""Out-of-fold logits: every held-out sentence is scored by an exported model that has not seen it."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.base import prepare_base
from training.baseline import export_lexical, fit_baseline
from training.corpus import ROOT
from training.dataset import SOURCES, Dataset
from training.export import export_encoder
from training.finetune import MAX_TOKENS, FrozenBase, Recipe, Targets, Tuned, fine_tune, start
from zhuti.artifact import file_hash
from zhuti.decision import Floats
from zhuti.model import Views

CACHE = ROOT / "build" / "out-of-fold"
_CODE = (
    *(f"training/{name}.py" for name in ("base", "baseline", "dataset", "export", "finetune", "outoffold")),
    *(f"zhuti/{name}.py" for name in ("text", "lexical", "encoder", "model")),
)


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


class Trainer:
    """Trains the encoder on parts of a data set; what all trainings share is done once.

    :param base: as in :func:`training.base.prepare_base`.
    """

    def __init__(self, dataset: Dataset, base: str | None, recipe: Recipe, seed: int) -> None:
        self.dataset = dataset
        self.recipe = recipe
        self.seed = seed
        self._texts = dataset.texts
        self._targets = Targets(dataset.targets, dataset.primaries, np.array(dataset.taxonomy.parents))
        folder, prefix = prepare_base(base)
        self.settings: dict[str, Any] = {"prefix": prefix, "max_tokens": MAX_TOKENS}
        self._base = FrozenBase(folder, prefix, self._texts, recipe.tuned_layers)

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

    def out_of_fold(self, folds: NDArray[np.int64]) -> OutOfFold:
        """Train once a fold and score what it holds out; kept under ``build/`` until anything that bears on it changes.

        :param folds: (n,), -1 for sentences that are in every training.
        """
        cache = CACHE / f"{self._fingerprint(folds)}.npz"
        if cache.is_file():
            stored = np.load(cache)
            return OutOfFold(stored["folds"], stored["dense"], stored["lexical"])
        dense, lexical = (np.zeros_like(self._targets.leaves) for _ in range(2))
        for fold in range(int(folds.max()) + 1):
            held_out, training = split_rows(self.dataset.rows, folds, fold)
            print(f"  fold {fold + 1}: {len(training)} sentences train, {len(held_out)} are held out", flush=True)
            with tempfile.TemporaryDirectory() as folder:
                self.train(training, Path(folder))
                _, dense[held_out], lexical[held_out] = Views(Path(folder), self.settings)([self._texts[row] for row in held_out])
        cache.parent.mkdir(parents=True, exist_ok=True)
        partial = cache.with_suffix(".part.npz")
        np.savez(partial, folds=folds, dense=dense, lexical=lexical)
        partial.replace(cache)
        return OutOfFold(folds, dense, lexical)

    def _fingerprint(self, folds: NDArray[np.int64]) -> str:
        """Of data, labels, code, libraries, base, recipe, seed and folds."""
        files = [*SOURCES, *(ROOT / name for name in _CODE)]
        libraries = [f"{name} {version(name)}" for name in ("torch", "transformers", "scikit-learn", "openvino", "tokenizers", "opencc")]
        settings = [json.dumps(asdict(self.recipe)), str(self.seed), self._base.fingerprint, hashlib.sha256(folds.tobytes()).hexdigest()]
        return hashlib.sha256("\n".join([*map(file_hash, files), *libraries, *settings]).encode()).hexdigest()[:16]


def split_rows(rows: NDArray[np.int64], folds: NDArray[np.int64], fold: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows a fold holds out, and those it trains on: all others but the direct neighbours of what is held out.

    :param rows: neighbours, (n, 3), see :func:`zhuti.context.neighbours`.
    """
    held_out = folds == fold
    beside = np.zeros(len(folds), bool)
    around = rows[held_out, 1:]
    beside[around[around >= 0]] = True
    return np.flatnonzero(held_out), np.flatnonzero(~held_out & ~beside)
