"""``zhuti evaluate``: the model and its peers on sentences that training did not see, written to training/reports/.

Two ways of holding out: one whole document at a time, and five folds over contiguous blocks of 15 sentences. What is
scored are the exported files, run by the tagger's own code; context layer, calibration and thresholds are fitted on
the other folds. Written sentences are in training alone. The finished model is scored on the sets of ``finished.py``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training import figures
from training import peers as peer_models
from training.card import same_training
from training.crossfit import CrossFitted, Stack
from training.curve import learning_curve
from training.dataset import Dataset, corpus_blocks, load_dataset
from training.finished import score_finished
from training.metrics import (
    Bools,
    bootstrap_intervals,
    calibration_error,
    f1,
    indicator,
    paired_permutation,
    primary_calibration_error,
    score,
    to_themes,
)
from training.outoffold import OutOfFold, Trainer
from training.pipeline import SETTINGS, source_hashes
from training.quiet import quieten
from training.report import render
from training.schemes import ALONE, BASELINE, ENCODER, NEAREST, OURS, SCHEMES
from zhuti.decision import choose
from zhuti.tagger import Tagger

_PERMUTATIONS = 1000
_RESAMPLES = 1000
_VIEWS = {"dense": ENCODER, "nearest": NEAREST, "lexical": BASELINE}


@dataclass(frozen=True)
class Scored:
    """One system under one way of holding out, on the corpus sentences."""

    predicted: CrossFitted
    chosen: list[list[int]]
    figures: dict[str, float]


def evaluate_models(base: str | None, model: Path | None, output: Path, seed: int) -> dict[str, Any]:
    """Measure and write ``evaluation.json``, ``evaluation.md``, ``predictions-SCHEME.jsonl`` and the SVG figures.

    :param base: as in training.
    :param model: a finished model, which is scored too if it was made from the same sources and with the same seed.
    :param output: folder, made if missing.
    :return: what ``evaluation.json`` holds.
    """
    quieten()
    dataset = load_dataset()
    trainer = Trainer(dataset, base, SETTINGS["small"], seed)
    output.mkdir(parents=True, exist_ok=True)
    report: dict[str, Any] = {
        "sources": source_hashes(), "sentences": int(dataset.corpus.sum()), "written": int((~dataset.corpus).sum()), "seed": seed,
        "schemes": {}, "curve": [], "finished": {},
    }  # fmt: skip
    for scheme, (title, folds_of) in SCHEMES.items():
        print(f"zhuti evaluate: {title}", flush=True)
        held_out = trainer.out_of_fold(folds_of(dataset))
        systems = score_systems(dataset, held_out)
        if scheme == "documents":
            systems |= score_peers(trainer, held_out.folds)
            report["leaves"] = leaf_table(dataset, systems[OURS])
            report["uncertain"] = uncertainty(dataset, systems[OURS])
            figures.write_all(dataset, systems[OURS].predicted, systems[OURS].chosen, output)
            report["worst"] = worst_errors(dataset, systems[OURS])
        report["schemes"][scheme] = {"title": title} | summarise(dataset, systems)
        _write_predictions(dataset, systems, output / f"predictions-{scheme}.jsonl")
        _write(report, output)
    report["curve"] = learning_curve(trainer)
    figures.write_curve(report["curve"], output)
    if model and same_training(model, report):
        report["finished"] = score_finished(Tagger.load(model))
    _write(report, output)
    print(render(report).partition("## Leaves")[0], flush=True)
    return report


def _write(report: dict[str, Any], output: Path) -> None:
    """Write what is measured so far: a run that is broken off leaves its parts, and the page says which are missing."""
    (output / "evaluation.json").write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (output / "evaluation.md").write_text(render(report), encoding="utf-8")


def score_systems(dataset: Dataset, held_out: OutOfFold) -> dict[str, Scored]:
    """:return: the shipped kind of model, the same without neighbours, and its views by themselves."""
    stack = Stack(dataset, held_out)
    predictions = {
        OURS: stack.predict(),
        ALONE: stack.predict(context=False),
    } | {name: Stack(dataset, held_out.alone(view)).predict() for view, name in _VIEWS.items()}
    return {name: _score(dataset, predicted) for name, predicted in predictions.items()}


def score_peers(trainer: Trainer, folds: NDArray[np.int64]) -> dict[str, Scored]:
    """Other methods on the same folds, calibrated and decided in the same way."""
    peers = {"frozen encoder + LR": peer_models.frozen_encoder, "SetFit": peer_models.setfit}
    stacks = {name: Stack(trainer.dataset, logits_of(trainer, folds)) for name, logits_of in peers.items()}
    return {name: _score(trainer.dataset, stack.predict()) for name, stack in stacks.items()}


def _score(dataset: Dataset, predicted: CrossFitted) -> Scored:
    corpus = dataset.corpus
    chosen = choose(predicted.probabilities, predicted.thresholds, dataset.taxonomy)
    return Scored(predicted, chosen, score(chosen, dataset.targets[corpus] > 0, dataset.primaries[corpus], dataset.taxonomy))


def summarise(dataset: Dataset, systems: dict[str, Scored]) -> dict[str, Any]:
    """Figures with 95 % intervals by bootstrap over blocks, and paired tests against the baseline."""
    corpus = dataset.corpus
    gold, primaries, blocks = dataset.targets[corpus] > 0, dataset.primaries[corpus], corpus_blocks(dataset)
    summary: dict[str, Any] = {}
    for name, system in systems.items():

        def figures_on(rows: NDArray[np.int64], chosen: list[list[int]] = system.chosen) -> dict[str, float]:
            return score([chosen[row] for row in rows], gold[rows], primaries[rows], dataset.taxonomy)

        intervals = bootstrap_intervals(figures_on, blocks, _RESAMPLES)
        summary[name] = {
            key: {"value": round(value, 4), "interval": [round(end, 4) for end in intervals[key]]} for key, value in system.figures.items()
        }
    given = {name: indicator(system.chosen, gold.shape[1]) for name, system in systems.items()}
    themes, supported = to_themes(gold, dataset.taxonomy), supported_leaves(dataset)
    kept = {level: round(f1(given[OURS][:, supported], gold[:, supported], level), 4) for level in ("micro", "macro")}
    return {
        "systems": summary,
        "against_baseline": {name: _against(given[name], given[BASELINE], gold, blocks) for name in (OURS, ALONE)},
        "calibration_error": {name: _calibration(systems[name], themes, dataset) for name in (OURS, ALONE)},
        "leaves_another_document_supports": kept,
    }


def _against(first: Bools, second: Bools, gold: Bools, blocks: NDArray[np.int64]) -> dict[str, float]:
    """The difference in leaf micro-F1 and its one-sided p-value."""

    def difference(swapped: Bools) -> float:
        a, b = np.where(swapped[:, None], second, first), np.where(swapped[:, None], first, second)
        return f1(a, gold, "micro") - f1(b, gold, "micro")

    p = paired_permutation(difference, blocks, _PERMUTATIONS)
    return {"leaf_micro_f1": round(difference(np.zeros(len(gold), bool)), 4), "p": round(p, 4)}


def _calibration(system: Scored, themes: Bools, dataset: Dataset) -> dict[str, float]:
    """Over all decisions on themes, and over the scores of the primary themes alone."""
    primary = primary_calibration_error(system.chosen, system.predicted.themes, themes, dataset.taxonomy.parents)
    return {"themes": round(calibration_error(system.predicted.themes, themes), 4), "primary_theme": round(primary, 4)}


def supported_leaves(dataset: Dataset) -> NDArray[np.bool_]:
    """:return: (leaves,), True where at least two corpus documents have the leaf."""
    corpus = dataset.corpus
    documents = np.array([s.document for s in dataset.sentences if not s.written])
    gold = dataset.targets[corpus] > 0
    return np.array([len(set(documents[gold[:, leaf]])) > 1 for leaf in range(gold.shape[1])])


def leaf_table(dataset: Dataset, system: Scored) -> list[dict[str, Any]]:
    """Support, precision, recall, F1 and mean threshold of each leaf, held-out documents."""
    gold = dataset.targets[dataset.corpus] > 0
    given = indicator(system.chosen, gold.shape[1])
    table = []
    for position, leaf in enumerate(dataset.taxonomy.leaves):
        hits, predicted, support = (int(x.sum()) for x in (given[:, position] & gold[:, position], given[:, position], gold[:, position]))
        table.append({
            "code": leaf.code, "zh": leaf.zh, "support": support, "predicted": predicted,
            "precision": round(hits / max(1, predicted), 3), "recall": round(hits / max(1, support), 3),
            "f1": round(2 * hits / max(1, predicted + support), 3),
            "threshold": round(float(system.predicted.thresholds[:, position].mean()), 3),
        })  # fmt: skip
    return table


def uncertainty(dataset: Dataset, system: Scored) -> dict[str, float]:
    """Which share of wrong primary themes the mark `uncertain` catches, at which share of sentences."""
    corpus = dataset.corpus
    parents = np.array(dataset.taxonomy.parents)
    marked = system.predicted.probabilities.max(axis=1) < system.predicted.certain
    wrong = parents[np.array([labels[0] for labels in system.chosen])] != parents[dataset.primaries[corpus]]
    return {"share_of_sentences": round(float(marked.mean()), 4), "share_of_theme_errors": round(float(marked[wrong].mean()), 4)}


def worst_errors(dataset: Dataset, system: Scored, count: int = 25) -> list[dict[str, Any]]:
    """The most confident wrong primaries, with both readings."""
    sentences = [sentence for sentence in dataset.sentences if not sentence.written]
    codes = dataset.taxonomy.codes
    wrong = [row for row, labels in enumerate(system.chosen) if codes[labels[0]] != sentences[row].labels[0]]
    wrong.sort(key=lambda row: -float(system.predicted.probabilities[row].max()))
    return [
        {"id": sentences[row].id, "text": sentences[row].text, "reader": list(sentences[row].labels),
         "model": [codes[label] for label in system.chosen[row]], "score": round(float(system.predicted.probabilities[row].max()), 3)}
        for row in wrong[:count]
    ]  # fmt: skip


def _write_predictions(dataset: Dataset, systems: dict[str, Scored], path: Path) -> None:
    """Out-of-fold predictions of every corpus sentence, probabilities in label order, so that anyone can recompute the figures."""
    codes = dataset.taxonomy.codes
    with path.open("w", encoding="utf-8") as out:
        for row, sentence in enumerate(s for s in dataset.sentences if not s.written):
            line: dict[str, Any] = {"id": sentence.id, "labels": list(sentence.labels)}
            for name, system in systems.items():
                line[name] = {
                    "labels": [codes[label] for label in system.chosen[row]],
                    "probabilities": [round(float(p), 4) for p in system.predicted.probabilities[row]],
                    "themes": [round(float(p), 4) for p in system.predicted.themes[row]],
                }
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
