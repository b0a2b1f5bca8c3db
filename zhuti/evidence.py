"""Evidence: the labelled sentences nearest to a tagged one, from vectors kept in the model folder."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from zhuti.decision import Floats
from zhuti.result import Evidence

VECTORS = "evidence.safetensors"
SENTENCES = "evidence.jsonl"
_CHUNK = 256  # sentences compared at once


class EvidenceIndex:
    """Labelled sentences with their vectors. Neither is unpacked before it is asked for: most runs never ask.

    :param vectors: (sentences, width), centred, in 8 bits.
    :param mean: (width,), what was taken off to centre them.
    :param sentences: ``id``, ``text`` and ``labels`` of each, as lines of JSON.
    """

    def __init__(self, vectors: NDArray[np.int8], mean: Floats, sentences: list[bytes]) -> None:
        if len(vectors) != len(sentences):
            raise ValueError(f"{len(vectors)} vectors for {len(sentences)} sentences")
        self._packed = vectors
        self._mean = mean
        self._sentences = sentences

    @cached_property
    def _vectors(self) -> Floats:
        return _unit_length(self._packed.astype(np.float32))

    @classmethod
    def load(cls, folder: Path) -> EvidenceIndex:
        tensors = load_file(folder / VECTORS)
        return cls(tensors["vectors"], tensors["mean"], (folder / SENTENCES).read_bytes().splitlines())

    @staticmethod
    def save(folder: Path, vectors: Floats, sentences: list[dict[str, object]]) -> None:
        """Keep sentences with their vectors: centred, scaled to unit length, 8 bits a number.

        :param vectors: (n, width), as the encoder gives them.
        :param sentences: n rows with ``id``, ``text`` and ``labels``.
        """
        mean = vectors.mean(axis=0)
        centred = _unit_length(vectors - mean)
        scale = 127 / np.abs(centred).max()
        save_file({"vectors": np.round(centred * scale).astype(np.int8), "mean": mean}, folder / VECTORS)
        lines = (json.dumps(sentence, ensure_ascii=False) for sentence in sentences)
        (folder / SENTENCES).write_text("\n".join(lines) + "\n", encoding="utf-8")

    def nearest(self, vectors: Floats, count: int) -> list[tuple[Evidence, ...]]:
        """:param vectors: (n, width). :return: for each the ``count`` nearest labelled sentences, nearest first."""
        nearest: list[tuple[Evidence, ...]] = []
        for first in range(0, len(vectors), _CHUNK):
            similarities = _unit_length(vectors[first : first + _CHUNK] - self._mean) @ self._vectors.T
            nearest += [
                tuple(self._evidence(int(row), float(similarity[row])) for row in _largest(similarity, count))
                for similarity in similarities
            ]
        return nearest

    def _evidence(self, row: int, similarity: float) -> Evidence:
        sentence = json.loads(self._sentences[row])
        return Evidence(sentence["id"], sentence["text"], tuple(sentence["labels"]), round(similarity, 4))


def _largest(values: Floats, count: int) -> NDArray[np.intp]:
    """:return: places of the ``count`` largest, by falling value, equal ones by place; only the candidates are sorted."""
    if count >= len(values):
        return np.argsort(-values, kind="stable")
    least = np.partition(values, -count)[-count]
    candidates = np.flatnonzero(values >= least)
    return candidates[np.argsort(-values[candidates], kind="stable")][:count]


def _unit_length(vectors: Floats) -> Floats:
    unit: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return unit
