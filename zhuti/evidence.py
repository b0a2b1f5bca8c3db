"""The labelled sentences that a model remembers: what they say of a new sentence, and which of them to show as evidence.

The vectors of all training sentences are kept centred, in their principal columns, scaled to unit length, in 8 bits. Their labels,
weighed by ``exp(similarity / TEMPERATURE)``, are a view of a sentence beside the encoder's head (nearest neighbours with a softmax
kernel: Goldberger et al. 2004).
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from zhuti.decision import Floats
from zhuti.result import Evidence

VECTORS = "evidence.safetensors"
SENTENCES = "evidence.jsonl.gz"
COLUMNS = 192
TEMPERATURE = 0.03  # LOG.md
_FLOOR = 0.02  # of a leaf's share among the neighbours, whose logarithm is taken
_CHUNK = 64  # sentences compared at once


class Remembered(NamedTuple):
    """A labelled sentence as evidence shows it, the primary label first."""

    id: str
    text: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class EvidenceIndex:
    """Labelled sentences with their vectors.

    :param mean: (width,), taken off a vector to centre it.
    :param columns: (width, kept), the principal columns.
    :param vectors: (sentences, kept), of no particular length.
    :param labels: (sentences, leaves), 1 where a leaf is given.
    :param file: the sentences themselves, which are not read before someone asks for evidence.
    """

    mean: Floats
    columns: Floats
    vectors: NDArray[np.int8]
    labels: NDArray[np.uint8]
    file: Path

    @classmethod
    def write(cls, folder: Path, vectors: Floats, labels: Floats, sentences: list[Remembered]) -> None:
        """Make an index of labelled sentences and keep it in a folder, where :meth:`load` finds it.

        :param vectors: (n, width), as the encoder gives them.
        :param labels: (n, leaves), 1 where a leaf is given.
        :param sentences: n.
        """
        mean = vectors.mean(axis=0)
        centred = vectors - mean
        _, directions = np.linalg.eigh(centred.T @ centred)  # by rising variance
        columns = np.ascontiguousarray(directions[:, ::-1][:, :COLUMNS])
        unit = _unit_length(centred @ columns)
        packed = np.round(unit * (127 / np.abs(unit).max())).astype(np.int8)
        bits = np.packbits(labels > 0, axis=1)
        save_file({"mean": mean, "columns": columns, "vectors": packed, "labels": bits}, folder / VECTORS)
        lines = "".join(json.dumps(sentence._asdict(), ensure_ascii=False) + "\n" for sentence in sentences)
        (folder / SENTENCES).write_bytes(gzip.compress(lines.encode("utf-8"), mtime=0))

    @classmethod
    def load(cls, folder: Path, leaves: int) -> EvidenceIndex:
        tensors = load_file(folder / VECTORS)
        labels = np.unpackbits(tensors["labels"], axis=1, count=leaves)
        if len(labels) != len(tensors["vectors"]):
            raise ValueError(f"{len(tensors['vectors'])} vectors for {len(labels)} labelled sentences")
        return cls(tensors["mean"], tensors["columns"], tensors["vectors"], labels, folder / SENTENCES)

    def logits(self, vectors: Floats) -> Floats:
        """What the labelled sentences say: log-odds of each leaf among them, the nearest weighing most.

        :param vectors: (n, width), as the encoder gives them.
        :return: (n, leaves).
        """
        shares = np.empty((len(vectors), self.labels.shape[1]), np.float32)
        for first in range(0, len(vectors), _CHUNK):
            weights = self._similarities(vectors[first : first + _CHUNK])
            weights -= weights.max(axis=1, keepdims=True)
            weights /= np.float32(TEMPERATURE)
            np.exp(weights, out=weights)
            shares[first : first + _CHUNK] = weights @ self._given / weights.sum(axis=1, keepdims=True)
        np.clip(shares, _FLOOR, 1 - _FLOOR, out=shares)
        logits: Floats = np.log(shares / (1 - shares))
        return logits

    def nearest(self, vectors: Floats, count: int) -> list[tuple[Evidence, ...]]:
        """:param vectors: (n, width). :return: for each the ``count`` nearest labelled sentences, nearest first."""
        nearest: list[tuple[Evidence, ...]] = []
        for first in range(0, len(vectors), _CHUNK):
            nearest += [
                tuple(self._evidence(int(row), float(similarity[row])) for row in _largest(similarity, count))
                for similarity in self._similarities(vectors[first : first + _CHUNK])
            ]
        return nearest

    def _similarities(self, vectors: Floats) -> Floats:
        """Cosines, (n, sentences)."""
        centred: Floats = vectors - self.mean
        similarities: Floats = _unit_length(centred @ self.columns) @ self._unit.T
        return similarities

    def _evidence(self, row: int, similarity: float) -> Evidence:
        sentence = json.loads(self._lines[row])
        return Evidence(sentence["id"], sentence["text"], tuple(sentence["labels"]), round(similarity, 4))

    @cached_property
    def _unit(self) -> Floats:
        return _unit_length(self.vectors.astype(np.float32))

    @cached_property
    def _given(self) -> Floats:
        return self.labels.astype(np.float32)

    @cached_property
    def _lines(self) -> list[bytes]:
        return gzip.decompress(self.file.read_bytes()).splitlines()


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
