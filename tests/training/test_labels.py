"""The label files: all sentences labelled, written sentences unlike each other and unlike what is evaluated on."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from pathlib import Path

from opencc import OpenCC

from tests.conftest import EXAMPLE, ROOT
from training.dataset import ANNOTATIONS, EXAMPLES, SENTENCES, TAXONOMY, load_examples
from zhuti.annotations import load_annotations, read_json_lines
from zhuti.taxonomy import STAND_ALONE, Taxonomy

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


def test_the_codebook_has_examples_and_hard_cases_for_each_leaf() -> None:
    book = (LABELS / "CODEBOOK.md").read_text(encoding="utf-8")
    labels = {row["id"]: row["labels"] for row in read(ANNOTATIONS)}
    assert set(re.findall(r"`([a-z]+-\d{4}:\d+)`", book)) <= set(labels)
    sections = dict(re.findall(r"^### (\S+ · \S+)(.*?)(?=^##)", book, re.MULTILINE | re.DOTALL))
    for leaf in _TAXONOMY.leaves:
        examples, _, hard = sections[f"{leaf.code} · {leaf.zh}"].partition("Hard cases")
        quoted = re.findall(r"^- `(\S+)`", examples, re.MULTILINE)
        assert len(quoted) >= 3, leaf.code
        assert all(leaf.code in labels[item] for item in quoted), leaf.code
        assert hard.count("\n- ") >= 2, leaf.code


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
    assert len(pairs) >= 240
    assert {len(labels) for labels in pairs.values()} == {2}
    assert all(a != b for a, b in pairs.values())
    assert sum(a[0] != b[0] for a, b in pairs.values()) >= 239  # one pair differs in its second leaf alone


def test_each_leaf_has_lone_sentences_of_every_kind() -> None:
    kinds = Counter((row["kind"], row["labels"][0]) for row in read(EXAMPLES) if "document" not in row)
    for kind, least in (("traditional", 6), ("heading", 8), ("short", 9), ("long", 8), ("multi", 36)):
        leaves = set(_TAXONOMY.codes) - (STAND_ALONE if kind == "multi" else set())  # which are never combined
        assert min(kinds[kind, leaf] for leaf in leaves) >= least, kind


def test_a_blind_reader_read_15_percent_of_the_written_sentences() -> None:
    written = {row["id"] for row in read(EXAMPLES)}
    checked = {row["id"] for row in read(LABELS / "passes" / "written-check.jsonl")}
    assert checked <= written
    assert len(checked) >= 0.15 * len(written)
