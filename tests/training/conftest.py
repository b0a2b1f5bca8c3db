"""What the tests of training share."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from training.base import build_tokenizer
from training.dataset import TAXONOMY


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
