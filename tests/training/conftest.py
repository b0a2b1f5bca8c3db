"""What the tests of training share."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from training.base import build_tokenizer
from training.dataset import TAXONOMY, Dataset, Sentence
from training.recipe import Recipe
from zhuti.taxonomy import Taxonomy

RECIPE = Recipe(tuned_layers=1, batch=16, lone_epochs=1, replay=20)
_TAXONOMY = Taxonomy.load(TAXONOMY)


def sentence(number: int, document: str | None, *, written: bool) -> Sentence:
    leaf = _TAXONOMY.leaves[number % len(_TAXONOMY.leaves)]
    return Sentence(f"{document}:{number}", document, f"{leaf.zh}{leaf.include[number % 5 :]}", "body", (leaf.code,), written)


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    """Two corpus documents, lone sentences and two written reports, all of which hold the names of their leaves."""
    corpus = [sentence(n, name, written=False) for name in ("sichuan-2015", "jilin-2023") for n in range(32)]
    lone = [sentence(n, None, written=True) for n in range(96)]
    reports = [sentence(n, name, written=True) for name in ("r1", "r2") for n in range(32)]
    return Dataset((*corpus, *lone, *reports), _TAXONOMY)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of three small layers whose tokenizer knows the taxonomy's characters."""
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny")
    characters = set(TAXONOMY.read_text(encoding="utf-8")) - set("\n ")
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -5.0), *((char, -6.0) for char in sorted(characters))]
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
        vocab_size=len(pieces), hidden_size=256, num_hidden_layers=3, num_attention_heads=4, intermediate_size=512, pad_token_id=1
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder
