"""The distilled base encoder, on a checkpoint of three small layers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel

from training import distil as distillation
from training.base import SETTINGS, BaseError, prepare_base
from training.dataset import Dataset
from training.distil import distil, kept_layers
from training.finetune import Tuned, sentence_vectors
from training.frozen import FrozenBase
from training.recipe import Recipe

LAYERS = 2


@pytest.fixture(scope="module")
def teacher(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint as zhuti would have built it."""
    folder = tmp_path_factory.mktemp("teacher") / "base"
    shutil.copytree(checkpoint, folder)
    (folder / SETTINGS).write_text(json.dumps({"prefix": "主题"}), encoding="utf-8")
    return folder


def vectors(folder: Path, texts: list[str]) -> np.ndarray:
    base = FrozenBase(folder, prepare_base(str(folder))[1], texts, Recipe(tuned_layers=0))
    return sentence_vectors(Tuned(base.upper_layers(), base.encoder.config.hidden_size, 1, 0.0), base, np.arange(len(texts)))


def test_student_encodes_more_like_its_teacher_than_the_layers_it_began_with(
    teacher: Path, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = [text for text, corpus in zip(dataset.texts, dataset.corpus, strict=True) if not corpus]
    unseen = [text for text, corpus in zip(dataset.texts, dataset.corpus, strict=True) if corpus]
    monkeypatch.setattr(distillation, "RECIPE", Recipe(learning_rate=0.0))
    begun = vectors(distil(teacher, LAYERS, written, tmp_path / "begun"), unseen)
    monkeypatch.undo()
    monkeypatch.setattr(distillation, "EPOCHS", 12)
    student = distil(teacher, LAYERS, written, tmp_path / "student")
    wanted = vectors(teacher, unseen)
    before, after = (float(np.square(given - wanted).mean()) for given in (begun, vectors(student, unseen)))
    assert after < 0.5 * before

    assert AutoModel.from_pretrained(student).config.num_hidden_layers == LAYERS
    assert prepare_base(str(student)) == (str(student), "主题")
    same = [AutoModel.from_pretrained(folder).embeddings.word_embeddings.weight for folder in (teacher, student)]
    assert torch.equal(*same)


def test_student_is_made_anew_only_when_what_it_comes_from_has_changed(
    teacher: Path, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distillation, "EPOCHS", 1)
    texts = dataset.texts[:8]
    weights = distil(teacher, LAYERS, texts, tmp_path / "student") / "model.safetensors"
    made = weights.stat().st_mtime_ns
    distil(teacher, LAYERS, texts, tmp_path / "student")
    assert weights.stat().st_mtime_ns == made
    distil(teacher, LAYERS, texts[:7], tmp_path / "student")
    assert (again := weights.stat().st_mtime_ns) > made
    student = distil(teacher, 1, texts[:7], tmp_path / "student")
    assert weights.stat().st_mtime_ns > again
    assert AutoModel.from_pretrained(student).config.num_hidden_layers == 1


def test_layers_are_evenly_spaced_and_end_with_the_last() -> None:
    assert kept_layers(12, 6) == [1, 3, 5, 7, 9, 11]
    assert kept_layers(12, 4) == [2, 5, 8, 11]
    assert kept_layers(3, 2) == [1, 2]


def test_a_student_as_deep_as_its_teacher_is_refused(teacher: Path, dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(BaseError, match="has 3 layers; a student of 3 is asked for, at most 2 can be had"):
        distil(teacher, 3, dataset.texts[:4], tmp_path / "student")
    assert not (tmp_path / "student").exists()
