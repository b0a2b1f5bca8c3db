"""What goes wrong around the service: its end asked for, its worker killed, its model damaged."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.conftest import ROOT
from tests.serving.process import PATIENCE, Served, held_requests, served
from tests.serving.test_errors import check

TEXT = "全年调整干部86人次。"


def test_requests_at_work_are_answered_before_the_end(tmp_path: Path) -> None:
    with served(tmp_path) as server, held_requests(server, 4, TEXT) as (go, sent):
        server.process.send_signal(signal.SIGTERM)
        time.sleep(1)
        with pytest.raises(httpx.TransportError):
            httpx.get(server.url + "/livez", timeout=1)
        go.set()
        assert [future.result().status_code for future in sent] == [200] * 4
        assert server.process.wait(timeout=60) == 0


def test_a_killed_worker_comes_back_and_a_damaged_or_missing_model_is_not_ready(tmp_path: Path, model_copy: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with served(home, model_copy) as server:
        before = server.worker()
        before.kill()
        before.wait(timeout=10)
        with ThreadPoolExecutor(8) as pool:  # requests sent while there is no worker wait for the next one
            later = list(pool.map(lambda _: server.post(json={"text": TEXT}), range(8)))
        for answer in later:
            if answer.status_code != 200:
                check(answer, 503, "being loaded")
                assert int(answer.headers["retry-after"]) >= 1
        server.wait_for("/readyz", 200)
        assert server.worker().pid != before.pid
        assert [server.post(json={"text": TEXT}).status_code for _ in range(8)] == [200] * 8

        encoder = model_copy / "encoder.bin"
        whole = encoder.read_bytes()
        encoder.write_bytes(whole[:-1])
        server.worker().kill()
        check(until_settled(server), 503, "damaged model: encoder.bin")
        assert server.get("/livez").status_code == 200
        answer = server.post(json={"text": TEXT})
        check(answer, 503, "damaged model: encoder.bin")
        assert int(answer.headers["retry-after"]) >= 1
        check(server.get("/taxonomy"), 503)

        away = model_copy.rename(model_copy.with_name("away"))
        server.worker().kill()
        check(until_settled(server), 503, "unknown model", str(model_copy))

        away.rename(model_copy)
        encoder.write_bytes(whole)
        server.worker().kill()
        server.wait_for("/readyz", 200)
        assert server.post(json={"text": TEXT}).status_code == 200


def until_settled(server: Served) -> httpx.Response:
    """:return: why the service is not ready, once it is done with loading."""
    until = time.monotonic() + PATIENCE
    while "being loaded" in (answer := server.wait_for("/readyz", 503)).text:
        assert time.monotonic() < until
        time.sleep(0.2)
    return answer


def test_what_cannot_be_served_is_told_at_the_start_in_one_sentence(tmp_path: Path, model_copy: Path) -> None:
    (model_copy / "encoder.xml").unlink()
    for model, setting, words in (
        (model_copy, "30", "encoder.xml is missing"),
        (tmp_path / "none", "30", "unknown model"),
        ("zhuti-small", "soon", "ZHUTI_DEADLINE=soon: "),
    ):
        command = [sys.executable, "-m", "zhuti.cli", "serve", "--model", str(model)]
        environment = os.environ | {"ZHUTI_DEADLINE": setting}
        ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert ended.returncode == 1
        assert words in ended.stderr
        assert len(ended.stderr.splitlines()) == 1
