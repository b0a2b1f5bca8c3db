"""What each part of the method is worth: ``python -m training.ablation [ROW ...]``; its table stands in LOG.md.

Every row is scored on the same corpus sentences, none of which training saw: it sees written sentences alone, a few a leaf,
or whole written reports where a row needs context. Thresholds, and what joins views, are fitted on the other half of the
corpus (Sichuan, or the four other documents). Each row runs with three seeds, which draw the sentences and start the training,
and is compared with its reference by a paired permutation over blocks, all seeds swapped together. Methods that lost live here alone.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.base import prepare_base
from training.corpus import ROOT
from training.curve import nearest_logits
from training.dataset import corpus_blocks
from training.finetune import Loss, Targets, Tuned, fine_tune, optimise
from training.frozen import FrozenBase
from training.lab import EPOCHS, RECIPE, Draw, Lab, fine_tuned
from training.losses import asymmetric, balanced, contrastive, r_drop, tied, untied
from training.metrics import Bools, f1, indicator, paired_permutation, score
from training.peers import SETFIT_RECIPE, regression, setfit_loss
from training.quiet import quieten
from training.recipe import Recipe
from zhuti.decision import Floats, sigmoid
from zhuti.text import normalise

Ints = NDArray[np.int64]
SEEDS = (0, 1, 2)
PER_LEAF = 20
RESULTS = ROOT / "build" / "ablation.jsonl"


# --- rows: of the lab and a seed, to the corpus's logits -------------------------------------------


def _reference(lab: Lab, seed: int, per_leaf: int = PER_LEAF, recipe: Recipe = RECIPE) -> Floats:
    return lab.tuned(lab.sentences(seed, per_leaf, recipe), seed)


def _frozen(lab: Lab, seed: int, recipe: Recipe = RECIPE) -> Floats:
    draw = lab.sentences(seed, PER_LEAF, recipe)
    return draw.logits(draw.started(seed))


def _fresh_head(lab: Lab, seed: int) -> Floats:
    draw = lab.sentences(seed, PER_LEAF, RECIPE)
    model = draw.started(seed)
    with torch.no_grad():
        torch.nn.init.normal_(model.head.weight, std=0.02)
        model.head.bias.fill_(-3.0)
    return draw.logits(fine_tuned(draw, seed, model))


def _with_loss(lab: Lab, seed: int, make: Callable[[Draw], Loss]) -> Floats:
    draw = lab.sentences(seed, PER_LEAF, RECIPE)
    tuned = optimise(draw.started(seed), make(draw), draw.base.lengths, draw.training, RECIPE, EPOCHS, seed)
    return draw.logits(tuned)


def _setfit(lab: Lab, seed: int) -> Floats:
    draw = lab.sentences(seed, PER_LEAF, RECIPE)
    loss = setfit_loss(draw.base, draw.targets.primaries)
    recipe = replace(RECIPE, learning_rate=SETFIT_RECIPE.learning_rate)
    tuned = optimise(draw.started(seed), loss, draw.base.lengths, draw.training, recipe, EPOCHS, seed)
    return _regression(draw, draw.vectors(tuned))


def _regression(draw: Draw, vectors: Floats) -> Floats:
    return regression(vectors, draw.targets.leaves, draw.training, np.arange(draw.corpus.size))


def _descriptions(lab: Lab, seed: int) -> Floats:
    """The taxonomy's words for each leaf as further training sentences."""
    dataset = lab.corpus.dataset
    plain = lab.sentences(seed, PER_LEAF, RECIPE)
    leaves = dataset.taxonomy.leaves
    draw = Draw(lab.corpus, plain.numbers[lab.corpus.size :], RECIPE, lab.texts.__getitem__)
    words = [normalise(text) for leaf in leaves for text in (leaf.zh, leaf.include)]
    own = np.repeat(np.arange(len(leaves)), 2)
    folder, prefix = prepare_base(None)
    draw.base = FrozenBase(folder, prefix, draw.texts + words, RECIPE)
    draw.training = np.concatenate([draw.training, len(draw.texts) + np.arange(len(words))])
    labels = np.concatenate([draw.targets.leaves, np.eye(len(leaves), dtype=np.float32)[own]])
    draw.targets = Targets(labels, np.concatenate([draw.targets.primaries, own]), draw.targets.parents)
    return draw.logits(fine_tuned(draw, seed))


def _averaged(lab: Lab, seed: int) -> Floats:
    """Moving average of the weights over the steps (decay .97) in place of the last ones."""
    draw = lab.sentences(seed, PER_LEAF, RECIPE)
    plain = tied(draw)
    mean: dict[str, Tensor] = {}

    def loss(model: Tuned, batch: Ints) -> Tensor:
        for name, value in model.state_dict().items():
            mean[name] = value.clone() if name not in mean else mean[name].mul_(0.97).add_(value, alpha=0.03)
        return plain(model, batch)

    tuned = optimise(draw.started(seed), loss, draw.base.lengths, draw.training, RECIPE, EPOCHS, seed)
    tuned.load_state_dict(mean)
    return draw.logits(tuned)


def _ensemble(lab: Lab, seed: int) -> Floats:
    draw = lab.sentences(seed, PER_LEAF, RECIPE)
    members = [lab.tuned(draw, seed), *(draw.logits(fine_tuned(draw, other)) for other in (seed + 10, seed + 20))]
    mean: Floats = np.mean(members, axis=0, dtype=np.float32)
    return mean


def _distilled(lab: Lab, seed: int) -> Floats:
    """Three models' mean probabilities on the training sentences, mixed half and half with the labels, taught to one."""
    draw = lab.sentences(seed, PER_LEAF, RECIPE)
    teachers = [fine_tuned(draw, other) for other in (seed, seed + 10, seed + 20)]
    soft = np.zeros_like(draw.targets.leaves)
    soft[draw.training] = np.mean([sigmoid(draw.logits(teacher, draw.training)) for teacher in teachers], axis=0)
    mixed = Targets(0.5 * soft + 0.5 * draw.targets.leaves, draw.targets.primaries, draw.targets.parents)
    model = fine_tune(draw.started(seed), draw.base, draw.training, mixed, RECIPE, EPOCHS, seed)
    return draw.logits(model)


def _ngrams(lab: Lab, seed: int, per_leaf: int = PER_LEAF) -> Floats:
    return lab.lexical(lab.sentences(seed, per_leaf, RECIPE))


def _both(lab: Lab, seed: int) -> Floats:
    return lab.corpus.joined(np.stack([_reference(lab, seed), _ngrams(lab, seed)]), context=False)


def _with_nearest(lab: Lab, seed: int) -> Floats:
    draw = lab.sentences(seed, PER_LEAF, RECIPE)
    vectors = draw.vectors(fine_tuned(draw, seed))
    nearest = nearest_logits(vectors[draw.training], draw.targets.leaves[draw.training], vectors[: draw.corpus.size])
    return lab.corpus.joined(np.stack([_reference(lab, seed), nearest]), context=False)


def _corpus_alone(lab: Lab, seed: int) -> Floats:
    """No written sentences: each half of the corpus is scored by a model trained on the other half."""
    whole = Draw(lab.corpus, np.zeros(0, np.int64), RECIPE, lab.texts.__getitem__)
    logits = np.zeros(lab.corpus.gold.shape, np.float32)
    for fitted, applied in lab.corpus.halves:
        whole.training = np.flatnonzero(fitted)
        logits[applied] = whole.logits(fine_tuned(whole, seed))[applied]
    return logits


def _on_reports(lab: Lab, seed: int, segment: bool) -> Floats:
    return lab.tuned(lab.reports(seed, segment), seed)


def _neighbour_vectors(lab: Lab, seed: int) -> Floats:
    """.4 of the mean of the vectors of the sentences before and after added to each, then a regression."""
    draw = lab.reports(seed, False)
    vectors = draw.vectors(fine_tuned(draw, seed))
    places = np.full(len(lab.corpus.dataset.sentences) + 1, -1)
    places[draw.numbers] = np.arange(len(draw.numbers))
    beside = places[lab.corpus.dataset.rows[draw.numbers][:, 1:3]]
    there = (beside >= 0).astype(np.float32)
    mean = (vectors[beside] * there[:, :, None]).sum(1) / np.maximum(there.sum(1, keepdims=True), 1)
    return _regression(draw, vectors + np.float32(0.4) * mean)


def _alone_regression(lab: Lab, seed: int) -> Floats:
    draw = lab.reports(seed, False)
    return _regression(draw, draw.vectors(fine_tuned(draw, seed)))


def _context_layer(lab: Lab, seed: int, context: bool) -> Floats:
    draw = lab.reports(seed, False)
    return lab.corpus.joined(np.stack([lab.tuned(draw, seed), lab.lexical(draw)]), context=context)


Row = Callable[[Lab, int], Floats]
REFERENCE = "reference: 12 layers, upper 3 tuned, started head, tied loss"
UNTIED = "heads not tied by the hierarchy"
WITHOUT_CONTEXT = "reports: reference without context"
ROWS: dict[str, tuple[Row, str]] = {
    REFERENCE: (_reference, REFERENCE),
    "character n-gram TF-IDF + logistic regression": (_ngrams, REFERENCE),
    "frozen encoder + logistic regression": (_frozen, REFERENCE),
    "fresh head instead of a started one": (_fresh_head, REFERENCE),
    "1 layer tuned": (partial(_reference, recipe=replace(RECIPE, tuned_layers=1)), REFERENCE),
    "2 layers tuned": (partial(_reference, recipe=replace(RECIPE, tuned_layers=2)), REFERENCE),
    "6 layers tuned": (partial(_reference, recipe=replace(RECIPE, tuned_layers=6)), REFERENCE),
    "no dropout": (partial(_reference, recipe=replace(RECIPE, dropout=0.0)), REFERENCE),
    "first 6 layers, upper 3 tuned": (partial(_reference, recipe=replace(RECIPE, layers=6)), REFERENCE),
    "first 9 layers, upper 3 tuned": (partial(_reference, recipe=replace(RECIPE, layers=9)), REFERENCE),
    "SetFit: contrastive pairs, then regression": (_setfit, REFERENCE),
    UNTIED: (partial(_with_loss, make=untied), REFERENCE),
    "supervised contrastive term": (partial(_with_loss, make=contrastive), UNTIED),
    "label descriptions as training sentences": (_descriptions, REFERENCE),
    "asymmetric loss": (partial(_with_loss, make=asymmetric), UNTIED),
    "distribution-balanced weights": (partial(_with_loss, make=balanced), UNTIED),
    "R-Drop": (partial(_with_loss, make=r_drop), UNTIED),
    "weight averaging": (_averaged, REFERENCE),
    "ensemble of three": (_ensemble, REFERENCE),
    "ensemble of three distilled into one": (_distilled, REFERENCE),
    "TF-IDF view beside BERT (logits joined)": (_both, REFERENCE),
    "nearest training sentences beside BERT (logits joined)": (_with_nearest, REFERENCE),
    "no written sentences (other half of the corpus)": (_corpus_alone, REFERENCE),
    "10 written sentences a leaf": (partial(_reference, per_leaf=10), REFERENCE),
    "40 written sentences a leaf": (partial(_reference, per_leaf=40), REFERENCE),
    "80 written sentences a leaf": (partial(_reference, per_leaf=80), REFERENCE),
    "80 a leaf, TF-IDF alone": (partial(_ngrams, per_leaf=80), REFERENCE),
    WITHOUT_CONTEXT: (partial(_on_reports, segment=False), WITHOUT_CONTEXT),
    "reports: heading and previous as second segment": (partial(_on_reports, segment=True), WITHOUT_CONTEXT),
    "reports: regression on tuned vectors": (_alone_regression, WITHOUT_CONTEXT),
    "reports: the same with neighbours' vectors": (_neighbour_vectors, "reports: regression on tuned vectors"),
    "reports: both views, no context": (partial(_context_layer, context=False), WITHOUT_CONTEXT),
    "reports: both views and context layer": (partial(_context_layer, context=True), "reports: both views, no context"),
}


def run(names: list[str]) -> Iterator[str]:
    """Measure rows and what they are compared with, append them to ``build/ablation.jsonl`` and give them as lines of a Markdown table.

    :raises ValueError: if a name is not one of ``ROWS``.
    """
    unknown = sorted(set(names) - set(ROWS))
    if unknown:
        raise ValueError(f"unknown rows {unknown}; the rows are: {'; '.join(ROWS)}")
    quieten()
    lab, given = Lab(), {}
    corpus = lab.corpus
    blocks, gold = corpus_blocks(corpus.dataset), corpus.gold
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    for name in dict.fromkeys(row for wanted in names for row in (*_references(wanted), wanted)):
        row, reference = ROWS[name]
        began = time.monotonic()
        chosen = [corpus.choose(row(lab, seed)) for seed in SEEDS]
        given[name] = [indicator(labels, gold.shape[1]) for labels in chosen]
        figures = [score(labels, gold, corpus.primaries, corpus.dataset.taxonomy) for labels in chosen]
        mean = {key: float(np.mean([f[key] for f in figures])) for key in figures[0]}
        spread = {key: float(np.std([f[key] for f in figures], ddof=1)) for key in figures[0]}
        gain, p = _compare(given[name], given[reference], gold, blocks)
        record = {"row": name, "mean": mean, "spread": spread, "gain": gain, "p": p, "seconds": round(time.monotonic() - began)}
        with RESULTS.open("a", encoding="utf-8") as out:
            out.write(json.dumps(record, ensure_ascii=False) + "\n")
        yield render(record)


def _references(name: str) -> list[str]:
    """What a row is compared with, and that in turn, the farthest first."""
    reference = ROWS[name][1]
    return [] if reference == name else [*_references(reference), reference]


def _compare(mine: list[Bools], theirs: list[Bools], gold: Bools, blocks: Ints) -> tuple[float, float]:
    """:return: mean difference in leaf micro-F1 over the seeds, and its two-sided p-value."""

    def difference(swapped: Bools, first: list[Bools], second: list[Bools]) -> float:
        at = swapped[:, None]
        pairs = ((np.where(at, b, a), np.where(at, a, b)) for a, b in zip(first, second, strict=True))
        return float(np.mean([f1(a, gold, "micro") - f1(b, gold, "micro") for a, b in pairs]))

    gain = difference(np.zeros(len(gold), bool), mine, theirs)
    better, worse = (theirs, mine) if gain < 0 else (mine, theirs)
    return gain, min(1.0, 2 * paired_permutation(partial(difference, first=better, second=worse), blocks, 500))


def render(record: dict[str, object]) -> str:
    """One line of the table: mean and spread over seeds, gain over the reference and its p-value."""
    mean, spread = record["mean"], record["spread"]
    assert isinstance(mean, dict)
    assert isinstance(spread, dict)
    cells = [f"{mean[key]:.3f} ± {spread[key]:.3f}" for key in ("leaf_micro_f1", "leaf_macro_f1", "theme_micro_f1", "theme_macro_f1")]
    return f"| {record['row']} | {' | '.join(cells)} | {record['gain']:+.3f} | {record['p']:.3f} |"


if __name__ == "__main__":
    print("| row | leaf micro-F1 | leaf macro-F1 | theme micro-F1 | theme macro-F1 | gain | p |\n" + "|---" * 7 + "|")
    for line in run(sys.argv[1:] or list(ROWS)):
        print(line, flush=True)
