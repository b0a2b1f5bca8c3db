"""Score a finished model on the hard sentences of tests/data/hard_cases.jsonl: ``python -m training.hardcases``.

They were written by a reader who saw no training sentence, come without context, and are used for nothing else.
"""

from __future__ import annotations

import numpy as np

from training.corpus import ROOT
from training.metrics import indicator, score
from zhuti.annotations import check_labels, read_json_lines
from zhuti.tagger import Tagger

HARD_CASES = ROOT / "tests" / "data" / "hard_cases.jsonl"


def score_hard_cases(tagger: Tagger) -> dict[str, float]:
    """:return: the figures of :func:`training.metrics.score`."""
    taxonomy = tagger.taxonomy
    rows = [(row["text"], check_labels(row, taxonomy, f"{HARD_CASES}, line {number}")) for number, row in read_json_lines(HARD_CASES)]
    tagged = tagger.tag_sentences([[text] for text, _ in rows])
    chosen = [[taxonomy.position(theme.code) for theme in unit.themes] for [unit] in tagged]
    given = [[taxonomy.position(code) for code in labels] for _, labels in rows]
    gold, primaries = indicator(given, len(taxonomy.codes)), np.array([labels[0] for labels in given])
    return {name: round(value, 4) for name, value in score(chosen, gold, primaries, taxonomy).items()}


if __name__ == "__main__":
    for name, value in score_hard_cases(Tagger.load()).items():
        print(f"{name.replace('_', ' '):24} {value:.3f}")
