"""The label files: all sentences labelled, written sentences unlike each other and unlike what is evaluated on."""

from __future__ import annotations

import unicodedata
from collections import Counter
from pathlib import Path

from opencc import OpenCC

from tests.conftest import EXAMPLE, ROOT
from training.dataset import ANNOTATIONS, EXAMPLES, SENTENCES, TAXONOMY, load_examples
from zhuti.annotations import load_annotations, read_json_lines
from zhuti.taxonomy import Taxonomy

LABELS = ROOT / "labels"
LONGEST_RUN = 12
_TAXONOMY = Taxonomy.load(TAXONOMY)
_NAMES = sorted((LABELS / "standing_names.txt").read_text(encoding="utf-8").split("\n"), key=len, reverse=True)
_SIMPLIFIED = OpenCC("t2s")


def runs(text: str) -> set[str]:
    """The whole text and its runs of 13 characters, standing names of doctrines, meetings and documents taken out."""
    text = unicodedata.normalize("NFKC", _SIMPLIFIED.convert(text))
    for name in filter(None, _NAMES):
        text = text.replace(unicodedata.normalize("NFKC", name), "\0")
    size = LONGEST_RUN + 1
    return {text} | {text[start : start + size] for start in range(len(text) - size + 1) if "\0" not in text[start : start + size]}


def read(path: Path) -> list[dict[str, str]]:
    return [row for _, row in read_json_lines(path)]


def test_every_unit_is_labelled_in_both_passes_and_adjudicated() -> None:
    first, second, final = (
        load_annotations(path, SENTENCES, _TAXONOMY)
        for path in (LABELS / "passes" / "reader-a.jsonl", LABELS / "passes" / "reader-b.jsonl", ANNOTATIONS)
    )
    reasons = {row["id"]: row.get("reason") for row in read(ANNOTATIONS)}
    for a, b, c in zip(first, second, final, strict=True):
        if a.labels != b.labels or a.labels != c.labels:
            assert reasons[c.id], f"{c.id} was decided without a reason"


def test_the_codebook_has_a_section_for_each_leaf() -> None:
    book = (LABELS / "CODEBOOK.md").read_text(encoding="utf-8")
    for leaf in _TAXONOMY.leaves:
        assert f"### {leaf.code} · {leaf.zh}" in book


def test_at_least_80_written_sentences_for_each_leaf() -> None:
    examples = load_examples(EXAMPLES, _TAXONOMY)
    assert {row["source"] for row in read(EXAMPLES)} <= {"written", "correction"}
    assert len({example.id for example in examples}) == len(examples)
    support = Counter(example.labels[0] for example in examples)
    assert min(support[code] for code in _TAXONOMY.codes) >= 80


def test_no_two_written_sentences_are_alike_and_none_is_like_what_is_evaluated_on() -> None:
    seen = {run: "corpus" for row in read(SENTENCES) for run in runs(row["text"])}
    for name in ("hard_cases", "other_worlds", "steadiness"):
        for row in read(ROOT / "tests" / "data" / f"{name}.jsonl"):
            seen |= {run: name for field in ("text", "a", "b") if field in row for run in runs(row[field])}
    seen |= {run: "example report" for line in EXAMPLE.read_text(encoding="utf-8").splitlines() for run in runs(line)}
    for row in read(EXAMPLES):
        mine = runs(row["text"])
        owner = row.get("pair", row["id"])
        alike = {run: seen[run] for run in mine if run in seen and seen[run] != owner}
        assert not alike, f"{row['id']}: {alike}"
        seen |= {run: owner for run in mine}


def test_contrast_pairs_are_pairs_with_different_labels() -> None:
    pairs: dict[str, list[list[str]]] = {}
    for row in read(EXAMPLES):
        if "pair" in row:
            pairs.setdefault(row["pair"], []).append(list(row["labels"]))
    whole = [labels for labels in pairs.values() if len(labels) == 2]
    assert len(whole) >= 150
    assert all(a != b for a, b in whole)
