"""What the cores can do at most: the rate of large matrix products, the best of the libraries at hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

_SIDE = 1536
_SECONDS = 0.7
_BF16_FLAGS = {"avx512_bf16", "amx_bf16"}
NOTEWORTHY_FLAGS = ("avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16", "amx_int8")


def cpu_flags() -> set[str]:
    """:return: the CPU's flags as Linux names them; empty where there is no /proc/cpuinfo."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return {flag for line in lines if line.startswith("flags") for flag in line.partition(":")[2].split()}


def has_bf16() -> bool:
    """True where the CPU multiplies bf16 matrices by itself."""
    return bool(cpu_flags() & _BF16_FLAGS)


def matrix_rates() -> dict[str, float]:
    """:return: operations a second by precision: ``fp32``, and ``bf16`` where the CPU has it; a multiply-add is two."""
    import torch

    square = np.random.default_rng(0).standard_normal((_SIDE, _SIDE), np.float32)
    tensor = torch.from_numpy(square)
    rates = {"fp32": max(_rate(lambda: square @ square), _rate(lambda: tensor @ tensor))}
    if has_bf16():
        half = tensor.bfloat16()
        rates["bf16"] = _rate(lambda: half @ half)
    return rates


def _rate(multiply: Callable[[], Any]) -> float:
    multiply()
    fastest, started = float("inf"), time.perf_counter()
    while time.perf_counter() - started < _SECONDS:
        begin = time.perf_counter()
        multiply()
        fastest = min(fastest, time.perf_counter() - begin)
    return 2.0 * _SIDE**3 / fastest
