"""Where the log goes."""

from __future__ import annotations

import json
import logging
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from serving import logs
from tests.conftest import ROOT
from tests.serving.process import Served


def test_all_handlers_write_json_to_standard_output(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("zhuti.test_logs")
    handler = logging.StreamHandler()  # to standard error, as BentoML's for warnings
    monkeypatch.setattr(logger, "handlers", [handler])
    monkeypatch.setattr(logger, "propagate", False)
    kept = {one: one.formatter for one in logging.root.handlers}
    logs.configure()
    for one, formatter in kept.items():
        one.setFormatter(formatter)
    logger.warning("a worker has died")
    out, err = capsys.readouterr()
    assert (json.loads(out)["message"], err) == ("a worker has died", "")


def test_the_log_of_a_service_is_on_standard_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    out, err = tmp_path / "out", tmp_path / "err"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        command = [sys.executable, "-m", "zhuti.cli", "serve", "--port", str(port)]
        server = Served(f"http://127.0.0.1:{port}", subprocess.Popen(command, cwd=ROOT, stdout=stdout, stderr=stderr), out)
    try:
        server.wait_for("/readyz", 200)
        server.get("/nothing", headers={"X-Request-ID": "told"})
    finally:
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(timeout=60)
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [row["status"] for row in rows if row.get("request_id") == "told"] == [404]
    assert err.read_text(encoding="utf-8") == ""
