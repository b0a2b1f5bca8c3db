"""Sentence vectors from the exported encoder: fast tokenizer and runtime, no torch."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tokenizers import Tokenizer

from zhuti.decision import Floats
from zhuti.runtime import open_runtime

_MAX_CHARS = 2000  # more than any encoder's tokens; keeps the tokenizer's work linear


class Encoder:
    """Runs the encoder of a model folder on the CPU.

    :param path: model folder with ``tokenizer.json``, ``encoder.bin`` and its graphs.
    :param prefix: put before every text, as the base encoder was trained with.
    :param max_tokens: longer texts are cut; the vector then stands for their beginning.
    :param keep: keep what the runtime compiles in the user's cache.
    :param threads: CPU threads; None: one a core.
    """

    def __init__(self, path: Path, prefix: str, max_tokens: int, *, keep: bool = False, threads: int | None = None) -> None:
        self._prefix = prefix
        with ThreadPoolExecutor(1) as pool:  # both take long, and neither needs the other
            runtime = pool.submit(open_runtime, path, keep=keep, threads=threads)
            self._tokenizer = Tokenizer.from_file(str(path / "tokenizer.json"))
            self._runtime = runtime.result()
        self._tokenizer.enable_truncation(max_tokens)

    def encode(self, texts: list[str]) -> Floats:
        """:param texts: normalised texts. :return: their vectors, (n, width)."""
        encodings = self._tokenizer.encode_batch_fast([self._prefix + text[:_MAX_CHARS] for text in texts])
        return self._runtime.vectors([encoding.ids for encoding in encodings])
