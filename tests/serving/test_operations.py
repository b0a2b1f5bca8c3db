"""docs/operations.md and the client examples say what is so."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from benchmarks.capacity import figures, written
from serving.openapi import describe
from serving.settings import Settings
from tests.conftest import EXAMPLE, ROOT
from tests.serving.process import Served, served

OPERATIONS = ROOT / "docs" / "operations.md"
CLIENTS = ROOT / "docs" / "clients"
KEY = "an-example-key"


def row(name: str) -> str:
    """:return: the table row of a setting."""
    field = Settings.model_fields[name]
    default = (",".join(field.default) or "(none)") if isinstance(field.default, tuple) else field.default
    return f"| `ZHUTI_{name.upper()}` | {default} | {field.description} |"


def test_every_setting_has_its_row_and_no_other_is_named() -> None:
    text = OPERATIONS.read_text(encoding="utf-8")
    for name in Settings.model_fields:
        assert row(name) in text
    assert set(re.findall(r"ZHUTI_[A-Z_]+", text)) <= {f"ZHUTI_{name.upper()}" for name in Settings.model_fields}


def test_figures_are_those_of_the_result_that_is_named() -> None:
    block = written(OPERATIONS)
    if named := re.search(r"\(\.\./(benchmarks/results/[\w.-]+\.json)\)", block):
        assert block == figures(ROOT / named.group(1))
    else:
        assert not list((ROOT / "benchmarks" / "results").glob("service-*.json"))


def test_metrics_in_queries_are_there(server: Served) -> None:
    named = set(re.findall(r"\bzhuti_[a-z_]+", OPERATIONS.read_text(encoding="utf-8")))
    assert len(named) > 5
    server.post(json={"text": "引进人才。"})
    known = set(re.findall(r"^(zhuti_[a-z_]+)", server.get("/metrics").text, re.MULTILINE))
    assert named <= known


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("guarded"), api_keys=KEY, metrics="key") as one:
        yield one


@pytest.mark.parametrize("script", ["client.py", "curl.sh"])
def test_client_examples_reach_every_endpoint(guarded: Served, script: str) -> None:
    path = CLIENTS / script
    command = [sys.executable, str(path)] if path.suffix == ".py" else ["bash", str(path)]
    run = subprocess.run([*command, guarded.url, str(EXAMPLE)], env=os.environ | {"ZHUTI_KEY": KEY}, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    for expected in ("cadres.selection", "ideology.training", "talent", "zhuti-small", "zhuti_sentences_total"):
        assert expected in run.stdout
    source = path.read_text(encoding="utf-8")
    for endpoint in describe()["paths"]:
        assert f'{endpoint}"' in source, f"{script} has no example of {endpoint}"
