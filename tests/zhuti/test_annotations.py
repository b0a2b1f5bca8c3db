from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import ROOT
from zhuti.annotations import AnnotationError, load_annotations
from zhuti.taxonomy import Taxonomy

TAXONOMY = Taxonomy.load(ROOT / "labels" / "taxonomy.yaml")


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "sentences.jsonl"
    path.write_text("".join(json.dumps({"id": f"a:{n:03d}"}) + "\n" for n in range(3)), encoding="utf-8")
    return path


def load(tmp_path: Path, corpus: Path, lines: list[str]) -> list[tuple[str, ...]]:
    path = tmp_path / "annotations.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return [annotation.labels for annotation in load_annotations(path, corpus, TAXONOMY)]


def line(number: int, *labels: str) -> str:
    return json.dumps({"id": f"a:{number:03d}", "labels": labels})


def test_reads_labels_in_order(tmp_path: Path, corpus: Path) -> None:
    lines = [line(0, "none.boilerplate"), line(1, "cadres.young", "cadres.reform"), "", line(2, "overview.general")]
    assert load(tmp_path, corpus, lines) == [("none.boilerplate",), ("cadres.young", "cadres.reform"), ("overview.general",)]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([line(0, "none.boilerplate"), line(2, "none.boilerplate")], r"line 2: found id 'a:002'; .* asks for 'a:001'"),
        ([line(0, "none.boilerplate")], "ends before 'a:001': 1 of 3"),
        ([line(n, "none.boilerplate") for n in (0, 1, 2, 2)], "line 4: 'a:002' comes after the last"),
        ([line(0, "cadres.old")], "line 1: unknown leaf"),
        ([line(0)], "line 1: 0 labels"),
        (['{"id": "a:000", "labels": "cadres.young"}'], "must be a list"),
        (['{"id": "a:000"'], "line 1: not JSON"),
        (["[1]"], "expected a JSON object, found list"),
    ],
)
def test_errors_name_file_line_and_what_is_accepted(tmp_path: Path, corpus: Path, lines: list[str], message: str) -> None:
    with pytest.raises(AnnotationError, match=message):
        load(tmp_path, corpus, lines)
