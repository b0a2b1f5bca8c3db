"""Which runtime computes the vectors: the one that is fastest on this CPU (see ``make bench``)."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from zhuti.decision import Floats

_CPU = Path("/proc/cpuinfo")
_MULTIPLIES_BF16 = "amx_bf16"


class Runtime(Protocol):
    """The encoder without its tokenizer."""

    def vectors(self, sequences: list[list[int]]) -> Floats:
        """:param sequences: token ids of each text. :return: their vectors, (n, width)."""
        ...


def open_runtime(folder: Path, *, keep: bool, threads: int | None) -> Runtime:
    """Load the encoder of a model folder.

    :param keep: keep what is compiled in the user's cache.
    :param threads: CPU threads; None: one a core.
    :raises RuntimeError: if the graph cannot be run here.
    """
    if multiplies_bf16(_CPU):
        from zhuti.by_openvino import OpenVinoRuntime

        return OpenVinoRuntime(folder, keep=keep, threads=threads)
    from zhuti.by_onnxruntime import OnnxRuntime

    return OnnxRuntime(folder, threads=threads)


def multiplies_bf16(cpu: Path) -> bool:
    """:param cpu: Linux's description of the CPU. :return: whether it multiplies bf16 matrices; False where it does not say."""
    try:
        return _MULTIPLIES_BF16 in cpu.read_text(encoding="utf-8").split()
    except OSError:
        return False
