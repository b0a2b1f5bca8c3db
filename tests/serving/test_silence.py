"""The service calls nobody: no telemetry, no connection but those of its own callers."""

from __future__ import annotations

import ipaddress

import psutil

from tests.serving.process import Served


def test_no_process_of_the_service_speaks_to_another_machine(server: Served) -> None:
    assert server.post(json={"text": "全年调整干部86人次。"}).status_code == 200
    processes = [psutil.Process(server.process.pid), *psutil.Process(server.process.pid).children(recursive=True)]
    assert server.worker() in processes
    peers = [connection.raddr.ip for process in processes for connection in process.net_connections("inet") if connection.raddr]
    assert [peer for peer in peers if not ipaddress.ip_address(peer).is_loopback] == []
    for process in processes:
        assert process.environ()["BENTOML_DO_NOT_TRACK"] == "True"
