from __future__ import annotations

import json
import re

from tests.conftest import ROOT
from training.corpus import DOCUMENTS, SENTENCES, render_sentences

ROWS = [json.loads(line) for line in SENTENCES.read_text(encoding="utf-8").splitlines()]


def test_sentences_are_what_the_splitter_makes_of_the_documents() -> None:
    assert SENTENCES.read_bytes() == render_sentences().encode("utf-8")


def test_every_non_blank_character_of_every_document_lies_in_exactly_one_unit() -> None:
    for path in DOCUMENTS.glob("*.txt"):
        text = path.read_bytes().decode("utf-8")
        covered = [0] * len(text)
        for row in ROWS:
            if row["document"] == path.stem:
                assert text[row["start"] : row["end"]] == row["text"]
                for place in range(row["start"], row["end"]):
                    covered[place] += 1
        assert all(count == (not char.isspace()) for count, char in zip(covered, text, strict=True) if not (char.isspace() and count == 1))


def test_sources_counts_every_document() -> None:
    """SOURCES.md keeps a row for each document, with its units, labels and themes as they are."""
    table = (ROOT / "data" / "SOURCES.md").read_text(encoding="utf-8")
    labels = {}
    for line in (ROOT / "labels" / "annotations.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        labels[row["id"]] = row["labels"]
    for path in sorted(DOCUMENTS.glob("*.txt")):
        units = [row["id"] for row in ROWS if row["document"] == path.stem]
        given = [code for unit in units for code in labels[unit]]
        themes = {code.split(".")[0] for code in given}
        assert re.search(rf"\| `{path.stem}` \|.*\| {len(units)} \| {len(given)} \| {len(themes)} \|", table), path.stem
