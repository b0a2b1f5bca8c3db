"""What several tests share: paths, the shipped tagger, and a tiny model folder to damage."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from zhuti.tagger import Tagger

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ROOT / "models" / "zhuti-small"
EXAMPLE = ROOT / "data" / "examples" / "lanshan-2024.txt"


def json_rows(name: str) -> list[dict[str, Any]]:
    """:return: the lines of one of the JSONL files in tests/data."""
    return [json.loads(line) for line in (ROOT / "tests" / "data" / name).read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="session", autouse=True)
def user_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The user's cache, for the tests and the processes they start, is a folder of theirs."""
    folder = tmp_path_factory.mktemp("cache")
    os.environ["XDG_CACHE_HOME"] = str(folder)
    return folder


@pytest.fixture(scope="session")
def tagger() -> Tagger:
    return Tagger.load(SHIPPED)


@pytest.fixture
def model_copy(tmp_path: Path) -> Path:
    """A copy of the shipped model that a test may damage."""
    return Path(shutil.copytree(SHIPPED, tmp_path / "model"))
