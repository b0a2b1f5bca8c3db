"""The checkpoint in the other runtimes' formats: ONNX in float32 and 8 bits, OpenVINO in float32 and 8 bits (NNCF)."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

from benchmarks.batches import TextTokens, sorted_batches
from benchmarks.machine import describe_machine
from training.dataset import EXAMPLES
from zhuti.annotations import read_json_lines
from zhuti.artifact import Artifact, file_hash
from zhuti.text import normalise

ONNX = "model.onnx"
ONNX_INT8 = "model-int8.onnx"
OPENVINO = "openvino.xml"
OPENVINO_INT8 = "openvino-int8.xml"
_CALIBRATION_SENTENCES = 320


def build_graphs(artifact: Artifact, checkpoint: Path) -> Path:
    """Write all formats into the checkpoint's folder, unless the same code and libraries did so before.

    :return: the folder with the files.
    """
    made_by = f"{describe_machine()['libraries']} {file_hash(Path(__file__))}"
    folder = checkpoint / f"graphs-{hashlib.sha256(made_by.encode()).hexdigest()[:12]}"
    if folder.is_dir():
        return folder
    partial = folder.with_name("graphs.part")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    _build_onnx(checkpoint, partial)
    _build_openvino(artifact, checkpoint, partial)
    partial.rename(folder)
    return folder


def load_pooled(checkpoint: Path, attention: str = "sdpa") -> Any:
    """:return: the checkpoint as a torch module from ids and mask to sentence vectors."""
    from transformers import BertModel

    from training.frozen import SentenceEncoder

    return SentenceEncoder(BertModel.from_pretrained(checkpoint, attn_implementation=attention, add_pooling_layer=False)).eval()


def _example() -> tuple[Any, Any]:
    import torch

    ids = torch.ones(2, 16, dtype=torch.long)
    return ids, torch.ones_like(ids)


def _build_onnx(checkpoint: Path, folder: Path) -> None:
    import onnx
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic

    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("tokens", max=512)}
    torch.onnx.export(
        load_pooled(checkpoint), _example(), folder / ONNX, dynamo=True, external_data=False, input_names=["input_ids", "attention_mask"],
        dynamic_shapes={"input_ids": axes, "attention_mask": axes},
    )  # fmt: skip
    model = onnx.load(folder / ONNX)
    del model.graph.value_info[:]  # shapes of the exporter that the quantiser takes for contradictions
    quantize_dynamic(model, folder / ONNX_INT8, weight_type=QuantType.QInt8, per_channel=True)


def _build_openvino(artifact: Artifact, checkpoint: Path, folder: Path) -> None:
    import nncf
    import openvino
    import torch

    example = dict(zip(("input_ids", "attention_mask"), _example(), strict=True))
    with torch.no_grad():
        graph = openvino.convert_model(load_pooled(checkpoint, "eager"), example_input=example)
    openvino.save_model(graph, folder / OPENVINO, compress_to_fp16=False)
    written = [normalise(row["text"]) for _, row in read_json_lines(EXAMPLES)]
    texts = written[:: max(1, len(written) // _CALIBRATION_SENTENCES)]  # calibrated on sentences that are not scored
    tokens = TextTokens(artifact.path, artifact.manifest["encoder"])(texts)
    batches = [{"input_ids": ids, "attention_mask": mask} for _, ids, mask in sorted_batches(tokens)]
    quantised = nncf.quantize(graph, nncf.Dataset(batches), model_type=nncf.ModelType.TRANSFORMER, subset_size=len(batches))
    openvino.save_model(quantised, folder / OPENVINO_INT8, compress_to_fp16=True)


if __name__ == "__main__":
    from benchmarks.checkpoint import build_checkpoint

    shipped = Artifact.load()
    print(build_graphs(shipped, build_checkpoint(shipped)))
