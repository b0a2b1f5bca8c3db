"""The nearest labelled sentences are those of a full sort, equal ones in the order they are kept."""

from __future__ import annotations

import json

import numpy as np

from zhuti.evidence import EvidenceIndex


def test_nearest_first_and_equal_ones_by_place() -> None:
    kept = np.array([[0, 9], [9, 0], [9, 9], [9, 0], [-9, 0], [9, 0], [9, 9]], np.int8)
    index = EvidenceIndex(kept, np.zeros(2, np.float32), [json.dumps({"id": str(n), "text": "", "labels": []}).encode() for n in range(7)])
    asked = np.array([[1, 0], [0, 1], [1, 1]], np.float32)
    for count in (1, 2, 4, 7, 10):
        ids = [[near.id for near in row] for row in index.nearest(asked, count)]
        assert ids == [list("1352604")[:count], list("0261345")[:count], list("2601354")[:count]]
    assert [near.similarity for near in index.nearest(asked, 4)[0]] == [1.0, 1.0, 1.0, 0.7071]
