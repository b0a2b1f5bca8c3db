"""Bodies made to be costly to refuse: what is wrong is told in a few words, whatever their size."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from serving.errors import ServiceError
from serving.reading import validate
from serving.schemas import SentencesRequest, TagRequest
from serving.settings import Settings

SIZE = Settings().max_json_bytes
MEMORY = SIZE  # bytes on top of the parsed body


def items(value: object) -> list[Any]:
    """:return: as many as the largest body holds."""
    return json.loads(f"[{', '.join([json.dumps(value)] * (SIZE // (len(json.dumps(value)) + 2)))}]")


COSTLY: dict[str, tuple[type[BaseModel], dict[str, Any], int]] = {
    "document ids that are none": (SentencesRequest, {"sentences": ["甲"], "documents": items(1)}, 1),
    "document ids of many kinds": (SentencesRequest, {"sentences": ["甲"], "documents": [*items("a")[:9], {}, *items([])]}, 1),
    "unknown fields": (TagRequest, {"text": "甲"} | {f"{n}": n for n in range(SIZE // 16)}, 20),
    "unknown fields first": (TagRequest, {f"{n}": n for n in range(SIZE // 16)} | {"text": 5}, 20),
}


@pytest.mark.parametrize("name", sorted(COSTLY))
def test_the_problems_that_are_told_are_few_and_cost_little(name: str) -> None:
    model, body, count = COSTLY[name]
    tracemalloc.start()
    try:
        with pytest.raises(ServiceError) as caught:
            validate(model, body, strict=True)
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()
    assert (caught.value.status, len(caught.value.detail)) == (422, count)
    cause = caught.value.__context__
    assert isinstance(cause, ValidationError)
    assert cause.error_count() <= 21


def test_the_problem_of_a_known_field_is_told_beside_those_of_unknown_ones() -> None:
    with pytest.raises(ServiceError) as caught:
        validate(TagRequest, {f"x{n}": n for n in range(1000)} | {"text": 5}, strict=True)
    assert "text" in [problem["field"] for problem in caught.value.detail]
