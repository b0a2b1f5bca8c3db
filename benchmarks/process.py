"""A worker process, how it is asked, and how far other processes disturbed its answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from benchmarks.peers import CORES
from zhuti.errors import ZhutiError


class WorkerError(ZhutiError):
    """A peer's process ended; its own words stand in its log."""


class Worker:
    """A peer, loaded and waiting.

    :param name: of the peer, see :mod:`benchmarks.worker`.
    :param arguments: folders of the model, the checkpoint and the graphs.
    :param log: receives what it writes to stderr.
    """

    def __init__(self, name: str, arguments: list[str], log: Path) -> None:
        self.name = name
        self._log = log
        threads = {name: str(CORES) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
        environment = os.environ | threads | {"HF_HUB_OFFLINE": "1"}
        with log.open("w", encoding="utf-8") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.worker", name, *arguments],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment,
            )  # fmt: skip

    def ask(self, **order: Any) -> dict[str, Any]:
        """Send an order and wait for its answer. :raises WorkerError: if the process has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            print(json.dumps(order), file=self._process.stdin, flush=True)
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise WorkerError(f"the process of {self.name} has ended; see {self._log}")
        return dict(json.loads(answer))

    def measure(self, **order: Any) -> dict[str, Any]:
        """As :meth:`ask`. :return: the answer, with ``others``: the share of the machine's CPU time that other processes took meanwhile."""
        idle, started = _idle_seconds(), time.perf_counter()
        answer = self.ask(**order)
        total = (time.perf_counter() - started) * (os.cpu_count() or 1)
        busy = total - (_idle_seconds() - idle)
        return answer | {"others": min(1.0, max(0.0, busy - answer["cpu_seconds"]) / total)}

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)


def _idle_seconds() -> float:
    times = psutil.cpu_times()
    return float(times.idle + getattr(times, "iowait", 0.0))
