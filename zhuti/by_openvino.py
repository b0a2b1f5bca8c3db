"""The encoder by OpenVINO, in bf16 where the CPU has units for it, else in float32."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zhuti.compiled import compile_graph, import_openvino
from zhuti.decision import Floats

_BATCH_TOKENS = 256  # more makes a batch no faster and takes more memory
_SPREAD = 4  # a few texts make so many batches or more; whatever the cores, since the last digits hang on what is batched
_PAD_TO = 8  # lengths are rounded up, so that few shapes are compiled
_SETTINGS = {"PERFORMANCE_HINT": "THROUGHPUT", "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0}


class OpenVinoRuntime:
    """Runs ``encoder.xml``, a batch on each core.

    :param keep: keep the compiled graph in the user's cache.
    :param threads: CPU threads; None: one a core.
    :raises RuntimeError: if OpenVINO cannot run the graph.
    """

    def __init__(self, folder: Path, *, keep: bool, threads: int | None) -> None:
        settings = _SETTINGS | ({"INFERENCE_NUM_THREADS": threads} if threads else {})
        graph = compile_graph(folder / "encoder.xml", settings, keep=keep)
        self._width = int(graph.output(0).partial_shape[1].get_length())
        self._queue: Any = import_openvino().AsyncInferQueue(graph)

    def vectors(self, sequences: list[list[int]]) -> Floats:
        """:param sequences: token ids of each text. :return: their vectors, (n, width)."""
        vectors = np.zeros((len(sequences), self._width), np.float32)

        def keep(request: Any, rows: list[int]) -> None:
            vectors[rows] = request.get_output_tensor(0).data

        self._queue.set_callback(keep)
        for rows in batches_of([len(sequence) for sequence in sequences]):
            ids, mask = _pad([sequences[row] for row in rows])
            self._queue.start_async({"input_ids": ids, "attention_mask": mask}, rows)
        self._queue.wait_all()
        return vectors


def batches_of(lengths: list[int]) -> Iterator[list[int]]:
    """Rows that are padded to the same length, the longest first, so that no core is left with a long batch at the end.

    A padded token costs what a real one does, and from some 48 tokens on a batch of one costs no more a token than a large one.

    :param lengths: tokens of each text.
    :return: rows of each batch, of at most ``_BATCH_TOKENS`` tokens with padding unless it is of one row.
    """
    whole = [padded(length) for length in lengths]
    most = min(_BATCH_TOKENS, -(-sum(whole) // _SPREAD))
    rows: list[int] = []
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        if rows and (whole[row] < whole[rows[0]] or (len(rows) + 1) * whole[row] > most):
            yield rows
            rows = []
        rows.append(row)
    if rows:
        yield rows


def padded(length: int) -> int:
    """:return: the tokens that a batch is padded to whose longest text has so many."""
    return -(-length // _PAD_TO) * _PAD_TO


def _pad(sequences: list[list[int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """:return: token ids and attention mask, (batch, length rounded up)."""
    length = padded(max(map(len, sequences)))
    ids = np.zeros((len(sequences), length), np.int64)
    mask = np.zeros_like(ids)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = sequence
        mask[row, : len(sequence)] = 1
    return ids, mask
