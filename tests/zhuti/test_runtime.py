"""The two runtimes give the same vectors but for rounding, and the CPU says which of them computes."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from tests.conftest import EXAMPLE, SHIPPED
from zhuti import runtime
from zhuti.by_onnxruntime import OnnxRuntime
from zhuti.by_openvino import OpenVinoRuntime
from zhuti.runtime import multiplies_bf16, open_runtime
from zhuti.text import split

SEQUENCES = [
    encoding.ids
    for encoding in Tokenizer.from_file(str(SHIPPED / "tokenizer.json")).encode_batch(
        ["query: " + unit.text for unit in split(EXAMPLE.read_text(encoding="utf-8"))[:40]]
    )
]


@pytest.fixture(scope="module")
def integers() -> OnnxRuntime:
    return OnnxRuntime(SHIPPED, threads=2)


def test_products_of_integers_give_nearly_the_vectors_of_float32(integers: OnnxRuntime) -> None:
    exact, rounded = OpenVinoRuntime(SHIPPED, keep=False, threads=None).vectors(SEQUENCES), integers.vectors(SEQUENCES)
    cosines = (exact * rounded).sum(axis=1) / np.linalg.norm(exact, axis=1) / np.linalg.norm(rounded, axis=1)
    assert cosines.min() > 0.998
    assert np.abs(exact - rounded).max() > 0  # they are two computations


def test_a_vector_does_not_depend_on_its_company(integers: OnnxRuntime) -> None:
    together = integers.vectors(SEQUENCES)
    assert np.array_equal(together[::-1], integers.vectors(SEQUENCES[::-1]))
    assert np.array_equal(
        together, np.concatenate([OnnxRuntime(SHIPPED, threads=1).vectors([ids]) for ids in SEQUENCES[:3]] + [together[3:]])
    )
    assert integers.vectors([]).shape == (0, 384)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [("fma avx2 amx_bf16 amx_tile", OpenVinoRuntime), ("fma avx2 avx512_bf16", OnnxRuntime), ("", OnnxRuntime), (None, OnnxRuntime)],
)
def test_the_cpu_says_which_computes(flags: str | None, expected: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = tmp_path / "cpuinfo"
    if flags is not None:
        cpu.write_text(f"processor\t: 0\nflags\t\t: fpu {flags} sse\n", encoding="utf-8")
    monkeypatch.setattr(runtime, "_CPU", cpu)
    assert multiplies_bf16(cpu) == (expected is OpenVinoRuntime)
    assert isinstance(open_runtime(SHIPPED, keep=False, threads=1), expected)


@pytest.mark.parametrize("damage", ["graph", "weights"])
def test_what_cannot_be_run_is_told(damage: str, tmp_path: Path) -> None:
    shutil.copy(SHIPPED / "encoder.onnx", tmp_path)
    if damage == "graph":
        (tmp_path / "encoder.onnx").write_bytes(b"no graph")
    else:
        (tmp_path / "encoder.bin").write_bytes((SHIPPED / "encoder.bin").read_bytes()[:1000])
    with pytest.raises(RuntimeError, match="encoder"):
        OnnxRuntime(tmp_path, threads=1)


def test_what_openvino_cannot_run_is_told(tmp_path: Path) -> None:
    (tmp_path / "encoder.xml").write_bytes(b"<net/>")
    with pytest.raises(RuntimeError):
        OpenVinoRuntime(tmp_path, keep=False, threads=1)
