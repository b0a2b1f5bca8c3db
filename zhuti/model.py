"""Run a verified model folder: from normalised texts to leaf logits, whatever kind of model it is."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from threadpoolctl import ThreadpoolController

from zhuti.artifact import Artifact, ArtifactError
from zhuti.context import ContextLayer
from zhuti.decision import Floats
from zhuti.encoder import Encoder
from zhuti.evidence import EvidenceIndex
from zhuti.lexical import LexicalView

HEAD_FILE = "head.safetensors"
BASELINE_FILE = "baseline.skops"
VIEWS = ("dense", "lexical", "nearest")
_CACHED_TEXTS = 10_000
_CACHED_CHARACTERS = 300


class Model(Protocol):
    """What the tagger needs of a model."""

    @property
    def evidence(self) -> EvidenceIndex | None:
        """The labelled sentences it remembers, if any."""
        ...

    def logits(self, texts: list[str], rows: NDArray[np.int64]) -> tuple[Floats, Floats | None]:
        """Score normalised texts.

        :param rows: neighbours, (n, slots), see :func:`zhuti.context.neighbours`.
        :return: leaf logits (n, leaves) and vectors (n, width), if the model has any.
        """
        ...

    def forget(self) -> None:
        """Drop remembered sentences: what follows then does not depend, to the last digit, on what came before."""
        ...


def load_model(artifact: Artifact, threads: int | None = None) -> Model:
    """Run a model.

    :param threads: CPU threads of the encoder; None: one a core.
    :raises ArtifactError: if the files, though unchanged, cannot be run here.
    """
    if artifact.kind == "encoder":
        return EncoderModel(artifact.path, artifact.manifest["encoder"], keep=True, threads=threads)
    return BaselineModel(artifact.path)


class Views:
    """The views of a sentence by itself, see ``VIEWS``: the encoder's head, the n-grams, and the nearest labelled sentences.

    :param folder: model folder.
    :param settings: ``prefix`` and ``max_tokens`` of the encoder.
    :param keep: keep the compiled encoder in the user's cache.
    :param threads: CPU threads of the encoder; None: one a core.
    """

    def __init__(self, folder: Path, settings: dict[str, Any], *, keep: bool = False, threads: int | None = None) -> None:
        self._encoder = Encoder(folder, settings["prefix"], settings["max_tokens"], keep=keep, threads=threads)
        self._lexical = LexicalView.load(folder)
        head = load_file(folder / HEAD_FILE)
        self._weight, self._bias = head["weight"], head["bias"]
        self.evidence = EvidenceIndex.load(folder, len(self._bias))

    def __call__(self, texts: list[str]) -> tuple[Floats, Floats]:
        """:return: vectors (n, width) and logits (views, n, leaves)."""
        vectors = self._encoder.encode(texts)
        return vectors, self.of(vectors, texts)

    def of(self, vectors: Floats, texts: list[str]) -> Floats:
        """:param vectors: (n, width), of the texts. :return: logits (views, n, leaves)."""
        return np.stack([vectors @ self._weight + self._bias, self._lexical.logits(texts), self.evidence.logits(vectors)])


class EncoderModel:
    """The views joined by the context layer; sentences that repeat are computed once.

    For more than one sentence BLAS has one thread: its others would go on spinning after their work, beside the encoder's.
    """

    def __init__(self, folder: Path, settings: dict[str, Any], *, keep: bool = False, threads: int | None = None) -> None:
        self._views = Views(folder, settings, keep=keep, threads=threads)
        self._context = ContextLayer.load(folder)
        self._cache: OrderedDict[str, tuple[Floats, Floats]] = OrderedDict()
        self._blas = ThreadpoolController()

    @property
    def evidence(self) -> EvidenceIndex:
        return self._views.evidence

    def logits(self, texts: list[str], rows: NDArray[np.int64]) -> tuple[Floats, Floats]:
        seen = {text: self._cache[text] for text in set(texts) if text in self._cache}
        fresh = [text for text in dict.fromkeys(texts) if text not in seen]
        if fresh:
            with self._blas.limit(limits=1 if len(fresh) > 1 else None, user_api="blas"):
                vectors, views = self._views(fresh)
            seen.update((text, (vectors[row].copy(), views[:, row].copy())) for row, text in enumerate(fresh))
        self._remember(seen)
        return (
            self._context.logits(np.stack([seen[text][1] for text in texts], axis=1), rows),
            np.stack([seen[text][0] for text in texts]),
        )

    def forget(self) -> None:
        self._cache.clear()

    def _remember(self, seen: dict[str, tuple[Floats, Floats]]) -> None:
        """Keep the texts used last; long ones seldom repeat and are not kept, which bounds the cache to some 30 MB."""
        for text, parts in seen.items():
            if len(text) <= _CACHED_CHARACTERS:
                self._cache[text] = parts
                self._cache.move_to_end(text)
        while len(self._cache) > _CACHED_TEXTS:
            self._cache.popitem(last=False)


class BaselineModel:
    """The scikit-learn baseline: every sentence by itself, no vectors."""

    _TRUSTED = ("scipy.sparse._csr.csr_matrix",)

    def __init__(self, folder: Path) -> None:
        try:
            from skops.io import get_untrusted_types, load
        except ImportError:
            hint = "run `make train`, or `pip install -e '.[train]'` in the clone"
            raise ArtifactError(f"{folder}: the baseline runs on scikit-learn; {hint}") from None
        file = folder / BASELINE_FILE
        foreign = sorted(set(get_untrusted_types(file=file)) - set(self._TRUSTED))
        if foreign:
            raise ArtifactError(f"{file}: holds types that are not allowed: {', '.join(foreign)}")
        self._pipeline = load(file, trusted=list(self._TRUSTED))

    @property
    def evidence(self) -> None:
        return None

    def logits(self, texts: list[str], rows: NDArray[np.int64]) -> tuple[Floats, None]:
        return self._pipeline.decision_function(texts).astype(np.float32), None

    def forget(self) -> None:
        """Nothing is remembered."""
