"""Starts the service as a process of its own, as a user does."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.conftest import ROOT

PATIENCE = 180.0  # seconds; a busy machine takes its time to start a process or to answer


@dataclass
class Served:
    """A served process: its address, the process and its log."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def post(self, path: str = "/tag", **arguments: Any) -> httpx.Response:
        return httpx.post(f"{self.url}{path}", timeout=PATIENCE, **arguments)

    def get(self, path: str, **arguments: Any) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", timeout=PATIENCE, **arguments)

    def figures(self, **headers: str) -> dict[str, float]:
        """:return: what /metrics says."""
        lines = (line.rsplit(" ", 1) for line in self.get("/metrics", headers=headers).text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, value in lines}

    def worker(self) -> psutil.Process:
        [worker] = [child for child in psutil.Process(self.process.pid).children() if "_bentoml_impl.worker.service" in child.cmdline()]
        return worker

    def wait_for(self, path: str, status: int) -> httpx.Response:
        """Ask until this status is answered."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
            try:
                answer = httpx.get(f"{self.url}{path}", timeout=2)
                if answer.status_code == status:
                    return answer
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise AssertionError(f"{path} did not come to {status}:\n{self.log.read_text(encoding='utf-8')}")


@contextmanager
def served(folder: Path, model: str | Path = "zhuti-small", *, deadline: float = PATIENCE, **settings: object) -> Iterator[Served]:
    """Serve until the block ends.

    :param deadline: as long as the clients wait, unless it is what a test is about.
    :param settings: ``max_pages=2`` sets ZHUTI_MAX_PAGES.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings["deadline"] = deadline
    environment = os.environ | {"BENTOML_HOME": str(folder)} | {f"ZHUTI_{name.upper()}": str(value) for name, value in settings.items()}
    log = folder / "log"
    command = [sys.executable, "-m", "zhuti.cli", "serve", "--port", str(port), "--model", str(model)]
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
    one = Served(f"http://127.0.0.1:{port}", process, log)
    try:
        one.wait_for("/readyz", 200)
        yield one
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) in (0, -signal.SIGTERM)


@contextmanager
def held_requests(server: Served, count: int, text: str, **headers: str) -> Iterator[tuple[threading.Event, list[Future[httpx.Response]]]]:
    """Requests that the service has begun to read but whose bodies wait for the event; their answers come as futures."""
    go = threading.Event()

    def body() -> Iterator[bytes]:
        data = json.dumps({"text": text}).encode()
        yield data[:5]
        go.wait(PATIENCE)
        yield data[5:]

    with ThreadPoolExecutor(count) as pool:
        sent = [pool.submit(server.post, content=body(), headers={"Content-Type": "application/json"} | headers) for _ in range(count)]
        try:
            wait_until(lambda: server.figures(**headers)["zhuti_active_requests"] == count)
            yield go, sent
        finally:
            go.set()


def wait_until(condition: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Ask until it is so."""
    until = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)
