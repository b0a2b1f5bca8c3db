"""A client that does not read its answers, on a real socket."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from serving.envelope import EnvelopeMiddleware
from serving.limits import LimitMiddleware
from serving.metrics import Metrics
from tests.serving.process import PATIENCE, wait_until
from tests.serving.sockets import listening

# Two requests on one connection: the first answer fills the socket, so the second waits until somebody reads.
REQUESTS = b"GET /tag HTTP/1.1\r\nHost: a\r\n\r\nGET /tag?waits HTTP/1.1\r\nHost: a\r\n\r\n"


class Large:
    """Answers 16 MB; says when the answer that waits was begun and when it was ended."""

    def __init__(self) -> None:
        self.begun, self.ended = threading.Event(), threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        waits = scope["query_string"] == b"waits"
        if waits:
            self.begun.set()
        try:
            await Response(b"x" * 2**24)(scope, receive, send)
        finally:
            if waits:
                self.ended.set()


@contextmanager
def with_one_place(app: Large, deadline: float) -> Iterator[tuple[str, int]]:
    """:return: where the application answers one request at a time."""
    metrics = Metrics()
    limited = LimitMiddleware(app, {"/tag": 10}, max_concurrent=1, deadline=deadline, metrics=metrics)
    with listening(EnvelopeMiddleware(limited, frozenset({"/tag"}), metrics)) as address:
        yield address


def ask(address: tuple[str, int]) -> int:
    return httpx.get(f"http://127.0.0.1:{address[1]}/tag", timeout=PATIENCE).status_code


def test_a_client_that_does_not_read_holds_a_place_until_it_goes() -> None:
    app = Large()
    with with_one_place(app, deadline=PATIENCE) as address:
        with socket.create_connection(address) as idle:
            idle.sendall(REQUESTS)
            assert app.begun.wait(PATIENCE)
            assert [ask(address), ask(address)] == [429, 429]
        wait_until(lambda: ask(address) == 200)


def test_a_client_that_does_not_read_gives_its_place_back_after_the_deadline() -> None:
    app = Large()
    with with_one_place(app, deadline=1) as address, socket.create_connection(address) as idle:
        idle.sendall(REQUESTS)
        assert app.ended.wait(PATIENCE)
        assert ask(address) == 200
