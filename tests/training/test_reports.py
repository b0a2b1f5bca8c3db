"""The committed reports are those of the present labels, and README says what they say."""

from __future__ import annotations

import json

import pytest

from tests.conftest import ROOT
from training import agreement
from training.metrics import FIGURES
from training.pipeline import source_hashes
from training.report import render

REPORTS = ROOT / "training" / "reports"
REPORT = json.loads((REPORTS / "evaluation.json").read_text(encoding="utf-8"))
COLUMNS = (
    ("documents", "zhuti"),
    ("documents", "zhuti, each sentence alone"),
    ("documents", "baseline"),
    ("blocks", "zhuti"),
    ("blocks", "baseline"),
)
ROWS = {
    "README.md": ("leaf micro-F1", "leaf macro-F1", "theme micro-F1", "theme macro-F1", "primary leaf right", "primary theme right"),
    "README.zh.md": ("细类 micro-F1", "细类 macro-F1", "主题 micro-F1", "主题 macro-F1", "首要细类正确", "首要主题正确"),
}


def test_the_evaluation_was_made_from_the_present_sources() -> None:
    assert REPORT.get("sources") == source_hashes()


def test_the_evaluation_s_page_is_rendered_from_its_figures() -> None:
    assert (REPORTS / "evaluation.md").read_text(encoding="utf-8") == render(REPORT)


@pytest.mark.parametrize("name", sorted(ROWS))
def test_readme_s_table_holds_the_evaluation_s_figures(name: str) -> None:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    for row, key in zip(ROWS[name], FIGURES, strict=True):
        [line] = [line for line in lines if line.startswith(f"| {row} |")]
        cells = [cell.strip(" *") for cell in line.strip("|").split("|")[1:]]
        entries = [REPORT["schemes"][scheme]["systems"][system][key] for scheme, system in COLUMNS if scheme in REPORT["schemes"]]
        assert cells == [f"{entry['value']:.3f} ({entry['interval'][0]:.2f}-{entry['interval'][1]:.2f})" for entry in entries]


@pytest.mark.parametrize("name", sorted(ROWS))
def test_readme_s_sentences_hold_the_evaluation_s_figures(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    documents, mark, sets = REPORT["schemes"]["documents"], REPORT["uncertain"], REPORT["finished"]
    systems = documents["systems"]
    against, errors = documents["against_baseline"], documents["calibration_error"]
    figures = [f"{test['leaf_micro_f1']:.3f}" for test in against.values()]
    figures += [f"{error:.3f}" for error in (errors["zhuti"]["themes"], errors["zhuti"]["primary_theme"])]
    for system in ("encoder alone", "frozen encoder + LR", "SetFit"):
        figures.append(" / ".join(f"{systems[system][key]['value']:.3f}" for key in ("leaf_micro_f1", "theme_micro_f1")))
    figures += [f"{mark['share_of_sentences']:.0%}", f"{mark['share_of_theme_errors']:.0%}"]
    figures += [f"{sets['hard_cases']['leaf_micro_f1']:.3f}", str(sets["other_worlds"]["no_theme"])]
    assert [figure for figure in figures if figure not in text] == []


def test_the_agreement_s_page_is_rendered_from_the_passes() -> None:
    assert agreement.AGREEMENT.read_text(encoding="utf-8") == agreement.render()


def test_agreement_of_two_readings_counted_by_hand() -> None:
    first, second = {"1": ["a.x"], "2": ["a.x", "b.y"]}, {"1": ["a.z"], "2": ["a.x"]}
    assert agreement.pair_f1(first, second) == pytest.approx(2 * 1 / (3 + 2))
    assert agreement.pair_f1(first, second, "b.y") == 0
    assert agreement.pair_f1(*map(agreement.to_theme_level, (first, second))) == pytest.approx(2 * 2 / (3 + 2))
    assert agreement.alpha(first, first) == 1
