"""The tagger: a report or a list of sentences in, units with their themes out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock
from zipfile import BadZipFile

import numpy as np
from safetensors import SafetensorError

from zhuti.artifact import DEFAULT, Artifact, ArtifactError
from zhuti.context import neighbours
from zhuti.decision import Decision, Floats, choose, choose_by_score, themes_of
from zhuti.errors import ZhutiError
from zhuti.model import Model, load_model
from zhuti.options import Options
from zhuti.result import Evidence, TaggedUnit, ThemeScore
from zhuti.taxonomy import Taxonomy
from zhuti.text import Unit, normalise, single_unit, split


class Tagger:
    """Tags units with themes. Threads may share a tagger; it works for one of them at a time.

    >>> tagger = Tagger.load()
    >>> tagger.tag("一、选准用好干部\\n全年调整干部86人次。")[0].primary
    'cadres.selection'
    """

    def __init__(self, artifact: Artifact, model: Model, decision: Decision) -> None:
        self.artifact = artifact
        self._model = model
        self._decision = decision
        self._thresholds = np.asarray(decision.thresholds)
        self._lock = Lock()

    @classmethod
    def load(cls, name_or_path: str | Path = DEFAULT, *, threads: int | None = None) -> Tagger:
        """Load a model folder, after its hashes are verified.

        :param name_or_path: a folder, or the name of a model in ``models/``.
        :param threads: CPU threads of the encoder; None: one a core. Processes that share the cores take one each.
        :raises ArtifactError: if it is missing, foreign or damaged.
        """
        artifact = Artifact.load(name_or_path)
        try:
            decision = Decision.load(artifact.path / "decision.json")
            model = load_model(artifact, threads)
        except ZhutiError:
            raise
        except (KeyError, TypeError, ValueError, RuntimeError, OSError, SafetensorError, BadZipFile) as error:
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise ArtifactError(f"{artifact.path}: its files are unchanged but cannot be run here: {reason}") from error
        if len(decision.thresholds) != len(artifact.taxonomy.codes):
            raise ArtifactError(f"{artifact.path}: {len(decision.thresholds)} thresholds for {len(artifact.taxonomy.codes)} leaves")
        return cls(artifact, model, decision)

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
        units = [[replace(single_unit(sentence), index=place) for place, sentence in enumerate(document)] for document in documents]
        return self.tag_units(units, explain=explain)

    def tag_units(self, documents: Sequence[Sequence[Unit]], *, explain: int = 0) -> list[list[TaggedUnit]]:
        """As :meth:`tag`, for the units of several documents at once."""
        units = [unit for document in documents for unit in document]
        if explain and self._model.evidence is None:
            raise ZhutiError(f"the model {self.artifact.name} keeps no labelled sentences to explain with")
        if not units:
            return [[] for _ in documents]
        probabilities, vectors = self.probabilities(documents)
        tagged = iter(self.present(units, probabilities, vectors, Options(explain=explain)))
        return [[next(tagged) for _ in document] for document in documents]

    def present(self, units: Sequence[Unit], probabilities: Floats, vectors: Floats | None, options: Options) -> list[TaggedUnit]:
        """Choose labels and evidence for units that are scored.

        :param probabilities: (units, leaves), as :meth:`probabilities` gives them.
        :param vectors: (units, width), or nothing.
        """
        labels = choose(probabilities, self._thresholds, self.taxonomy)
        uncertain = [bool(own[row[0]] < self._decision.certain) for row, own in zip(labels, probabilities, strict=True)]
        scores, codes = probabilities, self.taxonomy.codes
        if options.level == "theme":
            labels = themes_of(labels, self.taxonomy.parents)
            scores, codes = self._decision.theme_probabilities(probabilities, self.taxonomy), self.taxonomy.theme_codes
        chosen: list[tuple[str, ...]] = [()] * len(units)
        if options.top_k is not None or options.min_score is not None:
            chosen = [tuple(codes[label] for label in row) for row in labels]
            labels = choose_by_score(scores, labels, options.top_k, options.min_score)
        nearest: Sequence[tuple[Evidence, ...]] = [()] * len(units)
        if options.explain and self._model.evidence and vectors is not None:
            nearest = self._model.evidence.nearest(vectors, options.explain)
        return [
            TaggedUnit(
                unit.index, unit.start, unit.end, unit.text, unit.role,
                primary=codes[row[0]],
                uncertain=doubt,
                themes=tuple(ThemeScore(codes[label], codes[label].partition(".")[0], round(float(own[label]), 4)) for label in row),
                evidence=evidence,
                chosen=given,
            )
            for unit, row, own, doubt, evidence, given in zip(units, labels, scores, uncertain, nearest, chosen, strict=True)
        ]  # fmt: skip

    def forget(self) -> None:
        """Drop remembered sentences, so that results do not depend, to the last digit, on what was tagged before."""
        with self._lock:
            self._model.forget()

    def probabilities(self, documents: Sequence[Sequence[Unit]]) -> tuple[Floats, Floats | None]:
        """Calibrated probabilities of every leaf.

        :return: (units, leaves) in label order over all documents' units, and the units' vectors (units, width), if the model has any.
        """
        units = [unit for document in documents for unit in document]
        texts = [normalise(unit.text) for unit in units]
        rows = neighbours(documents)
        with self._lock:
            logits, vectors = self._model.logits(texts, rows)
        return self._decision.leaf_probabilities(logits), vectors
