"""Export a tuned encoder to the files the tagger runs: 8-bit weights, a graph for each runtime, and the tokenizer.

Weights of the large matrices are kept as 8-bit integers with a scale a row (symmetric, rounded to nearest). OpenVINO's
graph multiplies them out, so activations are not quantised; onnxruntime's quantises these too.
"""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file

from training.finetune import Tuned
from training.frozen import FrozenBase, SentenceEncoder
from training.onnx_graph import Bert, write_onnx
from zhuti.decision import Floats
from zhuti.model import HEAD_FILE

_LARGE = 50_000
_CALIBRATION = 100  # texts, some


def export_encoder(base: FrozenBase, tuned: Tuned, folder: Path) -> None:
    """Write ``encoder.xml``, ``encoder.bin``, ``encoder.onnx``, ``tokenizer.json`` and ``head.safetensors``."""
    folder.mkdir(parents=True, exist_ok=True)
    encoder = full_encoder(base, tuned)
    _export_graph(SentenceEncoder(encoder), folder)
    write_onnx(_bert(encoder), folder, base.token_ids[:: max(1, len(base.token_ids) // _CALIBRATION)])
    _export_tokenizer(base.tokenizer, folder)
    weight, bias = tuned.folded_head()
    save_file({"weight": weight, "bias": bias}, folder / HEAD_FILE)


def full_encoder(base: FrozenBase, tuned: Tuned) -> Any:
    """The whole encoder as a transformers model, its large matrices rounded to the 8-bit values that are exported."""
    encoder = copy.deepcopy(base.encoder)
    for place, layer in enumerate(tuned.layers):
        encoder.encoder.layer[base.frozen + place] = copy.deepcopy(layer)
    with torch.no_grad():
        for weights in encoder.parameters():
            if _is_large(weights):
                integers, scale = _to_8_bits(weights.numpy())
                weights.copy_(torch.from_numpy(integers * scale))
    return encoder.eval()


def _bert(encoder: Any) -> Bert:
    arrays = {name: weights.numpy() for name, weights in encoder.state_dict().items()}
    weights: dict[str, tuple[NDArray[Any], ...]] = {}
    for name, array in arrays.items():
        weights[name] = _to_8_bits(array) if _is_large(array) else (array,)
    return Bert(weights, encoder.config.num_attention_heads, encoder.config.layer_norm_eps)


def _is_large(weights: Any) -> bool:
    return bool(weights.ndim == 2 and math.prod(weights.shape) >= _LARGE)


def _to_8_bits(weights: Floats) -> tuple[NDArray[np.int8], Floats]:
    """:param weights: (rows, columns). :return: integers of the same shape and the scale of each row, (rows, 1)."""
    scale: Floats = np.abs(weights).max(axis=1, keepdims=True) / np.float32(127)
    scale[scale == 0] = 1
    return np.round(weights / scale).astype(np.int8), scale


def _export_graph(module: SentenceEncoder, folder: Path) -> None:
    import openvino
    from openvino.tools.ovc import convert_model

    module.encoder.set_attn_implementation("eager")  # type: ignore[operator]
    ids = torch.ones(2, 16, dtype=torch.long)
    with torch.no_grad():
        graph = convert_model(module, example_input={"input_ids": ids, "attention_mask": torch.ones_like(ids)})
    _compress_weights(graph)
    openvino.save_model(graph, folder / "encoder.xml", compress_to_fp16=True)


def _compress_weights(graph: Any) -> None:
    from openvino import Type
    from openvino import opset13 as ops

    for operation in graph.get_ops():
        if operation.get_type_name() != "Constant" or operation.get_element_type() != Type.f32:
            continue
        weights = operation.get_data()
        if not _is_large(weights):
            continue
        integers, scale = _to_8_bits(weights)
        restored = ops.multiply(ops.convert(ops.constant(integers), "f32"), ops.constant(scale))
        for consumer in list(operation.output(0).get_target_inputs()):
            consumer.replace_source_output(restored.output(0))


def _export_tokenizer(tokenizer: Any, folder: Path) -> None:
    """The fast tokenizer without padding and truncation settings, which the tagger makes itself."""
    fast = tokenizer.backend_tokenizer
    fast.no_padding()
    fast.no_truncation()
    text = json.dumps(json.loads(fast.to_str()), ensure_ascii=False, separators=(",", ":"))
    (folder / "tokenizer.json").write_text(text, encoding="utf-8")
