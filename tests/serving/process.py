"""Starts the service as a process of its own, as a user does."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.conftest import ROOT


@dataclass
class Served:
    """A served process: its address, the process and its log."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
            try:
                if httpx.get(f"{self.url}/readyz", timeout=2).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.2)
        raise AssertionError(f"the service did not become ready:\n{self.log.read_text(encoding='utf-8')}")


@contextmanager
def served(folder: Path, **settings: object) -> Iterator[Served]:
    """Serve until the block ends. :param settings: ``api_keys="a"`` sets ZHUTI_API_KEYS."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"BENTOML_HOME": str(folder)} | {f"ZHUTI_{name.upper()}": str(value) for name, value in settings.items()}
    log = folder / "log"
    with log.open("wb") as out:
        command = [sys.executable, "-m", "zhuti.cli", "serve", "--port", str(port)]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
    one = Served(f"http://127.0.0.1:{port}", process, log)
    try:
        one.wait_until_ready()
        yield one
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) in (0, -signal.SIGTERM)
