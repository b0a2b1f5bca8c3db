"""What all hand-written peers share: tokens as the shipped encoder makes them, padded batches sorted by length."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from zhuti.decision import Floats

Ints = NDArray[np.int64]
LARGEST = 32


class TextTokens:
    """The artefact's tokenizer with its prefix and length limit.

    :param folder: model folder.
    :param settings: ``encoder`` of its manifest.
    """

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(settings["max_tokens"])
        self._prefix = settings["prefix"]

    def __call__(self, texts: list[str]) -> list[list[int]]:
        """:param texts: normalised texts. :return: token ids of each."""
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast([self._prefix + text for text in texts])]


def pad(sequences: list[list[int]]) -> tuple[Ints, Ints]:
    """:return: token ids and attention mask, (batch, longest)."""
    lengths = np.array([len(sequence) for sequence in sequences])
    mask = np.arange(lengths.max()) < lengths[:, None]
    ids = np.zeros(mask.shape, np.int64)
    ids[mask] = np.concatenate(sequences)
    return ids, mask.astype(np.int64)


def sorted_batches(sequences: list[list[int]], largest: int = LARGEST) -> Iterator[tuple[list[int], Ints, Ints]]:
    """Batches of similar length. :return: row numbers, ids and mask of each batch."""
    order = sorted(range(len(sequences)), key=lambda row: len(sequences[row]))
    for first in range(0, len(order), largest):
        rows = order[first : first + largest]
        yield rows, *pad([sequences[row] for row in rows])


def run_sorted(sequences: list[list[int]], width: int, forward: Callable[[Ints, Ints], Floats]) -> Floats:
    """:param forward: from ids and mask to (batch, width). :return: (n, width), in the order of ``sequences``."""
    results = np.empty((len(sequences), width), np.float32)
    for rows, ids, mask in sorted_batches(sequences):
        results[rows] = forward(ids, mask)
    return results
