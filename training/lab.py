"""What the rows of the ablation share: draws of training sentences made ready for the encoder, and models trained on them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from training.base import prepare_base
from training.baseline import export_lexical, fit_baseline
from training.curve import draw_per_leaf
from training.dataset import load_dataset
from training.finetune import Targets, Tuned, fine_tune, sentence_vectors, start
from training.frozen import FrozenBase
from training.halves import UnseenCorpus
from training.recipe import Recipe
from zhuti.decision import Floats

Ints = NDArray[np.int64]
REPORTS = 24
RECIPE = Recipe()
EPOCHS = 3
KEPT = 6  # draws; each holds an encoder and the texts of its sentences, encoded


class Draw:
    """One seed's training sentences beside the corpus, ready for the encoder.

    :param numbers: rows of the data set to train on.
    :param text_of: how a row of the data set becomes the encoder's input.
    """

    def __init__(self, corpus: UnseenCorpus, numbers: Ints, recipe: Recipe, text_of: Callable[[int], str]) -> None:
        self.corpus, self.recipe = corpus, recipe
        self.numbers = np.concatenate([np.arange(corpus.size), numbers])
        dataset = corpus.dataset
        parents = np.array(dataset.taxonomy.parents)
        self.targets = Targets(dataset.targets[self.numbers], dataset.primaries[self.numbers], parents)
        self.training = np.arange(corpus.size, len(self.numbers))
        self.texts = [text_of(row) for row in self.numbers]
        folder, prefix = prepare_base(None)
        self.base = FrozenBase(folder, prefix, self.texts, recipe)

    def started(self, seed: int) -> Tuned:
        return start(self.base, self.training, self.targets, self.recipe, seed)

    def vectors(self, model: Tuned) -> Floats:
        """Of the corpus and the training sentences, in the order of ``numbers``."""
        return sentence_vectors(model, self.base, np.arange(len(self.numbers)))

    @torch.no_grad()
    def logits(self, model: Tuned, rows: Ints | None = None) -> Floats:
        """Of the corpus, or of other rows."""
        rows = np.arange(self.corpus.size) if rows is None else rows
        logits = np.zeros((len(rows), self.targets.leaves.shape[1]), np.float32)
        for places in self.base.by_length(rows):
            logits[places] = model.eval()(*self.base.hidden(rows[places])).float().numpy()
        return logits


class Lab:
    """Draws and models that several rows share."""

    def __init__(self) -> None:
        self.corpus = UnseenCorpus(load_dataset())
        self.texts = self.corpus.dataset.texts

    @lru_cache(maxsize=KEPT)  # noqa: B019 - one lab a process
    def sentences(self, seed: int, per_leaf: int, recipe: Recipe) -> Draw:
        """Lone written sentences, so many a leaf."""
        dataset = self.corpus.dataset
        lone = np.array([row for row, s in enumerate(dataset.sentences) if s.written and s.document is None])
        return Draw(self.corpus, draw_per_leaf(dataset.primaries, lone, per_leaf, seed), recipe, self.texts.__getitem__)

    @lru_cache(maxsize=KEPT)  # noqa: B019
    def reports(self, seed: int, segment: bool) -> Draw:
        """Whole written reports; with ``segment``, heading and previous sentence follow each sentence as a second segment."""
        dataset, rng = self.corpus.dataset, np.random.default_rng(seed)
        names = list(dict.fromkeys(s.document for s in dataset.sentences if s.written and s.document))
        chosen = set(rng.permutation(np.array(names))[:REPORTS])
        numbers = np.array([row for row, s in enumerate(dataset.sentences) if s.document in chosen])
        around = dataset.rows

        def with_context(row: int) -> str:
            return self.texts[row] + "".join(f"</s>{self.texts[other][:60]}" for other in around[row, :2] if other >= 0)

        return Draw(self.corpus, numbers, RECIPE, with_context if segment else self.texts.__getitem__)

    @lru_cache(maxsize=KEPT)  # noqa: B019
    def lexical(self, draw: Draw) -> Floats:
        pipeline = fit_baseline([draw.texts[row] for row in draw.training], draw.targets.leaves[draw.training])
        return export_lexical(pipeline).logits(draw.texts[: self.corpus.size])

    @lru_cache(maxsize=KEPT)  # noqa: B019
    def tuned(self, draw: Draw, seed: int) -> Floats:
        return draw.logits(fine_tuned(draw, seed))


def fine_tuned(draw: Draw, seed: int, model: Tuned | None = None) -> Tuned:
    return fine_tune(model or draw.started(seed), draw.base, draw.training, draw.targets, draw.recipe, EPOCHS, seed)
