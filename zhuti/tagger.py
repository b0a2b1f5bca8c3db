"""The tagger: a report or a list of sentences in, units with their themes out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from zhuti.artifact import DEFAULT, Artifact
from zhuti.context import neighbours
from zhuti.decision import Decision, Floats, choose
from zhuti.evidence import EvidenceIndex
from zhuti.model import Model, load_model
from zhuti.result import TaggedUnit, ThemeScore
from zhuti.taxonomy import Taxonomy
from zhuti.text import Unit, normalise, single_unit, split


class Tagger:
    """Tags units with themes. One tagger may be used by one thread at a time.

    >>> tagger = Tagger.load()                                       # doctest: +SKIP
    >>> tagger.tag("一、选准用好干部\\n全年调整干部86人次。")[0].primary      # doctest: +SKIP
    'cadres.selection'
    """

    def __init__(self, artifact: Artifact, model: Model, decision: Decision, evidence: EvidenceIndex | None) -> None:
        self.artifact = artifact
        self._model = model
        self._decision = decision
        self._thresholds = np.asarray(decision.thresholds)
        self._evidence = evidence

    @classmethod
    def load(cls, name_or_path: str | Path = DEFAULT) -> Tagger:
        """Load a model folder, after its hashes are verified.

        :param name_or_path: a folder, or the name of a model in ``models/``.
        :raises ArtifactError: if it is missing, foreign or damaged.
        """
        artifact = Artifact.load(name_or_path)
        evidence = EvidenceIndex.load(artifact.path) if artifact.kind == "encoder" else None
        return cls(artifact, load_model(artifact), Decision.load(artifact.path / "decision.json"), evidence)

    @property
    def taxonomy(self) -> Taxonomy:
        return self.artifact.taxonomy

    def tag(self, text: str, *, explain: int = 0) -> list[TaggedUnit]:
        """Split a report and tag each unit in the context of its neighbours.

        :param text: the report, as it is.
        :param explain: how many labelled sentences to give as evidence for each unit.
        :return: units in order of the text; an empty list for a blank text.
        """
        return self.tag_units([split(text)], explain=explain)[0]

    def tag_sentences(self, documents: Iterable[Sequence[str]], *, explain: int = 0) -> list[list[TaggedUnit]]:
        """Tag sentences that are already split.

        :param documents: for each document its sentences in order, which give each other context; a lone
            sentence is a document of one.
        :return: for each document one tagged unit a sentence.
        """
        return self.tag_units([[single_unit(sentence) for sentence in document] for document in documents], explain=explain)

    def tag_units(self, documents: Sequence[Sequence[Unit]], *, explain: int = 0) -> list[list[TaggedUnit]]:
        """As :meth:`tag`, for the units of several documents at once."""
        units = [unit for document in documents for unit in document]
        if not units:
            return [[] for _ in documents]
        probabilities, vectors = self.probabilities(documents)
        chosen = choose(probabilities, self._thresholds, self.taxonomy)
        nearest = self._evidence.nearest(vectors, explain) if explain and self._evidence and vectors is not None else [()] * len(units)
        leaves = self.taxonomy.leaves
        tagged = iter(
            TaggedUnit(
                unit.index, unit.start, unit.end, unit.text, unit.role,
                primary=leaves[labels[0]].code,
                uncertain=bool(scores[labels[0]] < self._decision.certain),
                themes=tuple(ThemeScore(leaves[leaf].code, leaves[leaf].parent, round(float(scores[leaf]), 4)) for leaf in labels),
                evidence=evidence,
            )
            for unit, labels, scores, evidence in zip(units, chosen, probabilities, nearest, strict=True)
        )  # fmt: skip
        return [[next(tagged) for _ in document] for document in documents]

    def forget(self) -> None:
        """Drop remembered sentences, so that results do not depend, to the last digit, on what was tagged before."""
        self._model.forget()

    def probabilities(self, documents: Sequence[Sequence[Unit]]) -> tuple[Floats, Floats | None]:
        """Calibrated probabilities of every leaf.

        :return: (units, leaves) in label order over all documents' units, and the units' vectors (units, width), if the model has any.
        """
        texts = [normalise(unit.text) for document in documents for unit in document]
        rows = neighbours([[unit.role for unit in document] for document in documents])
        logits, vectors = self._model.logits(texts, rows)
        return self._decision.leaf_probabilities(logits), vectors
