"""The systems that are compared. Each runs in a process of its own and imports only what it needs itself.

Every peer gets normalised texts and gives the encoder's leaf logits; ``zhuti`` alone does all of the tagger's work. The vectors that a
peer's logits are made of tell which tags would come of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from benchmarks.batches import LARGEST, Ints, TextTokens, run_sorted, sorted_batches
from zhuti.artifact import Artifact
from zhuti.decision import Floats
from zhuti.model import HEAD_FILE

CORES = 2
Run = Callable[[list[str]], Floats]


@dataclass(frozen=True)
class Setup:
    """What the peers load from.

    :param checkpoint: transformers folder with the artefact's weights.
    :param graphs: folder with the other formats of it.
    """

    artifact: Artifact
    checkpoint: Path
    graphs: Path

    @property
    def settings(self) -> dict[str, Any]:
        return dict(self.artifact.manifest["encoder"])

    def head(self) -> tuple[Floats, Floats]:
        head = load_file(self.artifact.path / HEAD_FILE)
        return head["weight"], head["bias"]


@dataclass(frozen=True)
class Loaded:
    """A peer that is ready.

    :param logits: what is timed: from texts to leaf logits, (n, leaves).
    :param vectors: the same without the head, (n, width).
    """

    logits: Run
    vectors: Run


@dataclass(frozen=True)
class Peer:
    """What is compared.

    :param precision: of its matrix products.
    :param files: what it keeps on disk, without the tokenizer.
    :param load: loads it; None: the tagger, which :mod:`benchmarks.worker` runs as users do.
    """

    title: str
    precision: str
    files: Callable[[Setup], list[Path]]
    load: Callable[[Setup], Loaded] | None
    needs_bf16: bool = False


def _pipeline(setup: Setup, sort: bool) -> Loaded:
    from transformers import AutoTokenizer, logging, pipeline

    from benchmarks.classifier import MeanPooledClassifier

    logging.set_verbosity(logging.CRITICAL)  # it would list every class that it knows and this one is not
    classifier: Any = pipeline(
        "text-classification", model=MeanPooledClassifier.assemble(setup.checkpoint, *setup.head()),
        tokenizer=AutoTokenizer.from_pretrained(setup.checkpoint), top_k=None, function_to_apply="none", device="cpu",
    )  # fmt: skip
    prefix, longest = setup.settings["prefix"], setup.settings["max_tokens"]
    place = {label: row for row, label in classifier.model.config.id2label.items()}

    def logits(texts: list[str]) -> Floats:
        order = sorted(range(len(texts)), key=lambda row: len(texts[row])) if sort else range(len(texts))
        batching = {"batch_size": LARGEST} if sort else {}
        answers = classifier([prefix + texts[row] for row in order], truncation=True, max_length=longest, **batching)
        results = np.empty((len(texts), len(place)), np.float32)
        for row, scores in zip(order, answers, strict=True):
            for score in scores:
                results[row, place[score["label"]]] = score["score"]
        return results

    return Loaded(logits, _in_batches(setup, _forward(classifier.model.pooled)))


def _in_batches(setup: Setup, forward: Callable[[Ints, Ints], Floats]) -> Run:
    """Tokens as the shipped encoder makes them, batches sorted by length."""
    tokens, width = TextTokens(setup.artifact.path, setup.settings), len(setup.head()[0])
    return lambda texts: run_sorted(tokens(texts), width, forward)


def _with_head(setup: Setup, vectors: Run) -> Loaded:
    weight, bias = setup.head()
    return Loaded(lambda texts: vectors(texts) @ weight + bias, vectors)


def _forward(module: Any) -> Callable[[Ints, Ints], Floats]:
    import torch

    @torch.inference_mode()
    def forward(ids: Ints, mask: Ints) -> Floats:
        return module(torch.from_numpy(ids), torch.from_numpy(mask)).float().numpy()  # type: ignore[no-any-return]

    return forward


def _torch(setup: Setup, bf16: bool) -> Loaded:
    import torch

    from benchmarks.graphs import load_pooled

    module = load_pooled(setup.checkpoint)
    if bf16:
        module = module.to(torch.bfloat16)
    return _with_head(setup, _in_batches(setup, _forward(module)))


def _onnx(file: str, setup: Setup) -> Loaded:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = CORES
    session = onnxruntime.InferenceSession(setup.graphs / file, options, providers=["CPUExecutionProvider"])
    return _with_head(setup, _in_batches(setup, lambda ids, mask: session.run(None, {"input_ids": ids, "attention_mask": mask})[0]))


def _openvino(name: str, precision: str, setup: Setup) -> Loaded:
    """Two batches run at a time, one a core."""
    import openvino

    settings = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": CORES}
    queue: Any = openvino.AsyncInferQueue(openvino.Core().compile_model(setup.graphs / f"{name}.xml", "CPU", settings))
    tokens = TextTokens(setup.artifact.path, setup.settings)
    width = len(setup.head()[0])

    def vectors(texts: list[str]) -> Floats:
        vectors = np.empty((len(texts), width), np.float32)

        def keep(request: Any, rows: list[int]) -> None:
            vectors[rows] = request.get_output_tensor(0).data

        queue.set_callback(keep)
        for rows, ids, mask in sorted_batches(tokens(texts)):
            queue.start_async({"input_ids": ids, "attention_mask": mask}, rows)
        queue.wait_all()
        return vectors

    return _with_head(setup, vectors)


def _shipped_encoder(setup: Setup) -> Loaded:
    from zhuti.encoder import Encoder

    return _with_head(setup, Encoder(setup.artifact.path, setup.settings["prefix"], setup.settings["max_tokens"]).encode)


def _shipped_openvino(setup: Setup) -> Loaded:
    """What ships for CPUs that multiply bf16; here in whatever precision this one has."""
    from zhuti.by_openvino import OpenVinoRuntime

    tokens, runtime = TextTokens(setup.artifact.path, setup.settings), OpenVinoRuntime(setup.artifact.path, keep=False, threads=None)
    return _with_head(setup, lambda texts: runtime.vectors(tokens(texts)))


def _checkpoint_files(setup: Setup) -> list[Path]:
    return [setup.checkpoint / "model.safetensors"]


def _onnx_file(file: str, setup: Setup) -> list[Path]:
    return [setup.graphs / file]


def _graph_files(name: str, setup: Setup) -> list[Path]:
    return [setup.graphs / f"{name}.{ending}" for ending in ("xml", "bin")]


def _shipped_graphs(setup: Setup) -> list[Path]:
    return [setup.artifact.path / name for name in ("encoder.onnx", "encoder.xml", "encoder.bin")]


def _shipped_files(setup: Setup) -> list[Path]:
    return [setup.artifact.path / name for name in setup.artifact.manifest["files"]]


PIPELINE, REFERENCE, TAGGER = "transformers-pipeline", "torch-fp32", "zhuti"
_ONNX, _ONNX_INT8 = "model.onnx", "model-int8.onnx"
_OPENVINO, _OPENVINO_INT8 = "openvino", "openvino-int8"
PEERS = {
    PIPELINE: Peer("transformers pipeline, its defaults (one by one)", "fp32", _checkpoint_files, partial(_pipeline, sort=False)),
    "transformers-sorted": Peer("transformers pipeline, sorted, batches of 32", "fp32", _checkpoint_files, partial(_pipeline, sort=True)),
    REFERENCE: Peer("torch fp32, sorted", "fp32", _checkpoint_files, partial(_torch, bf16=False)),
    "torch-bf16": Peer("torch bf16, sorted", "bf16", _checkpoint_files, partial(_torch, bf16=True), needs_bf16=True),
    "onnxruntime-fp32": Peer("onnxruntime fp32, sorted", "fp32", partial(_onnx_file, _ONNX), partial(_onnx, _ONNX)),
    "onnxruntime-int8": Peer("onnxruntime int8 (dynamic), sorted", "int8", partial(_onnx_file, _ONNX_INT8), partial(_onnx, _ONNX_INT8)),
    "openvino-f32": Peer("OpenVINO f32, sorted", "fp32", partial(_graph_files, _OPENVINO), partial(_openvino, _OPENVINO, "f32")),
    "openvino-bf16": Peer("OpenVINO bf16, sorted", "bf16", partial(_graph_files, _OPENVINO), partial(_openvino, _OPENVINO, "bf16"), True),
    "openvino-int8": Peer(
        "OpenVINO int8 (NNCF), sorted", "int8", partial(_graph_files, _OPENVINO_INT8), partial(_openvino, _OPENVINO_INT8, "f32")
    ),
    "zhuti-openvino": Peer("zhuti's encoder alone, by OpenVINO", "native", _shipped_graphs, _shipped_openvino),
    "zhuti-encoder": Peer("zhuti's encoder alone, as shipped", "native", _shipped_graphs, _shipped_encoder),
    TAGGER: Peer("zhuti Tagger, everything", "native", _shipped_files, None),
}
