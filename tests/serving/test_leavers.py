"""Clients that leave before they are answered, on real sockets: their places are free at once, and nothing is tagged for them."""

from __future__ import annotations

import json
import signal
import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from serving import app
from serving.settings import Settings
from tests.conftest import SHIPPED
from tests.serving.process import PATIENCE, served, wait_until
from tests.serving.sockets import listening
from zhuti.tagger import Tagger
from zhuti.text import Unit


class Held(Tagger):
    """Waits at its gate, and keeps the texts that it has tagged."""

    gate: threading.Event
    waiting: threading.Event
    tagged: list[str]

    def probabilities(self, documents: Sequence[Sequence[Unit]]) -> tuple[Any, Any]:
        self.waiting.set()
        assert self.gate.wait(PATIENCE)
        self.tagged += [unit.text for document in documents for unit in document]
        return super().probabilities(documents)


def send(address: tuple[str, int], text: str, *, held: int = 0) -> socket.socket:
    """:param held: bytes at the end that are not sent. :return: the connection."""
    body = json.dumps({"text": text}).encode()
    connection = socket.create_connection(address)
    head = f"POST /tag HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body[: len(body) - held])
    return connection


def test_who_leaves_gives_the_place_back_while_the_tagger_is_still_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    tagger = Held.load(SHIPPED)
    assert isinstance(tagger, Held)
    tagger.gate, tagger.waiting, tagger.tagged = threading.Event(), threading.Event(), []
    tagger.gate.set()
    monkeypatch.setattr(app, "Tagger", SimpleNamespace(load=lambda _: tagger))
    application = app.Application(Settings(deadline=10 * PATIENCE, max_concurrent=6))
    application.engine.start()
    with listening(application.asgi) as address:
        url = f"http://127.0.0.1:{address[1]}"

        def figures() -> list[str]:
            return httpx.get(f"{url}/metrics", timeout=PATIENCE).text.splitlines()

        wait_until(lambda: httpx.get(f"{url}/readyz", timeout=PATIENCE).status_code == 200)
        tagger.gate.clear()
        tagger.waiting.clear()
        tagger.tagged.clear()
        leavers = [send(address, "先来的人。")]
        assert tagger.waiting.wait(PATIENCE)
        leavers += [send(address, f"第{number}人。") for number in "二三四五六"]
        wait_until(lambda: "zhuti_active_requests 6.0" in figures())
        for connection in leavers:
            connection.close()
        wait_until(lambda: "zhuti_active_requests 0.0" in figures())
        assert tagger.tagged == []
        assert 'zhuti_requests_total{method="POST",route="/tag",status="499"} 6.0' in figures()
        tagger.gate.set()
        answer = httpx.post(f"{url}/tag", json={"text": "留下的人。"}, timeout=PATIENCE)
        assert [unit["text"] for unit in answer.json()["units"]] == ["留下的人。"]
        assert tagger.tagged == ["先来的人。", "留下的人。"]
    application.engine.stop()


def test_a_service_that_clients_have_left_can_end(tmp_path: Path) -> None:
    """BentoML's own layers, too, let go of a request that nobody waits for."""
    with served(tmp_path) as server:
        connection = send(("127.0.0.1", int(server.url.rpartition(":")[2])), "走了的人。", held=5)
        wait_until(lambda: server.figures()["zhuti_active_requests"] == 1)
        connection.close()
        wait_until(lambda: server.figures()["zhuti_active_requests"] == 0)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=PATIENCE) == 0
