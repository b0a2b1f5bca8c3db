"""Sentence vectors from the exported encoder: OpenVINO graph and fast tokenizer, no torch."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from zhuti.compiled import compile_graph, import_openvino
from zhuti.decision import Floats

_BATCH_TOKENS = 256  # more makes a batch no faster and takes more memory
_SPREAD = 4  # a few texts make so many batches or more; whatever the cores, since the last digits hang on what is batched
_PAD_TO = 8  # lengths are rounded up, so that few shapes are compiled
_MAX_CHARS = 2000  # more than any encoder's tokens; keeps the tokenizer's work linear

Aim = Literal["throughput", "latency", "one thread"]
_BATCHES = {"PERFORMANCE_HINT": "THROUGHPUT", "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0}
_LONE = _BATCHES | {"PERFORMANCE_HINT": "LATENCY"}
_ONE_THREAD = _BATCHES | {"INFERENCE_NUM_THREADS": 1}


class Encoder:
    """Runs ``encoder.xml`` on the CPU, a batch on each core.

    :param path: model folder with ``encoder.xml``, ``encoder.bin`` and ``tokenizer.json``.
    :param prefix: put before every text, as the base encoder was trained with.
    :param max_tokens: longer texts are cut; the vector then stands for their beginning.
    :param keep: keep the compiled graphs in the user's cache.
    :param aim: latency: compile the graph once more, so that all cores share a lone text; it is there in two thirds of
        the time, for some 100 MB. One thread: for processes that share the cores. The vectors are the same.
    """

    def __init__(self, path: Path, prefix: str, max_tokens: int, *, keep: bool = False, aim: Aim = "throughput") -> None:
        self._prefix = prefix
        settings = [_ONE_THREAD if aim == "one thread" else _BATCHES, *([_LONE] if aim == "latency" else [])]
        with ThreadPoolExecutor(2) as pool:  # graphs and tokenizer take long, and none needs another
            graphs = [pool.submit(compile_graph, path / "encoder.xml", own, keep=keep) for own in settings]
            self._tokenizer = Tokenizer.from_file(str(path / "tokenizer.json"))
            graph, *lone = (future.result() for future in graphs)
        self._tokenizer.enable_truncation(max_tokens)
        self.width = int(graph.output(0).partial_shape[1].get_length())
        self._queue: Any = import_openvino().AsyncInferQueue(graph)
        self._lone_queue: Any = import_openvino().AsyncInferQueue(lone[0]) if lone else self._queue

    def encode(self, texts: list[str]) -> Floats:
        """:param texts: normalised texts. :return: their vectors, (n, width)."""
        vectors = np.zeros((len(texts), self.width), np.float32)
        encodings = self._tokenizer.encode_batch_fast([self._prefix + text[:_MAX_CHARS] for text in texts])
        sequences = [encoding.ids for encoding in encodings]

        def keep(request: Any, rows: list[int]) -> None:
            vectors[rows] = request.get_output_tensor(0).data

        queue = self._lone_queue if len(texts) == 1 else self._queue
        queue.set_callback(keep)
        for rows in batches_of([len(sequence) for sequence in sequences]):
            ids, mask = _pad([sequences[row] for row in rows])
            queue.start_async({"input_ids": ids, "attention_mask": mask}, rows)
        queue.wait_all()
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
