"""The whole application in this process, over the tagger that fails on some texts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from starlette.testclient import TestClient

from serving import app
from serving.settings import Settings
from tests.serving.process import PATIENCE, wait_until
from tests.serving.test_engine import fragile


@contextmanager
def running(monkeypatch: pytest.MonkeyPatch, deadline: float) -> Iterator[TestClient]:
    tagger = fragile()
    monkeypatch.setattr(app, "Tagger", SimpleNamespace(load=lambda _: tagger))
    application = app.Application(Settings(deadline=deadline))
    application.engine.start()
    wait_until(lambda: application.engine.state != "loading")
    yield TestClient(application.asgi)
    application.engine.stop()


@pytest.mark.parametrize("documents", [None, ["d"] * 60])
def test_an_item_among_sixty_that_the_tagger_fails_on(monkeypatch: pytest.MonkeyPatch, documents: list[str] | None) -> None:
    sentences = [f"全年调整干部{index}人次。" for index in range(60)]
    sentences[17] = "毒。"
    with running(monkeypatch, PATIENCE) as client:
        answer = client.post("/tag_sentences", json={"sentences": sentences, "documents": documents})
    assert (answer.status_code, answer.json()["failed"]) == (200, 1)
    for index, result in enumerate(answer.json()["results"]):
        assert result["index"] == index
        if index == 17:
            assert (result["error"]["code"], result["error"]["message"]) == ("internal", "the tagger failed on this text")
            assert result["error"]["request_id"] == answer.headers["x-request-id"]
        else:
            assert (result["unit"]["index"], result["unit"]["text"]) == (index, sentences[index])


def test_a_dead_tagging_thread_is_told_by_both_probes_and_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr(os, "_exit", ended.append)
    with running(monkeypatch, 1) as client:
        assert [client.get(path).status_code for path in ("/livez", "/readyz")] == [200, 200]
        assert client.post("/tag", json={"text": "断线。"}).status_code == 504  # nobody is there to answer it; the process ends before
        wait_until(lambda: bool(ended))
        assert ended == [1]
        for path in ("/livez", "/readyz", "/taxonomy"):
            answer = client.get(path)
            assert (answer.status_code, answer.json()["error"]["message"]) == (
                503,
                "the tagging thread has died; the process ends and is started again",
            )
