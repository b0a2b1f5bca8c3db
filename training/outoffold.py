"""Out-of-fold logits: every held-out sentence is scored by an exported model that has not seen it."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.torch import load_model, save_model
from sklearn.pipeline import Pipeline
from transformers import AutoConfig

from training.base import prepare_base
from training.baseline import export_lexical, fit_baseline
from training.corpus import ROOT
from training.dataset import SOURCES, Dataset
from training.export import export_encoder
from training.finetune import Targets, Tuned, fine_tune, sentence_vectors, start
from training.frozen import MAX_TOKENS, FrozenBase
from training.recipe import Recipe
from zhuti.artifact import file_hash
from zhuti.decision import Floats
from zhuti.evidence import EvidenceIndex, Remembered
from zhuti.model import VIEWS, Views

Ints = NDArray[np.int64]
CACHE = ROOT / "build" / "out-of-fold"
_CODE = (
    *(f"training/{name}.py" for name in ("base", "baseline", "dataset", "export", "finetune", "frozen", "outoffold", "recipe")),
    *(f"zhuti/{name}.py" for name in ("text", "lexical", "encoder", "compiled", "evidence", "model")),
)


@dataclass(frozen=True)
class OutOfFold:
    """Held-out logits of the views of the exported models.

    :param folds: (n,), -1 for sentences that were never held out; their logits are 0.
    :param views: (views, n, leaves), in the order of ``zhuti.model.VIEWS``; or (1, n, leaves) of a method that has one alone.
    """

    folds: Ints
    views: Floats

    def alone(self, view: str) -> OutOfFold:
        """One view by itself."""
        return OutOfFold(self.folds, self.views[[VIEWS.index(view)]])


class Trainer:
    """Trains the encoder on parts of a data set, in three stages of which parts that agree share the first ones.

    The lone written sentences come first, then all written ones, then the corpus with some written ones mixed in.

    :param base: as in :func:`training.base.prepare_base`.
    """

    def __init__(self, dataset: Dataset, base: str | None, recipe: Recipe, seed: int) -> None:
        self.dataset = dataset
        self.recipe = recipe
        self.seed = seed
        self._base_name = base
        self._texts = dataset.texts
        self.targets = Targets(dataset.targets, dataset.primaries, np.array(dataset.taxonomy.parents))
        self._corpus = dataset.corpus
        self._folder, prefix = prepare_base(base)
        self.settings: dict[str, Any] = {"prefix": prefix, "max_tokens": MAX_TOKENS}

    @cached_property
    def base(self) -> FrozenBase:
        """The encoder before training, with the frozen layers' output for all sentences."""
        return FrozenBase(self._folder, self.settings["prefix"], self._texts, self.recipe)

    def _after_lone(self) -> Tuned:
        lone = np.array([row for row, s in enumerate(self.dataset.sentences) if s.document is None])

        def tune() -> Tuned:
            begun = start(self.base, lone, self.targets, self.recipe, self.seed)
            return self._tune(begun, lone, self.recipe.lone_epochs)

        return self._stage(lone, tune)

    def _after_written(self, rows: Ints) -> Tuned:
        """:param rows: written sentences, the lone ones among them."""
        return self._stage(rows, lambda: self._tune(self._after_lone(), rows, self.recipe.written_epochs))

    def _stage(self, rows: Ints, tune: Callable[[], Tuned]) -> Tuned:
        """A model that several folds go on from; kept under ``build/`` like the logits of a fold."""
        cache = CACHE / f"{self._fingerprint(rows)}.safetensors"
        if not cache.is_file():
            print(f"  {len(rows)} written sentences", flush=True)
            tuned = tune()
            cache.parent.mkdir(parents=True, exist_ok=True)
            save_model(tuned, str(cache.with_suffix(".part")))
            cache.with_suffix(".part").replace(cache)
        model = Tuned(self.base.upper_layers(), self.base.encoder.config.hidden_size, self.targets.leaves.shape[1], self.recipe.dropout)
        load_model(model, str(cache))
        return model.eval()

    def train(self, rows: Ints, folder: Path) -> Pipeline:
        """Train all views on the given rows and export them into a folder.

        :return: the lexical view as a scikit-learn pipeline.
        """
        written, corpus = rows[~self._corpus[rows]], rows[self._corpus[rows]]
        tuned = self._after_written(written)
        if len(corpus):
            replay = np.random.default_rng(self.seed).permutation(written)[: self.recipe.replay]
            tuned = self._tune(tuned, np.concatenate([np.repeat(corpus, self.recipe.corpus_repeats), replay]), epochs=1)
        export_encoder(self.base, tuned, folder)
        remembered = [Remembered(s.id, s.text, s.labels) for s in (self.dataset.sentences[row] for row in rows)]
        EvidenceIndex.write(folder, sentence_vectors(tuned, self.base, rows), self.targets.leaves[rows], remembered)
        pipeline = fit_baseline([self._texts[row] for row in rows], self.targets.leaves[rows])
        export_lexical(pipeline).save(folder)
        return pipeline

    def _tune(self, model: Tuned, rows: Ints, epochs: int) -> Tuned:
        return fine_tune(model, self.base, rows, self.targets, self.recipe, epochs, self.seed)

    def out_of_fold(self, folds: Ints) -> OutOfFold:
        """Train once a fold and score what it holds out; each fold is kept under ``build/`` until anything that bears on it changes.

        :param folds: (n,), -1 for sentences that are in every training.
        """
        views = np.zeros((len(VIEWS), *self.targets.leaves.shape), np.float32)
        for fold in range(int(folds.max()) + 1):
            held_out, training = split_rows(self.dataset.rows, folds, fold, self._corpus)
            views[:, held_out] = self.held_out_logits(held_out, training)
        return OutOfFold(folds, views)

    def held_out_logits(self, held_out: Ints, training: Ints) -> Floats:
        """Train on some rows and score others.

        :return: (views, held out, leaves).
        """
        cache = CACHE / f"{self._fingerprint(held_out, training)}.npy"
        if not cache.is_file():
            print(f"  {len(held_out)} sentences held out, {len(training)} train", flush=True)
            self._score(held_out, training, cache)
        views: Floats = np.load(cache)
        return views

    def _score(self, held_out: Ints, training: Ints, cache: Path) -> None:
        with tempfile.TemporaryDirectory() as folder:
            self.train(training, Path(folder))
            _, views = Views(Path(folder), self.settings)([self._texts[row] for row in held_out])
        cache.parent.mkdir(parents=True, exist_ok=True)
        partial = cache.with_suffix(".part.npy")
        np.save(partial, views)
        partial.replace(cache)

    @cached_property
    def _common_fingerprint(self) -> list[str]:
        """Of data, labels, code, libraries, base, recipe and seed."""
        files = [*SOURCES, *(ROOT / name for name in _CODE), *sorted(Path(self._folder).glob("*"))]
        named = ("torch", "transformers", "scikit-learn", "openvino", "onnxruntime", "tokenizers", "opencc", "numpy")
        libraries = [f"{name} {version(name)}" for name in named]
        config = AutoConfig.from_pretrained(self._folder)
        revision = str(getattr(config, "_commit_hash", None))  # of a hub id, whose files lie elsewhere
        settings = [str(self._base_name), revision, json.dumps(asdict(self.recipe)), str(self.seed)]
        return [*map(file_hash, filter(Path.is_file, files)), *libraries, *settings]

    def _fingerprint(self, *parts: Ints) -> str:
        rows = [hashlib.sha256(part.tobytes()).hexdigest() for part in parts]
        return hashlib.sha256("\n".join([*self._common_fingerprint, *rows]).encode()).hexdigest()[:16]


def split_rows(rows: Ints, folds: Ints, fold: int, corpus: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """The rows a fold holds out, and those it trains on: all others but the direct neighbours of what is held out.

    A fold of written reports trains on written sentences alone: what is fitted on its logits knows nothing of the corpus.

    :param rows: (n, slots), see :func:`zhuti.context.neighbours`.
    :param corpus: (n,), True for corpus sentences.
    """
    held_out = folds == fold
    left_out = held_out.copy()
    around = rows[held_out, 1:3]
    left_out[around[around >= 0]] = True
    if not corpus[held_out].any():
        left_out |= corpus
    return np.flatnonzero(held_out), np.flatnonzero(~left_out)
