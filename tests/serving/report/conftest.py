from __future__ import annotations

from pathlib import Path

import pytest

from serving.report.figures import Report
from serving.report.render import render
from tests.conftest import EXAMPLE, ROOT
from zhuti.tagger import Tagger

COMPARED = ("jilin-2023", "xining-2013", "zhuzhou-2021")


def tagged(tagger: Tagger, path: Path) -> Report:
    text = path.read_text(encoding="utf-8")
    return Report(path.name, text, tagger.tag(text))


@pytest.fixture(scope="session")
def report(tagger: Tagger) -> Report:
    """The example report."""
    return tagged(tagger, EXAMPLE)


@pytest.fixture(scope="session")
def reports(tagger: Tagger) -> list[Report]:
    """Three reports of the corpus."""
    return [tagged(tagger, ROOT / "data" / "documents" / f"{name}.txt") for name in COMPARED]


@pytest.fixture(scope="session")
def single(tagger: Tagger, report: Report) -> str:
    return render([report], tagger.taxonomy, "zhuti-small")


@pytest.fixture(scope="session")
def compared(tagger: Tagger, reports: list[Report]) -> str:
    return render(reports, tagger.taxonomy, "zhuti-small")
