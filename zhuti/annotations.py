"""Labelled sentences: read and check annotation files against the sentences and the taxonomy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zhuti.errors import ZhutiError
from zhuti.taxonomy import Taxonomy, TaxonomyError


class AnnotationError(ZhutiError):
    """An annotation file is not what it must be; the message names file, line and what is accepted."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """The labels of one sentence, the primary first."""

    id: str
    labels: tuple[str, ...]


def read_json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Read a file of JSON objects, one a line.

    :return: line numbers, from 1, with the objects; blank lines are passed over.
    :raises AnnotationError: where a line is not a JSON object.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise AnnotationError(f"{path}, line {number}: not JSON: {error}") from error
            if not isinstance(row, dict):
                raise AnnotationError(f"{path}, line {number}: expected a JSON object, found {type(row).__name__}")
            yield number, row


def load_annotations(path: Path, sentences: Path, taxonomy: Taxonomy) -> list[Annotation]:
    """Read labels of the corpus and check them: every sentence once, in order, with labels that fit.

    :param path: JSON lines ``{"id", "labels"}``; further fields, such as a reason, are allowed.
    :param sentences: the corpus, ``data/sentences.jsonl``.
    :raises AnnotationError: at the first line that does not fit.
    """
    expected = [text_field(row, "id", f"{sentences}, line {number}") for number, row in read_json_lines(sentences)]
    annotations: list[Annotation] = []
    for number, row in read_json_lines(path):
        place = f"{path}, line {number}"
        found = row.get("id")
        if len(annotations) == len(expected):
            raise AnnotationError(f"{place}: {found!r} comes after the last sentence of {sentences}")
        if found != expected[len(annotations)]:
            raise AnnotationError(f"{place}: found id {found!r}; the order of {sentences} asks for {expected[len(annotations)]!r}")
        annotations.append(Annotation(expected[len(annotations)], check_labels(row, taxonomy, place)))
    if len(annotations) < len(expected):
        raise AnnotationError(
            f"{path}: ends before {expected[len(annotations)]!r}: {len(annotations)} of {len(expected)} sentences are labelled"
        )
    return annotations


def text_field(row: dict[str, Any], name: str, place: str) -> str:
    """:return: the field's text. :raises AnnotationError: if it is missing, blank or no text; ``place`` is named."""
    text = row.get(name)
    if not isinstance(text, str) or not text.strip():
        raise AnnotationError(f"{place}: expected a text as {name!r}, found {text!r}")
    return text


def check_labels(row: dict[str, Any], taxonomy: Taxonomy, place: str) -> tuple[str, ...]:
    """The checked ``labels`` of a row. :raises AnnotationError: naming ``place``."""
    labels = row.get("labels")
    if not isinstance(labels, list) or not all(isinstance(code, str) for code in labels):
        raise AnnotationError(f"{place}: 'labels' must be a list of leaf codes, found {labels!r}")
    try:
        taxonomy.check_labels(labels)
    except TaxonomyError as error:
        raise AnnotationError(f"{place}: {error}") from error
    return tuple(labels)
