"""Any transformers checkpoint is fine-tuned and exported: shown on a tiny one made here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino
import pytest
import torch
from safetensors.numpy import load_file

from training.base import BaseError, prepare_base
from training.export import export_encoder, full_encoder
from training.finetune import Targets, fine_tune, start, tied_loss
from training.frozen import FrozenBase, SentenceEncoder
from training.recipe import Recipe
from zhuti.by_onnxruntime import OnnxRuntime
from zhuti.by_openvino import OpenVinoRuntime
from zhuti.encoder import Encoder

TEXTS = ["举办干部培训班", "引进高层次人才", "开展干部培训", "出台人才政策", "干部培训基地", "人才公寓"] * 4
PRIMARIES = np.array([0, 1, 0, 1, 0, 1] * 4)
TARGETS = np.eye(3, dtype=np.float32)[PRIMARIES]
PARENTS = np.array([0, 1, 1])
LEARNT = Targets(TARGETS, PRIMARIES, PARENTS)


def test_a_local_checkpoint_is_taken_as_it_is(checkpoint: Path) -> None:
    """Only the default base, which was trained with a prefix, says so beside its weights."""
    assert prepare_base(str(checkpoint)) == (str(checkpoint), "")


@pytest.mark.parametrize("name", ["no/such/folder", "labels"])
def test_what_is_no_checkpoint_is_refused(name: str) -> None:
    with pytest.raises(BaseError, match=f"base encoder '{name}' cannot be loaded"):
        FrozenBase(name, "", TEXTS, Recipe())


def test_overfits_exports_and_predicts_the_same(checkpoint: Path, tmp_path: Path) -> None:
    recipe = Recipe(tuned_layers=2, batch=8, learning_rate=1e-3, head_learning_rate=1e-2)
    base = FrozenBase(checkpoint, "", TEXTS, recipe)
    assert base.frozen == 1
    rows = np.arange(len(TEXTS))
    tuned = fine_tune(start(base, rows, LEARNT, recipe, seed=0), base, rows, LEARNT, recipe, epochs=10, seed=0)
    with torch.no_grad():
        logits = tuned(*base.hidden(np.arange(len(TEXTS)))).numpy()
    assert (logits.argmax(axis=1) == PRIMARIES).all()

    export_encoder(base, tuned, tmp_path)
    assert (tmp_path / "encoder.bin").stat().st_size < 1.2 * sum(
        p.numel() for p in full_encoder(base, tuned).parameters()
    )  # 8 bits a weight
    batch = base.tokenizer(TEXTS, padding=True, return_tensors="np")
    inputs = {name: batch[name].astype(np.int64) for name in ("input_ids", "attention_mask")}
    with torch.no_grad():
        trained = SentenceEncoder(full_encoder(base, tuned)).eval()(*(torch.from_numpy(array) for array in inputs.values())).numpy()
    graph = openvino.Core().compile_model(
        tmp_path / "encoder.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0}
    )
    exported = graph(inputs)[0]
    assert np.abs(exported - trained).max() < 1e-3

    first, reloaded = (Encoder(tmp_path, "", 32).encode(TEXTS) for _ in range(2))
    assert np.array_equal(first, reloaded)
    head = load_file(tmp_path / "head.safetensors")
    assert ((first @ head["weight"] + head["bias"]).argmax(axis=1) == PRIMARIES).all()
    integers = OnnxRuntime(tmp_path, threads=1).vectors(base.token_ids)
    assert ((integers @ head["weight"] + head["bias"]).argmax(axis=1) == PRIMARIES).all()
    assert np.abs(integers - exported).max() < 0.1 * np.abs(exported).max()
    halves = "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")  # OpenVINO then computes in bf16
    batches = OpenVinoRuntime(tmp_path, keep=False, threads=None).vectors(base.token_ids)
    assert np.abs(batches - exported).max() < (0.05 if halves else 1e-3)


def test_converting_reports_to_nobody() -> None:
    """OpenVINO's telemetry forks the process for each report; the child keeps files open that others wait for."""
    from openvino.tools.ovc import telemetry_utils

    assert telemetry_utils.tm.__name__ == "openvino.tools.ovc.telemetry_stub"


def test_same_seed_same_model(checkpoint: Path) -> None:
    recipe = Recipe(tuned_layers=1, batch=8)
    base = FrozenBase(checkpoint, "", TEXTS, recipe)
    rows = np.arange(len(TEXTS))
    begun = start(base, rows, LEARNT, recipe, seed=0)
    one, same, other = (fine_tune(begun, base, rows, LEARNT, recipe, epochs=1, seed=seed).folded_head()[0] for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_the_loss_ties_the_levels() -> None:
    """A wrong leaf of the right theme costs less than a leaf of a wrong theme."""
    target, primary, parents = torch.tensor([[0.0, 1.0, 0.0]]), torch.tensor([1]), torch.tensor([0, 1, 1])
    same_theme = tied_loss(torch.tensor([[-5.0, 0.0, 2.0]]), target, primary, parents)
    other_theme = tied_loss(torch.tensor([[2.0, 0.0, -5.0]]), target, primary, parents)
    assert same_theme < other_theme
