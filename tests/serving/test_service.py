"""The service as a real served process."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.conftest import EXAMPLE
from tests.serving.process import Served
from zhuti.tagger import Tagger


def test_tag_gives_the_result_contract(server: Served, tagger: Tagger) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    answer = httpx.post(f"{server.url}/tag", json={"text": text}, timeout=60)
    assert answer.status_code == 200
    body = answer.json()
    assert body["model"] == "zhuti-small"
    expected = json.loads(json.dumps([unit.as_dict() for unit in tagger.tag(text)]))
    assert len(body["units"]) == len(expected)
    for given, own in zip(body["units"], expected, strict=True):
        assert {name: given[name] for name in own if name != "themes"} == {name: own[name] for name in own if name != "themes"}
        for theme, same in zip(given["themes"], own["themes"], strict=True):
            assert theme["code"] == same["code"]
            assert theme["score"] == pytest.approx(same["score"], abs=1e-3)
    assert "\\u" not in answer.text


def test_evidence_on_request(server: Served) -> None:
    units = httpx.post(f"{server.url}/tag", json={"text": "举办干部培训班。", "explain": 3}, timeout=60).json()["units"]
    assert [len(unit["evidence"]) for unit in units] == [3]


def test_taxonomy_and_model(server: Served) -> None:
    themes = httpx.get(f"{server.url}/taxonomy").json()["themes"]
    assert sum(len(theme["leaves"]) for theme in themes) == 32
    model = httpx.get(f"{server.url}/model").json()
    assert model["name"] == "zhuti-small"
    assert 0 < model["figures"]["leaf_micro_f1"] < 1
    assert len(model["files"]["encoder.bin"]["sha256"]) == 64


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "{}", '{"text": ""}', '{"text": 5}', '{"text": "甲", "explain": 99}', '{"text": "甲", "x": 1}']
)
def test_malformed_bodies_are_refused_with_a_reason(server: Served, body: str) -> None:
    answer = httpx.post(f"{server.url}/tag", content=body.encode(), headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.json()
