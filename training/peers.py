"""Peers on the same folds: frozen encoder with regression, and SetFit.

Both end in the same regression on sentence vectors, fitted on the sentences that BERT and the baseline are trained on; they differ
in where the vectors come from. SetFit's contrastive step sees a part of the lone written sentences alone.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor
from torch.nn import functional

from training.finetune import Loss, Tuned, optimise, sentence_vectors, start
from training.frozen import FrozenBase
from training.outoffold import OutOfFold, Trainer, split_rows
from training.recipe import Recipe
from zhuti.decision import Floats

Ints = NDArray[np.int64]
INVERSE_REGULARISATION = 0.02
SETFIT_SENTENCES = 3000
SETFIT_RECIPE = Recipe(learning_rate=1e-4)


def frozen_encoder(trainer: Trainer, folds: Ints) -> OutOfFold:
    """The base encoder as it is, mean-pooled, standardised, with a logistic regression for each leaf."""
    base = trainer.base
    untuned = Tuned(base.upper_layers(), base.encoder.config.hidden_size, trainer.targets.leaves.shape[1], trainer.recipe.dropout)
    return _by_fold(trainer, folds, sentence_vectors(untuned, base, _every(trainer)))


def setfit(trainer: Trainer, folds: Ints) -> OutOfFold:
    """Contrastive tuning on lone written sentences, which no fold holds out, then the regression (Tunstall et al. 2022)."""
    lone = np.flatnonzero(folds < 0)
    drawn = np.random.default_rng(trainer.seed).permutation(lone)[:SETFIT_SENTENCES]
    started = start(trainer.base, drawn, trainer.targets, trainer.recipe, trainer.seed)
    loss = setfit_loss(trainer.base, trainer.targets.primaries)
    tuned = optimise(started, loss, trainer.base.lengths, drawn, SETFIT_RECIPE, 1, trainer.seed)
    return _by_fold(trainer, folds, sentence_vectors(tuned, trainer.base, _every(trainer)))


def setfit_loss(base: FrozenBase, primaries: Ints) -> Loss:
    """Cosine similarity of each pair in a batch drawn to 1 where the primary leaf is the same, else to 0; both kinds weigh alike."""

    def loss(model: Tuned, batch: Ints) -> Tensor:
        vectors = functional.normalize(model.vectors(*base.hidden(batch)) - model.mean, dim=1)
        same = torch.from_numpy((primaries[batch][:, None] == primaries[batch][None, :]).astype(np.float32))
        pairs = torch.triu(torch.ones_like(same), 1) > 0
        off = (vectors @ vectors.T - same).square()
        alike, apart = off[pairs & (same > 0)], off[pairs & (same == 0)]
        both: Tensor = apart.mean() + (alike.mean() if len(alike) else 0.0)
        return both

    return loss


def _every(trainer: Trainer) -> Ints:
    return np.arange(len(trainer.dataset.sentences))


def regression(vectors: Floats, leaves: Floats, training: Ints, scored: Ints) -> Floats:
    """One-vs-rest logistic regression on standardised vectors.

    :param vectors: (n, width). :param leaves: (n, leaves), 1 where a leaf is given.
    :return: logits of the scored rows, (scored, leaves).
    """
    each = LogisticRegression(C=INVERSE_REGULARISATION, solver="newton-cholesky")  # few columns, many rows
    fitted = make_pipeline(StandardScaler(), OneVsRestClassifier(each)).fit(vectors[training], leaves[training])
    logits: Floats = fitted.decision_function(vectors[scored]).astype(np.float32)
    return logits


def _by_fold(trainer: Trainer, folds: Ints, vectors: Floats) -> OutOfFold:
    """Logits of the corpus; written reports are in training always, since nothing is fitted on their logits."""
    corpus = trainer.dataset.corpus
    logits = np.zeros_like(trainer.targets.leaves)
    for fold in range(int(folds[corpus].max()) + 1):
        held_out, training = split_rows(trainer.dataset.rows, folds, fold, corpus)
        logits[held_out] = regression(vectors, trainer.targets.leaves, training, held_out)
    return OutOfFold(folds, logits[None])
