"""What a peer's vectors mean for the tags: the rest of the tagger is the same for all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.workload import Call
from training.dataset import load_dataset
from training.metrics import f1, indicator
from zhuti.artifact import Artifact
from zhuti.context import ContextLayer, neighbours
from zhuti.decision import Decision, Floats, choose
from zhuti.model import Views
from zhuti.text import normalise

Chosen = Sequence[Sequence[int]]


class Decider:
    """The views, context layer, calibration and thresholds of an artefact."""

    def __init__(self, artifact: Artifact) -> None:
        self._taxonomy = artifact.taxonomy
        self._views = Views(artifact.path, artifact.manifest["encoder"])
        self._context = ContextLayer.load(artifact.path)
        self._decision = Decision.load(artifact.path / "decision.json")

    def choose(self, vectors: Floats, call: Call) -> list[list[int]]:
        """:param vectors: of the call's sentences, (n, width). :return: leaf positions of each sentence."""
        documents = [passage.units() for passage in call]
        texts = [normalise(unit.text) for units in documents for unit in units]
        logits = self._context.logits(self._views.of(vectors, texts), neighbours(documents))
        return choose(self._decision.leaf_probabilities(logits), np.asarray(self._decision.thresholds), self._taxonomy)


def leaf_micro_f1(chosen: Chosen) -> float:
    """Against the corpus labels, which the shipped model was trained on: good for differences, not as its quality."""
    dataset = load_dataset(written=False)
    gold = dataset.targets > 0
    return f1(indicator(chosen, gold.shape[1]), gold, "micro")


def share_changed(chosen: Chosen, reference: Chosen) -> float:
    """:return: share of sentences whose set of leaves differs."""
    return float(np.mean([set(a) != set(b) for a, b in zip(chosen, reference, strict=True)]))
