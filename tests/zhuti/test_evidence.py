"""What the labelled sentences say, and which of them are nearest: those of a full sort, equal ones in the order they are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from tests.conftest import SHIPPED
from training.dataset import load_dataset
from zhuti.evidence import COLUMNS, TEMPERATURE, VECTORS, EvidenceIndex, Remembered

LEAVES = 10  # more than a byte of bits


def index_of(folder: Path, vectors: NDArray[np.float32], labels: NDArray[np.float32]) -> EvidenceIndex:
    names = [Remembered(str(row), f"第{row}句", ("a.b",)) for row in range(len(vectors))]
    EvidenceIndex.write(folder, vectors, labels, names)
    return EvidenceIndex.load(folder, labels.shape[1])


def some(count: int, width: int) -> NDArray[np.float32]:
    return np.random.default_rng(count).normal(size=(count, width)).astype(np.float32) + 3


def given(count: int) -> NDArray[np.float32]:
    labels = np.zeros((count, LEAVES), np.float32)
    labels[np.arange(count), np.arange(count) % LEAVES] = 1
    return labels


def unit(vectors: NDArray[Any]) -> NDArray[Any]:
    lengths: NDArray[Any] = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / lengths


def test_nearest_first_and_equal_ones_by_place(tmp_path: Path) -> None:
    kept = np.array([[0, 9], [9, 0], [9, 9], [9, 0], [-9, 0], [9, 0], [9, 9]], np.int8)
    index_of(tmp_path, some(7, 2), given(7))
    index = EvidenceIndex(
        np.zeros(2, np.float32), np.eye(2, dtype=np.float32), kept, given(7).astype(np.uint8), tmp_path / "evidence.jsonl.gz"
    )
    asked = np.array([[1, 0], [0, 1], [1, 1]], np.float32)
    for count in (1, 2, 4, 7, 10):
        ids = [[near.id for near in row] for row in index.nearest(asked, count)]
        assert ids == [list("1352604")[:count], list("0261345")[:count], list("2601354")[:count]]
    first = index.nearest(asked, 4)[0]
    assert [near.similarity for near in first] == [1.0, 1.0, 1.0, 0.7071]
    assert (first[0].text, first[0].labels) == ("第1句", ("a.b",))


def test_logits_are_the_log_odds_of_labels_weighed_by_similarity(tmp_path: Path) -> None:
    vectors, labels, asked = some(200, 12), given(200), some(70, 12)  # more than are compared at once
    index = index_of(tmp_path, vectors, labels)
    exact, kept = unit(vectors - vectors.mean(0)), unit(index.vectors.astype(np.float64)) @ index.columns.T
    assert np.abs(exact - kept).max() < 0.01  # 8 bits a number
    weights = np.exp(unit(asked - vectors.mean(0)).astype(np.float64) @ kept.T / TEMPERATURE)
    shares = np.clip(weights @ labels / weights.sum(1, keepdims=True), 0.02, 0.98)
    assert np.allclose(index.logits(asked), np.log(shares / (1 - shares)), atol=1e-3)
    assert index.logits(vectors).argmax(1).tolist() == labels.argmax(1).tolist()
    assert np.allclose(index.logits(asked[:3]), index.logits(asked)[:3], atol=1e-4)


def test_the_columns_kept_are_those_that_vary_most(tmp_path: Path) -> None:
    vectors = some(400, COLUMNS + 20)
    vectors[:, COLUMNS:] *= 0.01
    index = index_of(tmp_path, vectors, given(400))
    assert index.columns.shape == (COLUMNS + 20, COLUMNS)
    assert np.allclose(index.columns.T @ index.columns, np.eye(COLUMNS), atol=1e-4)
    assert np.abs(index.columns[COLUMNS:]).max() < 0.05
    assert [[near.id] for [near] in index.nearest(vectors, 1)] == [[str(row)] for row in range(400)]


def test_the_same_sentences_give_the_same_files(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        index_of(tmp_path / name, some(50, 12), given(50))
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


def test_labels_that_are_not_as_many_as_the_vectors_are_refused(tmp_path: Path) -> None:
    index_of(tmp_path, some(50, 12), given(50))
    tensors = load_file(tmp_path / VECTORS)
    save_file(tensors | {"labels": tensors["labels"][1:]}, tmp_path / VECTORS)
    with pytest.raises(ValueError, match="50 vectors for 49 labelled sentences"):
        EvidenceIndex.load(tmp_path, LEAVES)


def test_the_shipped_index_holds_every_labelled_sentence_with_its_labels() -> None:
    dataset = load_dataset()
    index = EvidenceIndex.load(SHIPPED, len(dataset.taxonomy.codes))
    assert np.array_equal(index.labels, dataset.targets)
    expected = [Remembered(s.id, s.text, s.labels) for s in dataset.sentences]
    assert [
        Remembered(near.id, near.text, near.labels) for near in map(index._evidence, range(len(expected)), [0.0] * len(expected))
    ] == expected
