"""Context layer, calibration, thresholds and scores on small arrays."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ROOT
from training.baseline import export_lexical, fit_baseline
from training.crossfit import Stack
from training.dataset import block_folds, cut_at_fold_edges, document_folds, load_dataset
from training.metrics import bootstrap_intervals, calibration_error, f1, paired_permutation, primary_calibration_error, score, to_themes
from training.outoffold import OutOfFold, split_rows
from training.stacking import fit_context, fit_decision
from zhuti.context import ContextLayer, neighbours
from zhuti.decision import Decision, choose, sigmoid, theme_logits
from zhuti.lexical import LexicalView
from zhuti.taxonomy import Taxonomy
from zhuti.text import single_unit

TAXONOMY = Taxonomy.load(ROOT / "labels" / "taxonomy.yaml")
LEAVES = len(TAXONOMY.codes)


def one_hot(*positions: int) -> np.ndarray:
    return np.eye(LEAVES, dtype=np.float32)[list(positions)]


def test_folds_hold_out_whole_documents_and_blocks() -> None:
    dataset = load_dataset()
    documents, blocks = document_folds(dataset), block_folds(dataset)
    for fold in range(5):
        assert len({s.document for s, f in zip(dataset.sentences, documents, strict=True) if f == fold and not s.written}) == 1
    assert (blocks[:15] == 0).all()
    assert (blocks[15:30] == 1).all()
    lone = np.array([s.document is None for s in dataset.sentences])
    assert (documents[lone] == -1).all()
    assert (blocks[lone] == -1).all()
    for fold in range(7):
        held_out, training = split_rows(dataset.rows, blocks, fold, dataset.corpus)
        around = dataset.rows[held_out, 1:3]
        assert not set(around[around >= 0].tolist()) & set(training.tolist())
        assert not set(held_out.tolist()) & set(training.tolist())
        if fold < 5:
            assert dataset.corpus[held_out].all()
            assert len(held_out) + len(training) > 0.95 * len(blocks)
        else:  # written reports: models that knew no corpus sentence
            assert not dataset.corpus[held_out].any()
            assert not dataset.corpus[training].any()
            assert len(held_out) + len(training) == (~dataset.corpus).sum()
    rows = cut_at_fold_edges(dataset.rows, blocks)
    assert rows[15, 1] == -1
    assert rows[14, 2] == -1
    assert rows[14, 1] == 13


def test_the_context_layer_learns_from_neighbours_and_leaves_lone_sentences_alone(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    primaries = np.repeat(np.arange(0, 30), 20)  # long runs of one leaf
    targets = one_hot(*primaries)
    views = np.stack([targets * 3 - 3 + rng.normal(0, 1.6, targets.shape).astype(np.float32) for _ in range(3)])
    rows = neighbours([[single_unit("加强组织建设。")] * len(primaries)])
    layer = fit_context(views, rows, targets, primaries)
    with_context, alone = (layer.logits(views, r).argmax(axis=1) for r in (rows, np.full_like(rows, -1)))
    assert (with_context == primaries).mean() > (alone == primaries).mean() + 0.02
    again = fit_context(views, rows, targets, primaries)
    assert all(np.array_equal(getattr(again, field.name), getattr(layer, field.name)) for field in fields(layer))
    layer.save(tmp_path)
    assert np.array_equal(ContextLayer.load(tmp_path).logits(views, rows), layer.logits(views, rows))


def test_nothing_of_a_fold_bears_on_its_own_predictions() -> None:
    """Other labels for one document leave its cross-fitted predictions as they were."""
    dataset = load_dataset(written=False)
    rng = np.random.default_rng(0)
    views = np.stack([dataset.targets * 4 - 3 + rng.normal(0, 1.5, dataset.targets.shape).astype(np.float32) for _ in range(3)])
    folds = document_folds(dataset)
    changed = replace(
        dataset,
        sentences=tuple(replace(s, labels=("veterans.care",)) if f == 1 else s for s, f in zip(dataset.sentences, folds, strict=True)),
    )
    before, after = (Stack(d, OutOfFold(folds, views)).predict() for d in (dataset, changed))
    assert np.allclose(before.probabilities[folds == 1], after.probabilities[folds == 1], atol=1e-6)
    assert (before.thresholds[folds == 1] == after.thresholds[folds == 1]).all()
    assert not np.allclose(before.probabilities[folds == 2], after.probabilities[folds == 2], atol=1e-3)


def test_calibration_and_thresholds_are_fitted(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    primaries = rng.integers(0, LEAVES, 2000)
    targets = one_hot(*primaries)
    logits = (targets * 9 - 7 + rng.normal(0, 3, targets.shape)).astype(np.float32)
    decision = fit_decision(logits, targets, TAXONOMY)
    assert calibration_error(decision.leaf_probabilities(logits), targets > 0) < 0.01 < calibration_error(sigmoid(logits), targets > 0)
    assert all(0.2 <= threshold <= 0.7 for threshold in decision.thresholds)
    decision.save(tmp_path / "decision.json")
    assert Decision.load(tmp_path / "decision.json") == decision


def test_choose() -> None:
    position = TAXONOMY.position
    rows = np.full((4, LEAVES), 0.01, np.float32)
    for row, scores in enumerate([
        {"cadres.young": 0.9, "talent.service": 0.6, "talent.governance": 0.55, "cadres.reform": 0.5},
        {"cadres.young": 0.1},
        {"overview.general": 0.9, "cadres.young": 0.8},
        {"cadres.young": 0.9, "overview.general": 0.8},
    ]):  # fmt: skip
        for code, probability in scores.items():
            rows[row, position(code)] = probability
    chosen = [[TAXONOMY.codes[leaf] for leaf in labels] for labels in choose(rows, np.full(LEAVES, 0.5), TAXONOMY)]
    assert chosen == [["cadres.young", "talent.service", "talent.governance"], ["cadres.young"], ["overview.general"], ["cadres.young"]]


def test_a_theme_is_there_unless_all_of_its_leaves_are_missing() -> None:
    probabilities = np.zeros((1, LEAVES), np.float32)
    probabilities[0, [TAXONOMY.position("talent.service"), TAXONOMY.position("talent.governance")]] = 0.5
    themes = sigmoid(theme_logits(probabilities, TAXONOMY))[0]
    assert themes[TAXONOMY.theme_codes.index("talent")] == pytest.approx(0.75, abs=1e-4)
    assert themes[TAXONOMY.theme_codes.index("cadres")] < 1e-4


def test_the_exported_lexical_view_gives_the_pipeline_s_logits(tmp_path: Path) -> None:
    dataset = load_dataset(written=False)
    pipeline = fit_baseline(dataset.texts, dataset.targets)
    view, again = export_lexical(pipeline), export_lexical(fit_baseline(dataset.texts, dataset.targets))
    assert view.terms == again.terms
    assert all(np.array_equal(getattr(view, name), getattr(again, name)) for name in ("idf", "weight", "bias"))
    view.save(tmp_path)
    texts = [*dataset.texts[::7], "", "ABC 从未见过的字句", "Copyright © www.x.cn"]
    assert np.abs(LexicalView.load(tmp_path).logits(texts) - pipeline.decision_function(texts)).max() < 0.02  # half-precision weights


def test_scores() -> None:
    gold = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], bool)
    predicted = np.array([[1, 0], [0, 1], [0, 1], [1, 1]], bool)
    assert f1(predicted, gold, "micro") == pytest.approx(2 * 3 / (5 + 4))
    assert f1(predicted, gold, "macro") == pytest.approx((0.5 + 0.8) / 2)
    labels, primary = one_hot(0, 5) > 0, np.array([0, 5])
    perfect = score([[0], [5]], labels, primary, TAXONOMY)
    assert set(perfect.values()) == {1.0}
    same_theme = score([[1], [5]], labels, primary, TAXONOMY)
    assert same_theme["primary_leaf_accuracy"] == 0.5
    assert same_theme["theme_micro_f1"] == 1.0
    assert to_themes(labels, TAXONOMY).sum() == 2


def test_calibration_error_of_two_bins() -> None:
    assert calibration_error(np.array([[0.95], [0.95], [0.05], [0.05]]), np.array([[1], [0], [0], [0]], bool)) == pytest.approx(0.25)


def test_calibration_error_of_the_primary_theme_alone() -> None:
    """Leaves 0 and 1 belong to theme 0, leaf 2 to theme 1; the other theme's score does not count."""
    themes, gold = np.array([[0.9, 0.3], [0.9, 0.3], [0.3, 0.7]]), np.array([[1, 1], [0, 1], [0, 1]], bool)
    error = primary_calibration_error([[0], [1, 2], [2, 0]], themes, gold, parents=(0, 0, 1))
    assert error == pytest.approx(2 / 3 * (0.9 - 0.5) + 1 / 3 * (1 - 0.7))


def test_intervals_and_permutation() -> None:
    blocks = np.repeat(np.arange(20), 5)
    right = np.tile([1, 1, 1, 1, 0], 20).astype(float)
    low, high = bootstrap_intervals(lambda rows: {"right": float(right[rows].mean())}, blocks, 200)["right"]
    assert low == pytest.approx(0.8)
    assert high == pytest.approx(0.8)
    better = np.ones(100)
    p = paired_permutation(lambda swapped: float(np.where(swapped, right - better, better - right).mean()), blocks, 300)
    assert p == pytest.approx(1 / 301)
    assert paired_permutation(lambda swapped: 0.0, blocks, 100) == 1.0
