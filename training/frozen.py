"""The base encoder with its lower layers frozen: their output is computed once and shared by all trainings."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset as Rows
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import AutoModel, AutoTokenizer

from training.base import BaseError
from training.recipe import Recipe

MAX_TOKENS = 160
_SCORED_AT_ONCE = 32


class SentenceEncoder(nn.Module):
    """Mean-pooled sentence vectors of a transformers encoder; this is the graph that is exported."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """:param input_ids: (batch, tokens). :return: (batch, width)."""
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return mean_pool(hidden, attention_mask)


def mean_pool(hidden: Tensor, mask: Tensor) -> Tensor:
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
        self._hidden: list[Tensor] = [torch.empty(0)] * len(texts)
        self._fill()

    def upper_layers(self) -> nn.ModuleList:
        """A fresh copy of the layers to tune."""
        return nn.ModuleList(copy.deepcopy(layer) for layer in self.encoder.encoder.layer[self.frozen :])

    def hidden(self, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """:return: lower layers' output (batch, tokens, width) and mask (batch, tokens)."""
        hidden = nn.utils.rnn.pad_sequence([self._hidden[row] for row in rows], batch_first=True).float()
        return hidden, self._mask(rows)

    def by_length(self, rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        """:return: places among the rows, in batches of about equal length; for scoring, where order does not matter."""
        return in_batches(np.argsort(self.lengths[rows], kind="stable"), _SCORED_AT_ONCE)

    def _mask(self, rows: NDArray[np.int64]) -> Tensor:
        lengths = torch.from_numpy(self.lengths[rows])
        return (torch.arange(int(lengths.max()))[None, :] < lengths[:, None]).float()

    @torch.no_grad()
    def _fill(self) -> None:
        for rows in self.by_length(np.arange(len(self.lengths))):
            mask = self._mask(rows)
            ids = nn.utils.rnn.pad_sequence([torch.tensor(self.token_ids[row]) for row in rows], batch_first=True)
            with bf16():
                hidden = run_layers(self.encoder.encoder.layer[: self.frozen], self.encoder.embeddings(input_ids=ids), mask)
            for row, states in zip(rows, hidden, strict=True):
                self._hidden[row] = states[: self.lengths[row]].to(torch.bfloat16).clone()


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
