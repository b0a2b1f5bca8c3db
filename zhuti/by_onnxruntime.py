"""The encoder by onnxruntime, in products of 8-bit integers: for CPUs that have no units for bf16 matrices."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from zhuti.decision import Floats


class OnnxRuntime:
    """Runs ``encoder.onnx``, whose weights stand in ``encoder.bin``, for one text at a time on each thread.

    What goes into a product is rounded to 8 bits with a scale of its text, so that a vector does not depend, to the last
    bit, on what else is computed. Nothing is padded; batches would be no faster.

    :param threads: CPU threads; None: one a core.
    :raises RuntimeError: if onnxruntime cannot run the graph.
    """

    def __init__(self, folder: Path, *, threads: int | None) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC  # what can be fused is, in the file
        try:
            self._session = onnxruntime.InferenceSession(folder / "encoder.onnx", options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's errors have no narrower class in common
            raise RuntimeError(str(error)) from error
        self._width = int(self._session.get_outputs()[0].shape[1])
        self._pool = ThreadPoolExecutor(threads or _cores())

    def vectors(self, sequences: list[list[int]]) -> Floats:
        """:param sequences: token ids of each text. :return: their vectors, (n, width)."""
        vectors = np.empty((len(sequences), self._width), np.float32)

        def compute(row: int) -> None:
            vectors[row] = self._session.run(None, {"input_ids": np.array([sequences[row]], np.int64)})[0][0]

        if len(sequences) == 1:
            compute(0)  # here: handing it to a thread takes time
        else:
            longest_first = sorted(range(len(sequences)), key=lambda row: -len(sequences[row]))
            list(self._pool.map(compute, longest_first))
        return vectors


def _cores() -> int:
    """:return: how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
