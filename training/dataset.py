"""Labelled sentences ready for training: the corpus, the written examples, and how they are held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.corpus import ROOT, SENTENCES
from zhuti.annotations import check_labels, load_annotations, read_json_lines, text_field
from zhuti.context import neighbours
from zhuti.decision import Floats
from zhuti.taxonomy import Taxonomy
from zhuti.text import Role, normalise, single_unit

TAXONOMY = ROOT / "labels" / "taxonomy.yaml"
ANNOTATIONS = ROOT / "labels" / "annotations.jsonl"
EXAMPLES = ROOT / "labels" / "examples.jsonl"
SOURCES = (TAXONOMY, ANNOTATIONS, EXAMPLES, SENTENCES)
BLOCK = 15
FOLDS = 5
WRITTEN_FOLDS = 2


@dataclass(frozen=True, slots=True)
class Sentence:
    """One labelled sentence.

    :param document: its document; rows of one document are consecutive. None for a lone sentence.
    :param written: written for training, never evaluated on.
    """

    id: str
    document: str | None
    text: str
    role: Role
    labels: tuple[str, ...]
    written: bool


@dataclass(frozen=True)
class Dataset:
    """Corpus and written sentences, the corpus first.

    :param sentences: in order; rows of a document are consecutive.
    :param taxonomy: fixes the label order.
    """

    sentences: tuple[Sentence, ...]
    taxonomy: Taxonomy

    @cached_property
    def texts(self) -> list[str]:
        """Normalised texts."""
        return [normalise(sentence.text) for sentence in self.sentences]

    @cached_property
    def targets(self) -> Floats:
        """(n, leaves), 1 where a leaf is given."""
        targets = np.zeros((len(self.sentences), len(self.taxonomy.codes)), np.float32)
        for row, sentence in enumerate(self.sentences):
            targets[row, [self.taxonomy.position(code) for code in sentence.labels]] = 1
        return targets

    @cached_property
    def primaries(self) -> NDArray[np.int64]:
        """(n,), the position of the primary leaf."""
        return np.array([self.taxonomy.position(sentence.labels[0]) for sentence in self.sentences])

    @cached_property
    def corpus(self) -> NDArray[np.bool_]:
        """(n,), True for corpus sentences."""
        return np.array([not sentence.written for sentence in self.sentences])

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """(n, slots), see :func:`zhuti.context.neighbours`; lone sentences have no neighbours."""
        documents: list[list[Sentence]] = []
        previous: str | None = None
        for sentence in self.sentences:
            if sentence.document is None or sentence.document != previous:
                documents.append([])
            documents[-1].append(sentence)
            previous = sentence.document
        return neighbours(documents)


def load_dataset(written: bool = True) -> Dataset:
    """Read corpus, annotations and examples.

    :param written: take in the written examples.
    :raises AnnotationError: where a file does not fit the taxonomy or the corpus.
    """
    taxonomy = Taxonomy.load(TAXONOMY)
    labels = {annotation.id: annotation.labels for annotation in load_annotations(ANNOTATIONS, SENTENCES, taxonomy)}
    sentences = [
        Sentence(row["id"], row["document"], row["text"], row["role"], labels[row["id"]], written=False)
        for _, row in read_json_lines(SENTENCES)
    ]
    if written:
        sentences += load_examples(EXAMPLES, taxonomy)
    return Dataset(tuple(sentences), taxonomy)


def load_examples(path: Path, taxonomy: Taxonomy) -> list[Sentence]:
    """Read the sentences written for training. :raises AnnotationError: naming file and line."""
    examples = []
    for number, row in read_json_lines(path):
        place = f"{path}, line {number}"
        item, text = (text_field(row, name, place) for name in ("id", "text"))
        labels = check_labels(row, taxonomy, place)
        examples.append(Sentence(item, row.get("document"), text, single_unit(text).role, labels, written=True))
    return examples


def document_folds(dataset: Dataset) -> NDArray[np.int64]:
    """Leave one document out: each corpus document is a fold; the written reports make two more.

    :return: (n,), the fold a sentence is held out in; -1 for lone written sentences, which are in training always.
    """
    corpus = list(dict.fromkeys(s.document for s in dataset.sentences if not s.written))
    return _folds(dataset, {document: fold for fold, document in enumerate(corpus)}, first_written=len(corpus))


def block_folds(dataset: Dataset) -> NDArray[np.int64]:
    """Five folds over contiguous blocks of 15 corpus sentences, and the two of the written reports.

    :return: as :func:`document_folds`.
    """
    folds = _folds(dataset, {}, first_written=FOLDS)
    blocks = corpus_blocks(dataset)
    folds[: len(blocks)] = blocks % FOLDS
    return folds


def corpus_blocks(dataset: Dataset) -> NDArray[np.int64]:
    """:return: (corpus,), the number of each corpus sentence's block of 15; a block does not cross documents."""
    blocks, block, size, previous = [], -1, BLOCK, None
    for sentence in dataset.sentences:
        if sentence.written:
            break
        if size == BLOCK or sentence.document != previous:
            block, size = block + 1, 0
        size, previous = size + 1, sentence.document
        blocks.append(block)
    return np.array(blocks)


def _folds(dataset: Dataset, corpus: dict[str | None, int], first_written: int) -> NDArray[np.int64]:
    written = list(dict.fromkeys(s.document for s in dataset.sentences if s.written and s.document))
    fold_of = corpus | {document: first_written + place % WRITTEN_FOLDS for place, document in enumerate(written)}
    return np.array([fold_of.get(sentence.document, -1) for sentence in dataset.sentences])


def cut_at_fold_edges(rows: NDArray[np.int64], folds: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    """Take away neighbours that lie in another fold: their logits come from another model.

    :return: (n, slots) as ``rows``, -1 where the neighbour is not held out together with the sentence.
    """
    folds = np.asarray(folds)
    return np.where((rows >= 0) & (folds[rows] == folds[:, None]), rows, -1)
