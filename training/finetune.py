"""Fine-tune the encoder: lower layers frozen and computed once, a started head, upper layers tuned.

The head starts from a logistic regression on the frozen vectors, so that the first steps do not destroy what
the encoder knows (linear probing, then fine-tuning: Kumar et al. 2022). The loss ties the levels: binary
cross-entropy over leaves, cross-entropy of the primary leaf, and cross-entropy of the primary theme, whose
score is the log-sum-exp of its leaves.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset as Rows
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModel, AutoTokenizer

from training.base import BaseError
from zhuti.decision import Floats

MAX_TOKENS = 160


@dataclass(frozen=True)
class Recipe:
    """Settings of the fine-tuning, found by measurement (LOG.md).

    :param layers: how many layers of the base are used, counted from its embeddings.
    :param tuned_layers: how many of them, the upper ones, are tuned; those below are frozen and their output is cached.
    :param lone_epochs: epochs on the lone written sentences, which no fold holds out.
    :param written_epochs: epochs on all written sentences after that.
    :param corpus_repeats: how often each corpus sentence comes in the last stage.
    :param replay: how many written sentences are mixed into the last stage, so that they are not forgotten.
    """

    layers: int = 12
    tuned_layers: int = 3
    lone_epochs: int = 2
    written_epochs: int = 1
    corpus_repeats: int = 2
    replay: int = 1000
    batch: int = 32
    learning_rate: float = 3e-4
    head_learning_rate: float = 9e-4
    dropout: float = 0.1
    weight_decay: float = 0.01
    warm_up: float = 0.1
    head_penalty: float = 1e-3


class SentenceEncoder(nn.Module):
    """Mean-pooled sentence vectors of a transformers encoder; this is the graph that is exported."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """:param input_ids: (batch, tokens). :return: (batch, width)."""
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return _mean_pool(hidden, attention_mask)


def _mean_pool(hidden: Tensor, mask: Tensor) -> Tensor:
    kept = mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * kept).sum(1) / kept.sum(1).clamp(min=1)


class FrozenBase:
    """The base encoder with the lower layers' output for all texts, computed once and shared by all trainings.

    :param folder: a transformers checkpoint of the BERT family.
    :param texts: normalised texts.
    """

    def __init__(self, folder: Path | str, prefix: str, texts: list[str], recipe: Recipe) -> None:
        try:
            self.encoder = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
            self.tokenizer = AutoTokenizer.from_pretrained(folder)
        except (OSError, ValueError) as error:
            raise BaseError(f"base encoder {str(folder)!r} cannot be loaded: {str(error).splitlines()[0]}") from error
        if not hasattr(getattr(self.encoder, "encoder", None), "layer") or not self.tokenizer.is_fast:
            raise BaseError(f"base encoder {str(folder)!r}: a checkpoint of the BERT family with a fast tokenizer is needed")
        layers = self.encoder.encoder.layer = self.encoder.encoder.layer[: recipe.layers]
        self.encoder.config.num_hidden_layers = len(layers)
        self.frozen = max(0, len(layers) - recipe.tuned_layers)
        rows = Rows.from_dict({"text": [prefix + text for text in texts]})
        rows = rows.map(
            lambda batch: self.tokenizer(batch["text"], truncation=True, max_length=MAX_TOKENS), batched=True, load_from_cache_file=False
        )
        self.token_ids: list[list[int]] = rows["input_ids"][:]
        self.lengths = np.array([len(ids) for ids in self.token_ids])
        self.fingerprint = _hash_of(self.encoder)
        self._hidden: list[Tensor] = [torch.empty(0)] * len(texts)
        self._fill()

    def upper_layers(self) -> nn.ModuleList:
        """A fresh copy of the layers to tune."""
        return nn.ModuleList(copy.deepcopy(layer) for layer in self.encoder.encoder.layer[self.frozen :])

    def hidden(self, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """:return: lower layers' output (batch, tokens, width) and mask (batch, tokens)."""
        hidden = nn.utils.rnn.pad_sequence([self._hidden[row] for row in rows], batch_first=True).float()
        return hidden, self._mask(rows)

    def _mask(self, rows: NDArray[np.int64]) -> Tensor:
        lengths = torch.from_numpy(self.lengths[rows])
        return (torch.arange(int(lengths.max()))[None, :] < lengths[:, None]).float()

    @torch.no_grad()
    def _fill(self) -> None:
        for rows in in_batches(np.argsort(self.lengths, kind="stable"), 64):
            mask = self._mask(rows)
            ids = nn.utils.rnn.pad_sequence([torch.tensor(self.token_ids[row]) for row in rows], batch_first=True)
            with bf16():
                hidden = run_layers(self.encoder.encoder.layer[: self.frozen], self.encoder.embeddings(input_ids=ids), mask)
            for row, states in zip(rows, hidden, strict=True):
                self._hidden[row] = states[: self.lengths[row]].to(torch.bfloat16).clone()


def _hash_of(module: nn.Module) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()


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
        return _mean_pool(run_layers(self.layers, hidden, mask).float(), mask)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """:return: leaf logits, (batch, leaves)."""
        return self.head(self.dropout((self.vectors(hidden, mask) - self.mean) / self.scale))  # type: ignore[no-any-return]

    def folded_head(self) -> tuple[Floats, Floats]:
        """The head as applied to raw vectors: weight (width, leaves) and bias (leaves,)."""
        weight = self.head.weight.detach() / self.scale
        bias = self.head.bias.detach() - weight @ self.mean
        return np.ascontiguousarray(weight.numpy().T), bias.numpy()


def run_layers(layers: Any, hidden: Tensor, mask: Tensor) -> Tensor:
    """Run BERT layers. :param mask: (batch, tokens), 1 for tokens."""
    bias = ((1.0 - mask) * -1e4)[:, None, None, :].to(torch.bfloat16 if torch.is_autocast_enabled("cpu") else hidden.dtype)
    for layer in layers:
        output = layer(hidden, attention_mask=bias)
        hidden = output[0] if isinstance(output, tuple) else output
    return hidden


def bf16() -> torch.autocast:
    """Half-precision matrix products where the CPU has them; elsewhere they would be emulated, slowly."""
    return torch.autocast("cpu", torch.bfloat16, enabled=torch.cpu._is_avx512_bf16_supported())


def in_batches(rows: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    for first in range(0, len(rows), size):
        yield rows[first : first + size]


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
def _frozen_vectors(model: Tuned, base: FrozenBase, rows: NDArray[np.int64]) -> Tensor:
    vectors = torch.zeros(len(rows), base.encoder.config.hidden_size)
    for places in in_batches(np.argsort(base.lengths[rows], kind="stable"), 64):
        with bf16():
            vectors[torch.from_numpy(places)] = model.vectors(*base.hidden(rows[places]))
    return vectors


def _start_head(model: Tuned, base: FrozenBase, rows: NDArray[np.int64], targets: Targets, recipe: Recipe) -> None:
    """Standardise by the training rows and start the head from a regularised regression on frozen vectors."""
    vectors = _frozen_vectors(model, base, rows)
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
