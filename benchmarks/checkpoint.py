"""The shipped encoder as a transformers checkpoint, read back from its graph: ``python -m benchmarks.checkpoint``.

The graph's operations carry the names of the torch modules they were traced from, so every weight can be found
again; the 8-bit matrices are multiplied out. All peers of the benchmark run these same weights.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.batches import TextTokens, pad
from training.corpus import ROOT, SENTENCES
from zhuti.annotations import read_json_lines
from zhuti.artifact import Artifact
from zhuti.decision import Floats
from zhuti.errors import ZhutiError
from zhuti.text import normalise

CHECKPOINTS = ROOT / "build" / "checkpoint"
TOLERANCE = 1e-3
_ROOT_MODULE = "__module.encoder."
_PARITY_SENTENCES = 64


class CheckpointError(ZhutiError):
    """The graph's weights cannot be read back, or do not compute what the graph computes."""


def build_checkpoint(artifact: Artifact, target: Path | None = None) -> Path:
    """Write a transformers checkpoint with the weights of an artefact's graph, unless it is there already.

    :param target: folder to write; by default under ``build/checkpoint/``, named after what it is made of.
    :raises CheckpointError: if it differs from the graph by more than ``TOLERANCE``.
    """
    from transformers import PreTrainedTokenizerFast

    folder = target or CHECKPOINTS / f"{artifact.name}-{made_of(artifact)}"
    if (folder / "parity.json").is_file():
        return folder
    model = read_model(artifact.path / "encoder.xml")
    partial = folder.with_name(folder.name + ".part")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    model.save_pretrained(partial)
    marks = {"bos_token": "<s>", "cls_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    PreTrainedTokenizerFast(
        tokenizer_file=str(artifact.path / "tokenizer.json"),
        model_max_length=artifact.manifest["encoder"]["max_tokens"],
        model_input_names=["input_ids", "attention_mask"],
        **marks,
    ).save_pretrained(partial)
    difference = largest_difference(model, artifact)
    if difference > TOLERANCE:
        raise CheckpointError(f"{artifact.path}: the checkpoint differs from the graph by {difference:.1e}, more than {TOLERANCE}")
    (partial / "parity.json").write_text(json.dumps({"largest_difference": difference, "sentences": _PARITY_SENTENCES}) + "\n")
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
    return folder


def made_of(artifact: Artifact) -> str:
    """:return: a hash of all in an artefact that its checkpoint and the graphs drawn from that depend on."""
    manifest = artifact.manifest
    parts = [manifest["encoder"], *(manifest["files"][name]["sha256"] for name in ("encoder.xml", "encoder.bin", "tokenizer.json"))]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def read_model(graph_file: Path) -> Any:
    """:return: a ``transformers.BertModel`` with the graph's weights. :raises CheckpointError: if the graph is not a BERT's."""
    import torch
    from transformers import BertConfig, BertModel

    tensors, heads = read_tensors(graph_file)
    try:
        vocabulary, width = tensors["embeddings.word_embeddings.weight"].shape
        config = BertConfig(
            vocab_size=vocabulary,
            hidden_size=width,
            num_hidden_layers=len({name.split(".")[2] for name in tensors if name.startswith("encoder.layer.")}),
            num_attention_heads=heads,
            intermediate_size=len(tensors["encoder.layer.0.intermediate.dense.bias"]),
            max_position_embeddings=len(tensors["embeddings.position_embeddings.weight"]),
            type_vocab_size=len(tensors["embeddings.token_type_embeddings.weight"]),
            layer_norm_eps=1e-12,
        )
    except KeyError as error:
        raise CheckpointError(f"{graph_file}: no operation holds {error}; only an encoder of the BERT family can be read back") from error
    model = BertModel(config, add_pooling_layer=False)
    missing, unexpected = model.load_state_dict({name: torch.from_numpy(array) for name, array in tensors.items()}, strict=False)
    if unexpected or [name for name in missing if "position_ids" not in name and "token_type_ids" not in name]:
        raise CheckpointError(f"{graph_file}: tensors do not fit BertModel: missing {missing}, unexpected {unexpected}")
    return model.eval()


def read_tensors(graph_file: Path) -> tuple[dict[str, Floats], int]:
    """:return: the float32 weights of an exported BERT graph by their names in transformers, and its number of heads."""
    import openvino

    tensors: dict[str, Floats] = {}
    heads = 0
    for operation in openvino.Core().read_model(graph_file).get_ops():
        module, _, traced = operation.get_friendly_name().removeprefix(_ROOT_MODULE).partition("/aten::")
        kind = operation.get_type_name()
        if kind == "Gather" and traced.startswith("embedding/"):
            tensors[f"{module}.weight"] = _value(operation.input_value(0))
        elif kind == "MatMul" and traced.startswith("linear/"):
            tensors[f"{module}.weight"] = _value(operation.input_value(1))
            tensors[f"{module}.bias"] = _operand(_consumer(operation)).ravel()
            if module.endswith("attention.self.query"):
                heads = int(_operand(_consumer(_consumer(operation)))[2])  # reshaped to (batch, tokens, heads, size)
        elif kind == "MVN" and traced.startswith("layer_norm/"):
            scaled = _consumer(operation)
            tensors[f"{module}.weight"] = _operand(scaled).ravel()
            tensors[f"{module}.bias"] = _operand(_consumer(scaled)).ravel()
    return {name: np.ascontiguousarray(array, np.float32) for name, array in tensors.items()}, heads


def _consumer(operation: Any) -> Any:
    return next(iter(operation.output(0).get_target_inputs())).get_node()


def _operand(operation: Any) -> Floats:
    """The constant side of an addition or multiplication."""
    return _value(operation.input_value(1))


def _value(output: Any) -> Floats:
    """Compute a constant expression: a constant, possibly widened and multiplied with another one."""
    node = output.get_node()
    kind = node.get_type_name()
    if kind == "Constant":
        return np.array(node.get_data())
    if kind == "Convert":
        return _value(node.input_value(0)).astype(np.float32)
    if kind == "Multiply":
        product: Floats = _value(node.input_value(0)) * _value(node.input_value(1))
        return product
    raise CheckpointError(f"{node.get_friendly_name()}: a weight was expected, found the operation {kind}")


def largest_difference(model: Any, artifact: Artifact) -> float:
    """:return: the largest difference of any number in the vectors of some corpus sentences, graph against model, both in float32."""
    import openvino
    import torch

    from training.frozen import SentenceEncoder

    texts = [normalise(row["text"]) for _, row in read_json_lines(SENTENCES)][:_PARITY_SENTENCES]
    ids, mask = pad(TextTokens(artifact.path, artifact.manifest["encoder"])(texts))
    exact = {"INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0}
    graph = openvino.Core().compile_model(artifact.path / "encoder.xml", "CPU", exact)
    expected = graph({"input_ids": ids, "attention_mask": mask})[0]
    with torch.inference_mode():
        found = SentenceEncoder(model)(torch.from_numpy(ids), torch.from_numpy(mask)).numpy()
    return float(np.abs(found - expected).max())


if __name__ == "__main__":
    built = build_checkpoint(Artifact.load())
    print(built, (built / "parity.json").read_text(encoding="utf-8").strip())
