"""Sentence vectors from the exported encoder: OpenVINO graph and fast tokenizer, no torch."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from zhuti.compiled import compile_graph, import_openvino
from zhuti.decision import Floats

_BATCH_TOKENS = 512  # a batch's hidden states then stay in a core's cache
_SPREAD = 2  # a few texts make so many batches; not as many as there are cores, since the last digits hang on what is batched
_PAD_TO = 8  # lengths are rounded up, so that few shapes are compiled
_MAX_CHARS = 2000  # more than any encoder's tokens; keeps the tokenizer's work linear


class Encoder:
    """Runs ``encoder.xml`` on the CPU.

    :param path: model folder with ``encoder.xml``, ``encoder.bin`` and ``tokenizer.json``.
    :param prefix: put before every text, as the base encoder was trained with.
    :param max_tokens: longer texts are cut; the vector then stands for their beginning.
    :param keep: keep the compiled graph in the user's cache.
    :param threads: CPU threads; None: as many as there are cores. The vectors are the same.
    """

    def __init__(self, path: Path, prefix: str, max_tokens: int, *, keep: bool = False, threads: int | None = None) -> None:
        self._prefix = prefix
        settings: dict[str, Any] = {"PERFORMANCE_HINT": "THROUGHPUT", "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0}
        if threads is not None:
            settings["INFERENCE_NUM_THREADS"] = threads
        with ThreadPoolExecutor(1) as pool:  # both take long, neither needs the other
            graph = pool.submit(compile_graph, path / "encoder.xml", settings, keep=keep)
            self._tokenizer = Tokenizer.from_file(str(path / "tokenizer.json"))
            self._graph = graph.result()
        self._tokenizer.enable_truncation(max_tokens)
        self.width = int(self._graph.output(0).partial_shape[1].get_length())
        self._queue: Any = import_openvino().AsyncInferQueue(self._graph)

    def encode(self, texts: list[str]) -> Floats:
        """:param texts: normalised texts. :return: their vectors, (n, width)."""
        vectors = np.zeros((len(texts), self.width), np.float32)
        encodings = self._tokenizer.encode_batch_fast([self._prefix + text[:_MAX_CHARS] for text in texts])
        sequences = [encoding.ids for encoding in encodings]

        def keep(request: Any, rows: list[int]) -> None:
            vectors[rows] = request.get_output_tensor(0).data

        self._queue.set_callback(keep)
        for rows in batches_of([len(sequence) for sequence in sequences]):
            ids, mask = _pad([sequences[row] for row in rows])
            self._queue.start_async({"input_ids": ids, "attention_mask": mask}, rows)
        self._queue.wait_all()
        return vectors


def batches_of(lengths: list[int]) -> Iterator[list[int]]:
    """Rows of similar length, the longest first, so that no core is left with a long batch at the end.

    :param lengths: tokens of each text.
    :return: rows of each batch, of about ``_BATCH_TOKENS`` tokens with padding.
    """
    most = min(_BATCH_TOKENS, -(-sum(lengths) // _SPREAD) + max(lengths, default=0) // 2)
    rows: list[int] = []
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        if rows and (len(rows) + 1) * lengths[rows[0]] > most:
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
