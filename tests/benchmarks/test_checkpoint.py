"""The checkpoint that all peers run is the shipped encoder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.checkpoint import CheckpointError, build_checkpoint, made_of, read_model, read_tensors
from tests.conftest import SHIPPED
from zhuti.artifact import Artifact


def test_the_checkpoint_gives_the_vectors_of_the_shipped_graph(tmp_path: Path) -> None:
    from transformers import AutoModel, AutoTokenizer

    artifact = Artifact.load(SHIPPED)
    folder = build_checkpoint(artifact, tmp_path / "checkpoint")  # raises where vectors differ by more than 1e-3
    assert '"sentences": 64' in (folder / "parity.json").read_text(encoding="utf-8")
    model = AutoModel.from_pretrained(folder)
    assert (model.config.num_hidden_layers, model.config.num_attention_heads, model.config.hidden_size) == (12, 12, 384)
    assert AutoTokenizer.from_pretrained(folder)("query: 选准用好干部")["input_ids"][0] == 0


def test_a_checkpoint_is_named_after_all_that_it_is_made_of() -> None:
    artifact = Artifact.load(SHIPPED)
    names = set()
    for file in ("encoder.xml", "encoder.bin", "tokenizer.json", "head.safetensors", "decision.json"):
        files = artifact.manifest["files"] | {file: {"sha256": "0"}}
        names.add(made_of(replace(artifact, manifest=artifact.manifest | {"files": files})))
    other = replace(artifact, manifest=artifact.manifest | {"encoder": {"prefix": "", "max_tokens": 160}})
    assert len(names | {made_of(other)}) == 5  # the last two files are no part of it
    assert made_of(artifact) in names


def test_every_weight_is_found_again() -> None:
    tensors, heads = read_tensors(SHIPPED / "encoder.xml")
    assert heads == 12
    assert len(tensors) == 5 + 12 * 16
    assert all(np.isfinite(tensor).all() for tensor in tensors.values())


def test_a_graph_that_is_no_bert_is_refused(tmp_path: Path) -> None:
    import openvino
    from openvino import opset13 as ops

    given = ops.parameter([-1, 4], np.float32)
    openvino.save_model(openvino.Model([ops.relu(given)], [given], "tiny"), tmp_path / "encoder.xml")
    with pytest.raises(CheckpointError, match="only an encoder of the BERT family can be read back"):
        read_model(tmp_path / "encoder.xml")
