"""Score a finished model on sentences without context that no training saw, from tests/data: ``python -m training.finished``.

The hard ones were written by a reader who saw no training sentence; those of other worlds (sport, recipes, law) have no
theme; the steadiness pairs say the same in another script, with other numbers, places, years, widths, spaces or
enumerators. They are used for nothing else.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np

from training.corpus import ROOT
from training.metrics import indicator, score
from zhuti.annotations import check_labels, read_json_lines
from zhuti.tagger import Tagger

HARD_CASES, OTHER_WORLDS, STEADINESS = (ROOT / "tests" / "data" / f"{name}.jsonl" for name in ("hard_cases", "other_worlds", "steadiness"))
NO_THEME = "none.boilerplate"


def score_finished(tagger: Tagger) -> dict[str, Any]:
    """:return: the figures of the three sets, plain values."""
    return {"hard_cases": score_hard_cases(tagger), "other_worlds": score_other_worlds(tagger), "steadiness": score_steadiness(tagger)}


def score_hard_cases(tagger: Tagger) -> dict[str, float]:
    """:return: the figures of :func:`training.metrics.score`."""
    taxonomy = tagger.taxonomy
    rows = [(row["text"], check_labels(row, taxonomy, f"{HARD_CASES}, line {number}")) for number, row in read_json_lines(HARD_CASES)]
    tagged = tagger.tag_sentences([[text] for text, _ in rows])
    chosen = [[taxonomy.position(theme.code) for theme in unit.themes] for [unit] in tagged]
    given = [[taxonomy.position(code) for code in labels] for _, labels in rows]
    gold, primaries = indicator(given, len(taxonomy.codes)), np.array([labels[0] for labels in given])
    return {"sentences": len(rows)} | {name: round(value, 4) for name, value in score(chosen, gold, primaries, taxonomy).items()}


def score_other_worlds(tagger: Tagger) -> dict[str, int]:
    """:return: how many sentences there are, and how many are found to have no theme."""
    tagged = tagger.tag_sentences([[row["text"]] for _, row in read_json_lines(OTHER_WORLDS)])
    return {"sentences": len(tagged), "no_theme": sum(unit.primary == NO_THEME for [unit] in tagged)}


def score_steadiness(tagger: Tagger) -> dict[str, Any]:
    """:return: how many pairs there are, and of which kinds of change those are whose primary theme moves."""
    pairs = [row for _, row in read_json_lines(STEADINESS)]
    first, second = (tagger.tag_sentences([[pair[side]] for pair in pairs]) for side in "ab")
    moved = [p["change"] for p, [a], [b] in zip(pairs, first, second, strict=True) if _theme(a.primary) != _theme(b.primary)]
    return {"pairs": dict(Counter(pair["change"] for pair in pairs)), "moved": dict(Counter(moved))}


def _theme(code: str) -> str:
    return code.partition(".")[0]


if __name__ == "__main__":
    print(json.dumps(score_finished(Tagger.load()), ensure_ascii=False, indent=1))
