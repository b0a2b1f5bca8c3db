"""What a command loads: nothing heavy before it is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import EXAMPLE, ROOT

RUNTIMES = {"openvino", "onnxruntime"}
HEAVY = {*RUNTIMES, "numpy", "tokenizers", "yaml", "opencc", "pydantic", "rich", "platformdirs", "pyarrow", "pypdf", "bentoml", "torch"}


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        (["--help"], set()),
        (["tag", "--help"], {"pydantic"}),
        (["taxonomy", "-f", "jsonl"], {"yaml", "pydantic"}),
        (["tag", str(EXAMPLE)], {"numpy", "tokenizers", *RUNTIMES, "yaml", "opencc", "pydantic", "rich", "platformdirs"}),
    ],
)
def test_a_command_loads_what_it_needs_and_no_more(arguments: list[str], needed: set[str]) -> None:
    code = f"""
import sys
from zhuti.cli import app
try:
    app({arguments!r})
except SystemExit:
    pass
print(*sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)
print("openvino.tools.ovc" in sys.modules, file=sys.stderr)
"""
    run = subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True)
    loaded, converter = run.stderr.decode().splitlines()
    assert set(loaded.split()) - needed == set()
    assert len(RUNTIMES & set(loaded.split())) < 2
    assert converter == "False"
