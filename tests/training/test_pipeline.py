"""`zhuti train` and `zhuti evaluate` from end to end, on a small data set and a tiny checkpoint."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import json_rows
from tests.training.conftest import RECIPE
from training import curve, evaluate, outoffold, pipeline
from training.card import refresh_card, same_training
from training.dataset import Dataset
from training.evaluate import evaluate_models
from training.pipeline import source_hashes, train_models
from training.report import render
from zhuti.tagger import Tagger


@dataclass(frozen=True)
class Made:
    """What both commands wrote."""

    models: Path
    reports: Path
    report: dict[str, Any]

    @property
    def predictions(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.reports / "predictions-documents.jsonl").read_text(encoding="utf-8").splitlines()]

    def manifest(self, name: str) -> dict[str, Any]:
        return dict(json.loads((self.models / name / "manifest.json").read_text(encoding="utf-8")))


def mislabelled(dataset: Dataset) -> Dataset:
    """Every third corpus sentence has the label of another leaf, first or second, so that there are errors to count."""
    codes = dataset.taxonomy.codes
    sentences = list(dataset.sentences)
    for row in range(0, 64, 3):
        own, other = sentences[row].labels[0], codes[(7 * row + 5) % 29]
        sentences[row] = replace(sentences[row], labels=(other,) if row % 2 or own == other or row % 32 > 29 else (own, other))
    return replace(dataset, sentences=tuple(sentences))


@pytest.fixture(scope="module")
def made(dataset: Dataset, checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outoffold, "CACHE", folder / "cache")
        patch.setitem(pipeline.SETTINGS, "small", RECIPE)
        for module in (pipeline, evaluate):
            patch.setattr(module, "load_dataset", lambda: mislabelled(dataset))
        patch.delitem(evaluate.SCHEMES, "blocks")  # whose folds would all be trained; those of the documents are kept from before
        patch.setattr(evaluate, "_RESAMPLES", 20)
        patch.setattr(evaluate, "_PERMUTATIONS", 19)
        patch.setattr(curve, "DRAWS", 1)
        patch.setattr(curve, "PER_LEAF", (2,))
        train_models("small", base=str(checkpoint), output=folder / "models", seed=0)
        report = evaluate_models(base=str(checkpoint), model=folder / "models" / "zhuti-small", output=folder / "reports", seed=0)
        yield Made(folder / "models", folder / "reports", report)


def test_both_models_are_tagged_with(made: Made, dataset: Dataset) -> None:
    for name in ("zhuti-small", "zhuti-baseline"):
        lone = [s for s in dataset.sentences if s.document is None]
        tagged = Tagger.load(made.models / name).tag_sentences([[s.text] for s in lone])
        right = [unit.primary == s.labels[0] for s, [unit] in zip(lone, tagged, strict=True)]
        assert sum(right) >= 0.8 * len(right)  # the sentences hold their leaves' names and were trained on
    [[unit]] = Tagger.load(made.models / "zhuti-small").tag_sentences([[lone[0].text]], explain=1)
    assert len(unit.evidence) == 1
    assert sorted(path.name for path in made.models.iterdir()) == ["zhuti-baseline", "zhuti-small"]  # no .part, no .old


def test_manifests_tell_what_was_made_of_what(made: Made, checkpoint: Path) -> None:
    small, baseline = made.manifest("zhuti-small"), made.manifest("zhuti-baseline")
    assert small["sources"] == baseline["sources"] == made.report["sources"] == source_hashes()
    assert small["base"] == str(checkpoint)
    assert "base" not in baseline
    systems = made.report["schemes"]["documents"]["systems"]
    for manifest, system in ((small, "zhuti"), (baseline, "baseline")):
        assert manifest["figures"] == {key: entry["value"] for key, entry in systems[system].items()}


def test_the_files_of_an_evaluation(made: Made) -> None:
    names = ["confusion.svg", "curve.svg", "evaluation.json", "evaluation.md", "predictions-documents.jsonl", "reliability.svg"]
    assert sorted(path.name for path in made.reports.iterdir()) == names
    for name in names:
        if name.endswith(".svg"):
            assert "<svg" in (made.reports / name).read_text(encoding="utf-8")
    written = json.loads((made.reports / "evaluation.json").read_text(encoding="utf-8"))
    assert (made.reports / "evaluation.md").read_text(encoding="utf-8") == render(written)
    assert (written["sentences"], written["written"]) == (64, 160)
    assert list(written["schemes"]["documents"]["systems"])[-2:] == ["frozen encoder + LR", "SetFit"]
    assert [(p["per_leaf"], p["system"]) for p in written["curve"]] == [
        (s, n) for s in ("2", "all") for n in ("baseline", "encoder", "joined")
    ]
    page = render(written).splitlines()
    assert all(("±" in line) == line.startswith("| 2 |") for line in page if line.startswith(("| 2 |", "| all |")))


def f1(pairs: list[tuple[set[str], set[str]]]) -> float:
    return 2 * sum(len(a & b) for a, b in pairs) / sum(len(a) + len(b) for a, b in pairs)


SYSTEMS = ("zhuti", "zhuti, each sentence alone", "encoder alone", "nearest sentences alone", "baseline", "SetFit")


@pytest.mark.parametrize("system", SYSTEMS)
def test_figures_are_what_the_predictions_give(made: Made, system: str) -> None:
    rows = made.predictions
    assert len(rows) == 64
    figures = made.report["schemes"]["documents"]["systems"][system]
    pairs = [(set(row["labels"]), set(row[system]["labels"])) for row in rows]
    themes = [({code.split(".")[0] for code in a}, {code.split(".")[0] for code in b}) for a, b in pairs]
    by_leaf = [f1([(a & {leaf}, b & {leaf}) for a, b in pairs]) for leaf in {code for a, _ in pairs for code in a}]
    primaries = [(row["labels"][0], row[system]["labels"][0]) for row in rows]
    assert 0.3 < f1(pairs) < 1
    expected = {
        "leaf_micro_f1": f1(pairs),
        "leaf_macro_f1": sum(by_leaf) / len(by_leaf),
        "theme_micro_f1": f1(themes),
        "primary_leaf_accuracy": sum(a == b for a, b in primaries) / 64,
        "primary_theme_accuracy": sum(a.split(".")[0] == b.split(".")[0] for a, b in primaries) / 64,
    }
    for key, value in expected.items():
        assert figures[key]["value"] == pytest.approx(value, abs=6e-5), key
        low, high = figures[key]["interval"]
        assert 0 <= low <= high <= 1


def test_calibration_errors_and_the_table_of_leaves_are_what_the_predictions_give(made: Made, dataset: Dataset) -> None:
    codes = dataset.taxonomy.theme_codes
    every, primary = [], []
    for row in made.predictions:
        given = {code.split(".")[0] for code in row["labels"]}
        scores = dict(zip(codes, row["zhuti"]["themes"], strict=True))
        every += [(score, code in given) for code, score in scores.items()]
        first = row["zhuti"]["labels"][0].split(".")[0]
        primary.append((scores[first], first in given))
    scheme = made.report["schemes"]["documents"]
    errors = scheme["calibration_error"]["zhuti"]
    assert errors["themes"] == pytest.approx(calibration_error(every), abs=2e-3)  # scores are rounded to 4 digits
    assert errors["primary_theme"] == pytest.approx(calibration_error(primary), abs=2e-2)
    for leaf in made.report["leaves"]:
        code = leaf["code"]
        assert leaf["support"] == sum(code in row["labels"] for row in made.predictions)
        assert leaf["predicted"] == sum(code in row["zhuti"]["labels"] for row in made.predictions)


def test_the_finished_model_is_scored_on_the_sets_that_no_training_saw(made: Made) -> None:
    sets = made.report["finished"]
    tagger = Tagger.load(made.models / "zhuti-small")
    other = [unit.primary for [unit] in tagger.tag_sentences([[row["text"]] for row in json_rows("other_worlds.jsonl")])]
    assert sets["other_worlds"] == {"sentences": len(other), "no_theme": other.count("none.boilerplate")}
    pairs, moved = json_rows("steadiness.jsonl"), Counter[str]()
    for pair in pairs:
        one, same = (tagger.tag_sentences([[pair[side]]])[0][0].primary.split(".")[0] for side in "ab")
        moved[pair["change"]] += one != same
    assert sets["steadiness"] == {"pairs": Counter(pair["change"] for pair in pairs), "moved": +moved}
    hard = json_rows("hard_cases.jsonl")
    tagged = [unit for [unit] in tagger.tag_sentences([[row["text"]] for row in hard])]
    expected = f1([(set(row["labels"]), {theme.code for theme in unit.themes}) for row, unit in zip(hard, tagged, strict=True)])
    assert sets["hard_cases"]["leaf_micro_f1"] == pytest.approx(expected, abs=6e-5)


def test_a_model_of_other_labels_is_not_scored(made: Made) -> None:
    assert same_training(made.models / "zhuti-small", made.report)
    assert not same_training(made.models / "zhuti-small", made.report | {"sources": {}})


def calibration_error(decisions: list[tuple[float, bool]]) -> float:
    error = 0.0
    for lower in range(10):
        inside = [(score, right) for score, right in decisions if min(int(score * 10), 9) == lower]
        error += abs(sum(score for score, _ in inside) - sum(right for _, right in inside)) / len(decisions)
    return error


def test_cards_speak_of_their_own_kind(made: Made, checkpoint: Path) -> None:
    small, baseline = ((made.models / name / "README.md").read_text(encoding="utf-8") for name in ("zhuti-small", "zhuti-baseline"))
    assert f"- base: {checkpoint}\n" in small
    assert "context layer" in small
    assert "e5" not in small + baseline
    assert "base:" not in baseline
    assert "context layer" not in baseline
    for card, name in ((small, "zhuti-small"), (baseline, "zhuti-baseline")):
        for value in made.manifest(name)["figures"].values():
            assert f"| {value:.3f} |" in card


def test_a_card_takes_intervals_from_an_evaluation_of_the_same_training(made: Made) -> None:
    folder = made.models / "zhuti-small"
    before = (folder / "README.md").read_bytes()
    assert not refresh_card(folder, made.report | {"sources": {}})
    assert not refresh_card(folder, made.report | {"seed": 1})
    assert not refresh_card(made.models / "none", made.report)
    assert (folder / "README.md").read_bytes() == before
    assert refresh_card(folder, made.report)
    systems = made.report["schemes"]["documents"]["systems"]
    own, alone, other = (systems[name]["leaf_micro_f1"] for name in ("zhuti", "zhuti, each sentence alone", "baseline"))
    low, high = own["interval"]
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert f"| leaf micro-F1 | {own['value']:.3f} | {low:.3f}-{high:.3f} | {alone['value']:.3f} | {other['value']:.3f} |" in card
    assert f"of other worlds without a theme: {made.report['finished']['other_worlds']['no_theme']} of 200" in card
    assert "agree at 0.966 leaf and 0.981 theme" in card
    Tagger.load(folder)  # the card is none of the files that are verified


def test_a_model_that_is_replaced_is_set_aside_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rename that fails leaves the old model where it can be found."""
    folder, partial = tmp_path / "model", tmp_path / "model.part"
    for path in (folder, partial):
        path.mkdir()
    (folder / "old").touch()
    monkeypatch.setattr(pipeline, "write_card", lambda folder: None)
    rename = Path.rename

    def failing(path: Path, target: Path) -> Path:
        if path == partial:
            raise OSError("disk full")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OSError, match="disk full"):
        pipeline._finish(partial, folder, {})
    assert (tmp_path / "model.old" / "old").is_file()
    monkeypatch.undo()
    monkeypatch.setattr(pipeline, "write_card", lambda folder: None)
    pipeline._finish(partial, folder, {})
    assert (folder / "manifest.json").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
