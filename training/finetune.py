"""Fine-tune the encoder: lower layers frozen and computed once, a started head, upper layers tuned.

The head starts from a logistic regression on the frozen vectors, so that the first steps do not destroy what
the encoder knows (linear probing, then fine-tuning: Kumar et al. 2022). The loss ties the levels: binary
cross-entropy over leaves, cross-entropy of the primary leaf, and cross-entropy of the primary theme, whose
score is the log-sum-exp of its leaves.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from training.frozen import FrozenBase, bf16, in_batches, mean_pool, run_layers
from training.recipe import Recipe
from zhuti.decision import Floats


class Tuned(nn.Module):
    """Upper layers and head; vectors are standardised before the head."""

    mean: Tensor
    scale: Tensor

    def __init__(self, layers: nn.ModuleList, width: int, leaves: int, dropout: float) -> None:
        super().__init__()
        self.layers = layers
        for module in self.modules():
            if isinstance(module, nn.Dropout):
                module.p = dropout
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))
        self.head = nn.Linear(width, leaves)
        self.dropout = nn.Dropout(dropout)

    def vectors(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """:return: (batch, width)."""
        return mean_pool(run_layers(self.layers, hidden, mask).float(), mask)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """:return: leaf logits, (batch, leaves)."""
        return self.head(self.dropout((self.vectors(hidden, mask) - self.mean) / self.scale))  # type: ignore[no-any-return]

    def folded_head(self) -> tuple[Floats, Floats]:
        """The head as applied to raw vectors: weight (width, leaves) and bias (leaves,)."""
        weight = self.head.weight.detach() / self.scale
        bias = self.head.bias.detach() - weight @ self.mean
        return np.ascontiguousarray(weight.numpy().T), bias.numpy()


@dataclass(frozen=True)
class Targets:
    """What is learnt, for all of the base's texts.

    :param leaves: (n, leaves), 1 where a leaf is given.
    :param primaries: (n,), the primary leaf.
    :param parents: (leaves,), the theme of each leaf.
    """

    leaves: Floats
    primaries: NDArray[np.int64]
    parents: NDArray[np.int64]


Loss = Callable[[Tuned, NDArray[np.int64]], Tensor]


def start(base: FrozenBase, rows: NDArray[np.int64], targets: Targets, recipe: Recipe, seed: int) -> Tuned:
    """A model whose head is started on the given rows, with the base's own upper layers."""
    torch.manual_seed(seed)
    model = Tuned(base.upper_layers(), base.encoder.config.hidden_size, targets.leaves.shape[1], recipe.dropout)
    _start_head(model, base, rows, targets, recipe)
    return model


def fine_tune(model: Tuned, base: FrozenBase, rows: NDArray[np.int64], targets: Targets, recipe: Recipe, epochs: int, seed: int) -> Tuned:
    """Tune a copy of a model on the given rows with :func:`tied_loss`.

    :param model: as it was started, or tuned on other rows before.
    :param rows: row numbers to train on.
    :return: the tuned copy.
    """
    y, first, parents = (torch.from_numpy(array) for array in (targets.leaves, targets.primaries, targets.parents))

    def loss(model: Tuned, batch: NDArray[np.int64]) -> Tensor:
        return tied_loss(model(*base.hidden(batch)).float(), y[batch], first[batch], parents)

    return optimise(model, loss, base.lengths, rows, recipe, epochs, seed)


def optimise(
    model: Tuned, loss: Loss, lengths: NDArray[np.int64], rows: NDArray[np.int64], recipe: Recipe, epochs: int, seed: int
) -> Tuned:
    """Tune a copy of a model by AdamW; the learning rate rises, then falls to nothing.

    :param loss: of the model and a batch of row numbers.
    :param lengths: tokens of every row.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = copy.deepcopy(model).train()
    groups = [
        {"params": model.head.parameters(), "lr": recipe.head_learning_rate},
        {"params": model.layers.parameters(), "lr": recipe.learning_rate},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=recipe.weight_decay)
    steps = epochs * -(-len(rows) // recipe.batch)
    warm = max(1, int(recipe.warm_up * steps))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / warm) * max(0.0, 1 - step / steps))
    for _ in range(epochs):
        for batch in _shuffled_batches(lengths, rows, recipe.batch, rng):
            with bf16():
                value = loss(model, batch)
            optimizer.zero_grad()
            value.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
    return model.eval()


def tied_loss(logits: Tensor, targets: Tensor, primaries: Tensor, parents: Tensor) -> Tensor:
    """:param logits: (batch, leaves). :param parents: (leaves,). :return: the mean loss of the batch."""
    themes = int(parents.max()) + 1
    by_theme = torch.stack([logits[:, parents == theme].logsumexp(1) for theme in range(themes)], dim=1)
    leaves = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none").sum(1).mean()
    return leaves + functional.cross_entropy(logits, primaries) + 0.5 * functional.cross_entropy(by_theme, parents[primaries])


def _shuffled_batches(
    lengths: NDArray[np.int64], rows: NDArray[np.int64], size: int, rng: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """Batches of about equal length, in random order."""
    order = rows[np.argsort(lengths[rows] + rng.normal(0, 6, len(rows)))]
    batches = list(in_batches(order, size))
    for place in rng.permutation(len(batches)):
        yield batches[place]


@torch.no_grad()
def sentence_vectors(model: Tuned, base: FrozenBase, rows: NDArray[np.int64]) -> Floats:
    """:return: vectors of the given rows, (rows, width)."""
    vectors = np.zeros((len(rows), base.encoder.config.hidden_size), np.float32)
    for places in base.by_length(rows):
        with bf16():
            vectors[places] = model.eval().vectors(*base.hidden(rows[places])).float().numpy()
    return vectors


def _start_head(model: Tuned, base: FrozenBase, rows: NDArray[np.int64], targets: Targets, recipe: Recipe) -> None:
    """Standardise by the training rows and start the head from a regularised regression on frozen vectors."""
    vectors = torch.from_numpy(sentence_vectors(model, base, rows))
    model.mean.copy_(vectors.mean(0))
    model.scale.copy_(vectors.std(0))
    inputs = (vectors - model.mean) / model.scale
    y, first = torch.from_numpy(targets.leaves[rows]), torch.from_numpy(targets.primaries[rows])
    weight = torch.zeros_like(model.head.weight, requires_grad=True)
    bias = torch.full_like(model.head.bias, -3.0, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=60, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        logits = inputs @ weight.T + bias
        loss = functional.binary_cross_entropy_with_logits(logits, y, reduction="none").sum(1).mean()
        loss = loss + functional.cross_entropy(logits, first) + recipe.head_penalty * weight.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        model.head.weight.copy_(weight)
        model.head.bias.copy_(bias)
