"""What the run was made on: CPU, the flags that decide, cores, memory, kernel and library versions."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.matrix import NOTEWORTHY_FLAGS, cpu_flags
from benchmarks.peers import CORES

_RUNTIMES = ("numpy", "tokenizers", "torch", "transformers", "onnxruntime", "onnx", "openvino", "nncf", "opencc")


def describe_machine(libraries: tuple[str, ...] = _RUNTIMES) -> dict[str, Any]:
    """:param libraries: whose versions are given."""
    flags = cpu_flags()
    return {
        "cpu": _cpu_name(),
        "flags": [flag for flag in NOTEWORTHY_FLAGS if flag in flags],
        "absent": [flag for flag in NOTEWORTHY_FLAGS if flag not in flags],
        "cores": os.cpu_count(),
        "cores_used": CORES,
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "kernel": platform.release(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "libraries": {name: _version(name) for name in libraries},
    }


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "not installed"


def slug(machine: dict[str, Any]) -> str:
    """A file name's part for the CPU: its name and its widest instructions."""
    names = {"amx_bf16": "amx", "avx512_bf16": "avx512-bf16", "avx512f": "avx512", "avx2": "avx2"}
    widest = next((short for flag, short in names.items() if flag in machine["flags"]), "")
    return re.sub(r"[^a-z0-9]+", "-", f"{machine['cpu']} {widest}".lower()).strip("-")


def _cpu_name() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor() or "unknown CPU")
