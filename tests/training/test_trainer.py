"""Stages, folds, peers and learning curve on a small data set and a tiny checkpoint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.conftest import RECIPE
from training import curve, outoffold, peers
from training.dataset import Dataset, document_folds
from training.outoffold import OutOfFold, Trainer
from zhuti.model import VIEWS


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outoffold, "CACHE", tmp_path)


def held_out(dataset: Dataset, checkpoint: Path) -> OutOfFold:
    return Trainer(dataset, str(checkpoint), RECIPE, seed=0).out_of_fold(document_folds(dataset))


def test_every_sentence_with_a_document_is_scored_and_what_was_computed_is_kept(
    dataset: Dataset, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = held_out(dataset, checkpoint)
    scored = first.folds >= 0
    assert scored.sum() == 128
    assert len(first.views) == len(VIEWS)
    for logits in first.views:
        assert np.abs(logits[scored]).sum(axis=1).min() > 0
        assert not logits[~scored].any()
    monkeypatch.setattr(Trainer, "train", None)  # nothing may be trained again
    assert np.array_equal(held_out(dataset, checkpoint).views, first.views)
    assert np.array_equal(first.alone("nearest").views, first.views[2:])


def test_folds_share_the_stages_of_written_sentences(dataset: Dataset, checkpoint: Path) -> None:
    """Lone ones; those and each half of the reports; and those and both halves, which all corpus documents go on from."""
    folds = held_out(dataset, checkpoint).folds
    assert len(list(outoffold.CACHE.glob("*.npy"))) == folds.max() + 1
    assert len(list(outoffold.CACHE.glob("*.safetensors"))) == 4


def test_written_reports_are_scored_by_models_that_know_no_corpus_sentence(dataset: Dataset, checkpoint: Path) -> None:
    other = replace(dataset, sentences=tuple(s if s.written else replace(s, labels=("veterans.care",)) for s in dataset.sentences))
    first = held_out(dataset, checkpoint)
    for file in outoffold.CACHE.iterdir():  # the key is made of the label files, which this data set does not come from
        file.unlink()
    second = held_out(other, checkpoint)
    reports = np.array([s.written and s.document is not None for s in dataset.sentences])
    corpus = dataset.corpus
    assert np.array_equal(first.views[:, reports], second.views[:, reports])
    for one, other_labels in zip(first.views, second.views, strict=True):
        assert not np.allclose(one[corpus], other_labels[corpus], atol=1e-2)


def test_the_learning_curve_has_a_point_for_each_size_and_system(
    dataset: Dataset, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curve, "DRAWS", 1)
    points = curve.learning_curve(Trainer(dataset, str(checkpoint), RECIPE, seed=0))
    assert [(p["per_leaf"], p["system"]) for p in points] == [
        (size, system) for size in ("2", "8", "16", "all") for system in ("baseline", "encoder", "joined")
    ]
    assert all(0 <= p["leaf_micro_f1"] <= 1 for p in points)
    assert max(p["leaf_micro_f1"] for p in points if p["system"] == "baseline") > 0.5  # the sentences hold their leaves' names


def test_so_many_of_each_leaf_are_drawn(dataset: Dataset) -> None:
    lone = np.array([row for row, s in enumerate(dataset.sentences) if s.document is None])
    drawn = curve.draw_per_leaf(dataset.primaries, lone, 2, seed=0)
    assert (np.bincount(dataset.primaries[drawn]) == 2).all()
    assert set(drawn.tolist()) <= set(lone.tolist())
    assert not np.array_equal(drawn, curve.draw_per_leaf(dataset.primaries, lone, 2, seed=1))


@pytest.mark.parametrize("peer", [peers.frozen_encoder, peers.setfit])
def test_peers_score_the_corpus_alone(dataset: Dataset, checkpoint: Path, peer) -> None:  # type: ignore[no-untyped-def]
    scored = peer(Trainer(dataset, str(checkpoint), RECIPE, seed=0), document_folds(dataset))
    [logits] = scored.views
    assert np.abs(logits[dataset.corpus]).sum(axis=1).min() > 0
    assert not logits[~dataset.corpus].any()
