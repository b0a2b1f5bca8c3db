"""Any transformers checkpoint is fine-tuned and exported: shown on a tiny one made here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from training.base import build_tokenizer
from training.export import export_encoder, full_encoder
from training.finetune import FrozenBase, Recipe, SentenceEncoder, fine_tune, tied_loss
from training.outoffold import prepare_base
from zhuti.encoder import Encoder

TEXTS = ["举办干部培训班", "引进高层次人才", "开展干部培训", "出台人才政策", "干部培训基地", "人才公寓"] * 4
PRIMARIES = np.array([0, 1, 0, 1, 0, 1] * 4)
TARGETS = np.eye(3, dtype=np.float32)[PRIMARIES]
PARENTS = np.array([0, 1, 1])


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny")
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -5.0)] + [
        (char, -6.0) for char in sorted(set("".join(TEXTS)))
    ]
    PreTrainedTokenizerFast(
        tokenizer_object=build_tokenizer(pieces, 3),
        bos_token="<s>",
        cls_token="<s>",
        eos_token="</s>",
        sep_token="</s>",
        unk_token="<unk>",
        pad_token="<pad>",
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(pieces), hidden_size=32, num_hidden_layers=3, num_attention_heads=2, intermediate_size=64, pad_token_id=1
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


def test_a_local_checkpoint_is_taken_as_it_is(checkpoint: Path) -> None:
    assert prepare_base(str(checkpoint)) == str(checkpoint)


def test_overfits_exports_and_predicts_the_same(checkpoint: Path, tmp_path: Path) -> None:
    recipe = Recipe(tuned_layers=2, epochs=10, batch=8, learning_rate=2e-3, head_learning_rate=2e-2)
    base = FrozenBase(checkpoint, "", TEXTS, recipe.tuned_layers)
    assert base.frozen == 1
    tuned = fine_tune(base, np.arange(len(TEXTS)), TARGETS, PRIMARIES, PARENTS, recipe, seed=0)
    with torch.no_grad():
        logits = tuned(*base.hidden(np.arange(len(TEXTS)))).numpy()
    assert (logits.argmax(axis=1) == PRIMARIES).all()

    export_encoder(base, tuned, tmp_path)
    first, reloaded = (Encoder(tmp_path, "", 32).encode(TEXTS) for _ in range(2))
    assert np.array_equal(first, reloaded)
    graph = SentenceEncoder(full_encoder(base, tuned)).eval()
    batch = base.tokenizer(TEXTS, padding=True, return_tensors="pt")
    with torch.no_grad():
        expected = graph(batch["input_ids"], batch["attention_mask"]).numpy()
    # Matrices this small keep their 32-bit weights; the shipped encoder's 8-bit weights are compared in test_shipped.py.
    assert np.abs(first - expected).max() < 0.02


def test_same_seed_same_model(checkpoint: Path) -> None:
    recipe = Recipe(tuned_layers=1, epochs=1, batch=8)
    base = FrozenBase(checkpoint, "", TEXTS, recipe.tuned_layers)
    one, same, other = (
        fine_tune(base, np.arange(len(TEXTS)), TARGETS, PRIMARIES, PARENTS, recipe, seed=seed).folded_head()[0] for seed in (1, 1, 2)
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_the_loss_ties_the_levels() -> None:
    """A wrong leaf of the right theme costs less than a leaf of a wrong theme."""
    target, primary, parents = torch.tensor([[0.0, 1.0, 0.0]]), torch.tensor([1]), torch.tensor([0, 1, 1])
    same_theme = tied_loss(torch.tensor([[-5.0, 0.0, 2.0]]), target, primary, parents)
    other_theme = tied_loss(torch.tensor([[2.0, 0.0, -5.0]]), target, primary, parents)
    assert same_theme < other_theme
