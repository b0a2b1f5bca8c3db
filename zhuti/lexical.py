"""The lexical view: a linear model over character n-grams, run on numpy alone.

It gives the same logits as the scikit-learn pipeline it was exported from (TF-IDF with sublinear term
frequency, one-vs-rest logistic regression); see ``training/baseline.py``.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from zhuti.decision import Floats

FILE = "lexical.safetensors"
NGRAMS = (1, 4)
_SEPARATOR = "\n"


class LexicalView:
    """:param idf: (terms,). :param weight: (terms, leaves). :param bias: (leaves,)."""

    def __init__(self, terms: list[str], idf: Floats, weight: Floats, bias: Floats) -> None:
        self.terms = terms
        self.idf = idf
        self.weight = weight
        self.bias = bias
        self._index = {term: position for position, term in enumerate(terms)}

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
        rows = np.empty((len(texts), len(self.bias)), np.float32)
        for row, text in enumerate(texts):
            counts = Counter(self._positions(text.lower()))
            terms = np.fromiter(counts.keys(), np.int64, len(counts))
            values = (1.0 + np.log(np.fromiter(counts.values(), np.float32, len(counts)))) * self.idf[terms]
            norm = float(np.sqrt(values @ values)) or 1.0
            rows[row] = values / norm @ self.weight[terms] + self.bias
        return rows

    def _positions(self, text: str) -> list[int]:
        index = self._index
        low, high = NGRAMS
        grams = (text[start : start + size] for size in range(low, high + 1) for start in range(len(text) - size + 1))
        return [index[gram] for gram in grams if gram in index]
