"""The benchmark of the service, small: it runs, and its figures agree with each other."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from statistics import median

import pytest

from benchmarks.capacity import figures, write_into, written
from benchmarks.service import run
from benchmarks.texts import Texts
from zhuti.text import normalise, split


def test_no_text_is_known_to_the_tagger_already() -> None:
    texts = Texts()
    given = [texts.short() for _ in range(3_000)] + texts.sentences(10_000)
    assert len({normalise(text) for text in given}) == len(given)
    report = texts.report(10_000)
    assert len(report) == 10_000
    assert len(split(report)) > 150


def test_a_small_run_writes_its_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(requests=20, reports=1, sentences=32, rounds=1, kept=40, starts=1, output=tmp_path)
    [file] = tmp_path.glob("service-*.json")
    result = json.loads(file.read_text(encoding="utf-8"))
    together = result["together"]
    [turn] = together["rounds"]
    assert 0 < result["short"]["p50"] <= result["short"]["p99"]
    assert together["single_ratio"] == pytest.approx(turn["single"] / turn["tagger"])
    assert result["resident_bytes"]["loaded"] > 50e6
    assert result["resident_bytes"]["kept_sentences"] == 40
    assert (len(result["model"]["revision"]), result["machine"]["kernel"]) == (12, platform.release())
    assert 2**28 < result["machine"]["memory_bytes"] < 2**48
    table = file.with_suffix(".md").read_text(encoding="utf-8")
    assert f"{median(result['ready_seconds']):.1f} s | ≤ 3 s |" in table
    assert table in capsys.readouterr().out

    document = tmp_path / "operations.md"
    document.write_text("before\n<!-- figures -->\nold\n<!-- end of figures -->\nafter\n", encoding="utf-8")
    write_into(document, file)
    assert written(document) == figures(file)
    text = document.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
