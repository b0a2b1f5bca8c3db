"""A client that does not read its answers, on a real socket."""

from __future__ import annotations

import socket
import threading
import time

import httpx
import uvicorn
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from serving.envelope import EnvelopeMiddleware
from serving.limits import LimitMiddleware
from serving.metrics import Metrics
from tests.serving.process import PATIENCE


async def large(scope: Scope, receive: Receive, send: Send) -> None:
    await Response(b"x" * 2**24)(scope, receive, send)


def test_a_client_that_does_not_read_gives_its_place_back() -> None:
    metrics = Metrics()
    limited = LimitMiddleware(large, {"/tag": 10}, max_concurrent=1, deadline=1, metrics=metrics)
    app = EnvelopeMiddleware(limited, frozenset({"/tag"}), metrics)
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        address = listening.getsockname()
        with socket.create_connection(address) as idle:
            idle.sendall(b"GET /tag HTTP/1.1\r\nHost: a\r\n\r\n" * 2)  # the second answer waits until the first is read
            statuses = []
            until = time.monotonic() + PATIENCE
            while 200 not in statuses[-1:] or 429 not in statuses:
                assert time.monotonic() < until
                statuses.append(httpx.get(f"http://127.0.0.1:{address[1]}/tag", timeout=PATIENCE).status_code)
                time.sleep(0.05)
        server.should_exit = True
        thread.join(PATIENCE)
    assert set(statuses) == {200, 429}
    assert not thread.is_alive()
