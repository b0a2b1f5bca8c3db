"""The service as a real served process."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import EXAMPLE, ROOT
from zhuti.tagger import Tagger


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"BENTOML_HOME": str(tmp_path_factory.mktemp("bentoml"))}
    log = Path(environment["BENTOML_HOME"]) / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "zhuti.cli", "serve", "--port", str(port)], cwd=ROOT, env=environment, stdout=out, stderr=out
        )
        url = f"http://127.0.0.1:{port}"
        try:
            _wait_until_ready(url, process, log)
            yield url
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) in (0, -signal.SIGTERM)


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text(encoding="utf-8")
        try:
            if httpx.get(f"{url}/readyz", timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    pytest.fail(f"the service did not become ready:\n{log.read_text(encoding='utf-8')}")


def test_tag_gives_the_result_contract(server: str, tagger: Tagger) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    answer = httpx.post(f"{server}/tag", json={"text": text}, timeout=60)
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


def test_evidence_on_request(server: str) -> None:
    units = httpx.post(f"{server}/tag", json={"text": "举办干部培训班。", "explain": 3}, timeout=60).json()["units"]
    assert [len(unit["evidence"]) for unit in units] == [3]


def test_taxonomy_and_model(server: str) -> None:
    themes = httpx.get(f"{server}/taxonomy").json()["themes"]
    assert sum(len(theme["leaves"]) for theme in themes) == 32
    model = httpx.get(f"{server}/model").json()
    assert model["name"] == "zhuti-small"
    assert 0 < model["figures"]["leaf_micro_f1"] < 1
    assert len(model["files"]["encoder.bin"]["sha256"]) == 64


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "{}", '{"text": ""}', '{"text": 5}', '{"text": "甲", "explain": 99}', '{"text": "甲", "x": 1}']
)
def test_malformed_bodies_are_refused_with_a_reason(server: str, body: str) -> None:
    answer = httpx.post(f"{server}/tag", content=body.encode(), headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.json()
