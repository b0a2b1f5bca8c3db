"""The service calls nobody: no telemetry, no look-up of a name, no connection but those of its own callers."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

import psutil
import pytest

from tests.serving.process import Served, served

# Python runs a sitecustomize before anything else, in every process of the service; what asks for the network is written down.
LISTENER = """
import json, os, sys

def note(event, *what):
    line = json.dumps([event, os.getpid(), *map(str, what)]) + chr(10)
    os.write(OUT, line.encode())

def hook(event, args):
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        note(event, args[0])
    elif event in ("socket.connect", "socket.sendto"):
        note(event, args[1][0] if isinstance(args[1], tuple) else "local")

OUT = os.open(os.environ["HEARD"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
note("start")
sys.addaudithook(hook)
"""
HERE = {"127.0.0.1", "0.0.0.0", "::1", "localhost", "local", "None"}


def listen(folder: Path) -> dict[str, str]:
    """:return: the variables with which every process writes down what it asks of the network."""
    (folder / "sitecustomize.py").write_text(LISTENER, encoding="utf-8")
    return {"PYTHONPATH": str(folder), "HEARD": str(folder / "heard")}


def check_silence(folder: Path, processes: Iterable[psutil.Process]) -> None:
    """Each of the processes was listened to, and none spoke to another machine."""
    lines = [json.loads(line) for line in (folder / "heard").read_text(encoding="utf-8").splitlines()]
    assert {process.pid for process in processes} <= {pid for event, pid, *_ in lines if event == "start"}
    assert [line for line in lines if line[0] != "start" and line[2] not in HERE] == []


def all_of(server: Served) -> list[psutil.Process]:
    """:return: the processes of a service."""
    supervisor = psutil.Process(server.process.pid)
    return [supervisor, *supervisor.children(recursive=True)]


def test_no_process_of_the_service_speaks_to_another_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    variables = listen(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (variables["PYTHONPATH"], os.environ.get("PYTHONPATH")))))
    monkeypatch.setenv("HEARD", variables["HEARD"])
    monkeypatch.delenv("BENTOML_DO_NOT_TRACK", raising=False)  # the service sets it by itself
    with served(tmp_path) as server:
        assert server.post(json={"text": "全年调整干部86人次。"}).status_code == 200
        assert server.post("/tag_file", files={"file": ("a.txt", "引进人才。".encode())}).status_code == 200
        processes = all_of(server)
        assert server.worker() in processes
    check_silence(tmp_path, processes)
