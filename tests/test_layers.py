"""The one-way flow: training -> zhuti <- serving; the tagger runs without the training libraries."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from tests.conftest import EXAMPLE, ROOT

ALLOWED = {
    "zhuti": {"zhuti"},
    "training": {"training", "zhuti"},
    "serving": {"serving", "zhuti"},
    "benchmarks": {"benchmarks", "serving", "training", "zhuti"},
}
PACKAGES = set(ALLOWED)


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_imports_follow_the_flow(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    for file in files:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            foreign = {name.split(".")[0] for name in names} & PACKAGES - ALLOWED[package]
            lazily = file == ROOT / "zhuti" / "cli.py" and node not in tree.body
            assert not foreign or lazily, f"{file.name}, line {node.lineno} imports {foreign}"


def test_nothing_reads_or_writes_pickles() -> None:
    for file in (file for package in ALLOWED for file in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"} & {name.split(".")[0] for name in names}, file.name
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                assert isinstance(node.value, ast.Constant)
                assert node.value.value is False, file.name


def test_the_tagger_needs_none_of_the_training_libraries() -> None:
    code = f"""
import sys
for name in ("torch", "transformers", "datasets", "sklearn", "skops", "matplotlib", "training", "serving", "bentoml"):
    sys.modules[name] = None  # importing it fails
from zhuti import Tagger
assert len(Tagger.load().tag(open({str(EXAMPLE)!r}, encoding="utf-8").read())) > 40
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_help_imports_nothing_heavy() -> None:
    code = """
import sys
from typer.testing import CliRunner
from zhuti.cli import app
assert CliRunner().invoke(app, ["--help"]).exit_code == 0
print(*sys.modules)
"""
    loaded = set(subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True, text=True).stdout.split())
    assert not loaded & {"numpy", "openvino", "onnxruntime", "tokenizers", "torch", "opencc", "bentoml", "safetensors", "yaml"}
