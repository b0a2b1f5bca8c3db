"""The service as a process of its own, as ``zhuti serve`` starts it, and clients that ask it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any

import psutil

from zhuti.errors import ZhutiError

_PATIENCE = 300.0
_PROBE_SECONDS = 0.01


class ServedError(ZhutiError):
    """The service did not start, or refused a request."""


@dataclass(frozen=True)
class Served:
    """:param ready_seconds: from the start of the process to the first 200 of /readyz."""

    port: int
    process: subprocess.Popen[bytes]
    ready_seconds: float

    def resident_bytes(self) -> int:
        """:return: resident memory of the worker, which holds the model; the supervisor beside it is not counted."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return max(int(child.memory_info().rss) for child in children)

    def client(self) -> Client:
        return Client(self.port)


class Client:
    """One connection that is kept open. ``http.client`` takes little of the CPU that the service shares with it here."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
        self._connection.connect()
        assert self._connection.sock is not None
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def post(self, path: str, body: dict[str, Any]) -> float:
        """:return: seconds until the whole answer was there. :raises ServedError: unless it is 200."""
        data = json.dumps(body, ensure_ascii=False).encode()
        started = time.perf_counter()
        self._connection.request("POST", path, data, {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        content = answer.read()
        seconds = time.perf_counter() - started
        if answer.status != 200:
            raise ServedError(f"{path} answered {answer.status}: {content.decode()}")
        return seconds


@contextmanager
def served(model: str) -> Iterator[Served]:
    """Serve until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {"BENTOML_HOME": home}
        command = [sys.executable, "-m", "zhuti.cli", "serve", "--port", str(port), "--model", model]
        started = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _wait_until_ready(process, port)
            yield Served(port, process, time.perf_counter() - started)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


def post_together(server: Served, path: str, bodies: Sequence[dict[str, Any]], clients: int) -> float:
    """Each client sends its share of the bodies, one after the other. :return: seconds until the last answer."""
    shares = [bodies[first::clients] for first in range(clients)]
    connections = [server.client() for _ in shares]

    def send(client: Client, share: Sequence[dict[str, Any]]) -> None:
        for body in share:
            client.post(path, body)

    with ThreadPoolExecutor(clients) as pool:
        started = time.perf_counter()
        list(pool.map(send, connections, shares))
        return time.perf_counter() - started


def _wait_until_ready(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        if process.poll() is not None:
            raise ServedError("the service ended instead of starting; `zhuti serve` says why")
        connection = HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except (OSError, HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(_PROBE_SECONDS)
    raise ServedError(f"the service was not ready after {_PATIENCE:g} s")
