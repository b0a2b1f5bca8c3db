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
import psutil
import pytest

from tests.conftest import ROOT
from tests.serving.process import PATIENCE, Served, held_requests, served, wait_until
from tests.serving.test_errors import check

TEXT = "全年调整干部86人次。"
LONG = "".join(f"{chr(0x4E00 + n)}{chr(0x5E00 + 7 * n)}县调整干部提拔年轻人才。" for n in range(600))  # some batches


def test_requests_at_work_are_answered_before_the_end(tmp_path: Path) -> None:
    with served(tmp_path) as server, held_requests(server, 4, TEXT) as (go, sent), ThreadPoolExecutor(2) as pool:
        long = pool.submit(server.post, json={"text": LONG})
        wait_until(lambda: server.figures()["zhuti_queue_depth"] == 1)
        worker = server.worker()
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not listens(worker))
        assert not long.done()  # the tagger is still at it
        late = pool.submit(server.get, "/livez")
        go.set()
        assert [future.result().status_code for future in sent] == [200] * 4
        units = long.result().json()["units"]
        assert ("".join(unit["text"] for unit in units), len(units)) == (LONG, 600)
        assert server.process.wait(PATIENCE) == 0
        assert isinstance(late.exception(), httpx.NetworkError | httpx.RemoteProtocolError)  # no answer, and no waiting for one
        with pytest.raises(httpx.ConnectError):
            server.get("/livez")


def listens(process: psutil.Process) -> bool:
    """Whether a process takes new connections."""
    return any(connection.status == psutil.CONN_LISTEN for connection in process.net_connections())


def test_a_killed_worker_comes_back_and_a_damaged_or_missing_model_is_not_ready(tmp_path: Path, model_copy: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with served(home, model_copy) as server:
        before = server.worker()
        with held_requests(server, 2, TEXT) as (go, at_work):
            before.kill()
            before.wait(PATIENCE)
            go.set()
            for future in at_work:
                assert isinstance(future.exception(), httpx.NetworkError | httpx.RemoteProtocolError)
        with ThreadPoolExecutor(8) as pool:  # requests sent while there is no worker wait for the next one
            later = list(pool.map(lambda _: ask_again(server), range(8)))
        assert [[unit["text"] for unit in answer.json()["units"]] for answer in later] == [[TEXT]] * 8
        server.wait_for("/readyz", 200)
        assert server.worker().pid != before.pid

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


def ask_again(server: Served) -> httpx.Response:
    """:return: the answer to a client that comes back when the service says so."""
    until = time.monotonic() + PATIENCE
    while (answer := server.post(json={"text": TEXT})).status_code != 200:
        check(answer, 503, "being loaded")
        assert time.monotonic() < until
        time.sleep(int(answer.headers["retry-after"]))
    return answer


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
        ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert ended.returncode == 1
        assert words in ended.stderr
        assert len(ended.stderr.splitlines()) == 1
