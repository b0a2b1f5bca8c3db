"""The lexical view: a linear model over character n-grams, run on numpy alone.

It gives the same logits as the scikit-learn pipeline it was exported from (TF-IDF with sublinear term
frequency, one-vs-rest logistic regression); see ``training/baseline.py``.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from zhuti.decision import Floats

FILE = "lexical.safetensors"
NGRAMS = (1, 4)
_SEPARATOR = "\n"  # stands in no term
Ints = NDArray[np.int64]


class LexicalView:
    """:param idf: (terms,). :param weight: (terms, leaves). :param bias: (leaves,)."""

    def __init__(self, terms: list[str], idf: Floats, weight: Floats, bias: Floats) -> None:
        self.terms = terms
        self.idf = idf
        self.weight = weight
        self.bias = bias
        # Each term is known by a number whose digits are its characters, so that numpy finds those of many texts at once.
        points = _code_points(_SEPARATOR.join(terms) + _SEPARATOR)
        characters = np.setdiff1d(points, _code_points(_SEPARATOR))
        self._base = len(characters) + 1
        if self._base ** NGRAMS[1] >= 2**63:
            raise ValueError(f"the terms of the lexical view hold {len(characters)} different characters, too many to number their n-grams")
        self._alphabet = np.zeros(sys.maxunicode + 1, np.int32)
        self._alphabet[characters] = np.arange(1, self._base)
        ends = np.flatnonzero(points == ord(_SEPARATOR))
        starts = np.concatenate([[0], ends[:-1] + 1])
        keys = np.zeros(len(terms), np.int64)
        for size in range(NGRAMS[1]):
            longer = np.flatnonzero(ends - starts > size)
            keys[longer] = keys[longer] * self._base + self._alphabet[points[starts[longer] + size]]
        self._order = np.argsort(keys)
        self._keys = keys[self._order]

    @classmethod
    def load(cls, folder: Path) -> LexicalView:
        """Read ``lexical.safetensors`` of a model folder."""
        tensors = load_file(folder / FILE)
        terms = bytes(tensors["terms"]).decode("utf-8").split(_SEPARATOR)
        return cls(terms, tensors["idf"].astype(np.float32), tensors["weight"].astype(np.float32), tensors["bias"].astype(np.float32))

    def save(self, folder: Path) -> None:
        """Write ``lexical.safetensors``; weights in half precision."""
        terms = np.frombuffer(_SEPARATOR.join(self.terms).encode("utf-8"), np.uint8)
        half = np.float16
        save_file(
            {"terms": terms.copy(), "idf": self.idf.astype(half), "weight": self.weight.astype(half), "bias": self.bias}, folder / FILE
        )

    def logits(self, texts: list[str]) -> Floats:
        """:param texts: normalised texts. :return: (n, leaves)."""
        rows, terms, counts = self._count([text.lower() for text in texts])
        values = (1.0 + np.log(counts.astype(np.float32))) * self.idf[terms]
        ends = np.searchsorted(rows, np.arange(len(texts) + 1))
        logits = np.empty((len(texts), len(self.bias)), np.float32)
        for row, (first, last) in enumerate(pairwise(ends.tolist())):
            own = values[first:last]
            logits[row] = own @ self.weight[terms[first:last]] / (float(np.sqrt(own @ own)) or 1.0) + self.bias
        return logits

    def _count(self, texts: list[str]) -> tuple[Ints, Ints, Ints]:
        """Count the known n-grams of all texts at once.

        :return: row, term and count of each n-gram of a text, (found,), by rising row.
        """
        characters = self._alphabet[_code_points(_SEPARATOR.join(texts) + _SEPARATOR)].astype(np.int64)
        rows = np.repeat(np.arange(len(texts)), [len(text) + 1 for text in texts])
        found = []
        keys = np.zeros_like(characters)
        whole = np.ones(len(characters), bool)
        for size in range(NGRAMS[1]):  # the keys of the n-grams that are one character longer, where all their characters are known
            following = characters[size:]
            keys = keys[: len(following)] * self._base + following
            whole = whole[: len(following)] & (following > 0)
            starts = np.flatnonzero(whole)
            places = np.searchsorted(self._keys, keys[starts])
            hits = self._keys[np.minimum(places, len(self._keys) - 1)] == keys[starts]
            found.append(rows[starts[hits]] * len(self.terms) + self._order[places[hits]])
        cells, counts = np.unique(np.concatenate(found), return_counts=True)
        return cells // len(self.terms), cells % len(self.terms), counts


def _code_points(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
