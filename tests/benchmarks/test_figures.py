"""The benchmark's arithmetic, on numbers small enough to check by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.batches import pad, run_sorted
from benchmarks.peers import PEERS, PIPELINE, REFERENCE, TAGGER
from benchmarks.quality import leaf_micro_f1, share_changed
from benchmarks.report import render
from benchmarks.rounds import RoundLog
from benchmarks.run import _round, _same
from benchmarks.summary import operations, summarise
from benchmarks.tradeoff import draw_points, render_points
from benchmarks.worker import MATRIX
from benchmarks.workload import corpus_calls, count_sentences, stretch
from tests.conftest import ROOT
from training.dataset import load_dataset
from zhuti.artifact import Artifact, file_hash


@pytest.mark.parametrize("size", [1, 8, 32, 128, None])
def test_calls_cover_the_corpus_with_its_roles(size: int | None) -> None:
    sentences = load_dataset(written=False).sentences
    units = [unit for call in corpus_calls(size) for passage in call for unit in passage.units()]
    assert [(unit.text, unit.role) for unit in units] == [(sentence.text, sentence.role) for sentence in sentences]


def test_a_stretch_holds_about_as_many_sentences_as_asked_for() -> None:
    assert [count_sentences(stretch(corpus_calls(size), 128)) for size in (1, 8, 32, 128)] == [128, 128, 128, 128]


def test_padding_and_sorting_give_rows_back_in_order() -> None:
    ids, mask = pad([[5, 6, 7], [8]])
    assert ids.tolist() == [[5, 6, 7], [8, 0, 0]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]
    sequences = [[3] * length for length in (9, 1, 70, 2)] * 20
    sums = run_sorted(sequences, 1, lambda ids, mask: (ids * mask).sum(1, keepdims=True).astype(np.float32))
    assert sums[:4, 0].tolist() == [27, 3, 210, 6]


def test_operations_of_one_token_in_one_layer() -> None:
    config = {"hidden_size": 2, "intermediate_size": 4, "num_hidden_layers": 1}
    assert operations([1], config) == 2 * (4 * 2 * 2 + 2 * 2 * 4) + 2 * 2 * 2
    assert operations([3, 3], config) == 2 * (3 * 64 + 4 * 2 * 9)


def test_changes_of_quality() -> None:
    dataset = load_dataset(written=False)
    gold = [np.flatnonzero(row).tolist() for row in dataset.targets]
    assert leaf_micro_f1(gold) == 1.0
    assert share_changed([[1], [2, 3], [4], [5]], [[1], [3, 2], [4, 6], [7]]) == 0.5


def _result(names: list[str]) -> dict[str, Any]:
    gold = [np.flatnonzero(row).tolist() for row in load_dataset(written=False).targets]
    seconds = {PIPELINE: (8.0, 30.0, 5.0), REFERENCE: (4.0, 9.0, 1.0), TAGGER: (2.0, 4.0, 1.0)}  # a round each
    about = {name: {"resident_bytes": 5e8, "disk_bytes": 3e7, "chosen": gold} for name in names}
    rounds = [
        {
            "rates": {"fp32": rate},
            "calls": {name: {"all": {"seconds": seconds[name][turn], "sentences": 616, "others": 0.0}} for name in names},
        }
        for turn, rate in enumerate((1e11, 3e11, 0.5e11))
    ]
    machine = {"cpu": "Some CPU", "flags": ["avx2"], "absent": ["amx_bf16"], "cores": 8, "cores_used": 2}
    return {
        "date": "2026-01-01",
        "machine": machine | {"libraries": {"torch": "2"}, "python": "3.11"},
        "model": {"name": "zhuti-small", "created": "2026-01-01"},
        "parity": {"largest_difference": 1e-6},
        "work": {"sentences": 616, "tokens": 1232, "operations": 8e10, "stretch": 128},
        "rounds": rounds,
        "peers": summarise(rounds, about, 8e10),
    }


def test_the_report_gives_medians_ratios_and_what_the_machine_cannot_show() -> None:
    result = _result([PIPELINE, REFERENCE, TAGGER])
    assert result["peers"][TAGGER]["sentences_per_second"]["all"] == 308
    assert result["peers"][TAGGER]["times_pipeline"]["all"] == 5
    text = render(result)
    assert f"| {PEERS[TAGGER].title} | 308.0 (5.00×) |" in text
    assert "| 40 | 40% of fp32 | 500 | 30.0 | +0.0000 | 0.0% |" in text
    assert "This CPU has no AMX." in text
    assert "does not multiply bf16 matrices" in text


def test_in_each_round_all_peers_run_a_size_before_the_next_in_an_order_drawn_anew() -> None:
    asked: list[tuple[str, int | None]] = []

    class Listening:
        def __init__(self, name: str) -> None:
            self.name = name

        def measure(self, do: str, size: int | None = None, sentences: int | None = None) -> dict[str, str]:
            if do == "time":
                assert (size is None) == (sentences is None)
                asked.append((self.name, size))
            return {"of": self.name}

    names = [str(number) for number in range(8)]
    workers: Any = {name: Listening(name) for name in (*names, MATRIX)}
    turns = [_round(number, workers, names, 128) for number in range(3)]
    assert [turn["rates"] for turn in turns] == [{"of": MATRIX}] * 3
    assert all(turn["calls"][name]["all"] == {"of": name} for turn in turns for name in names)
    rows = [asked[place : place + 8] for place in range(0, len(asked), 8)]
    assert [{size for _, size in row} for row in rows] == [{1}, {8}, {32}, {128}, {None}] * 3
    assert all(sorted(name for name, _ in row) == names for row in rows)
    assert len({tuple(name for name, _ in row) for row in rows}) == 15


def test_a_broken_run_goes_on_with_its_own_rounds_alone(tmp_path: Path) -> None:
    log = RoundLog(tmp_path / "rounds.json", {"stretch": 128})
    log.rounds.append({"rates": {"fp32": 1.0}})
    log.save()
    assert RoundLog(tmp_path / "rounds.json", {"stretch": 128}).rounds == [{"rates": {"fp32": 1.0}}]
    assert RoundLog(tmp_path / "rounds.json", {"stretch": 64}).rounds == []
    log.finish()
    assert RoundLog(tmp_path / "rounds.json", {"stretch": 128}).rounds == []


def test_rounds_of_another_model_or_of_other_code_are_no_part_of_a_run(model_copy: Path) -> None:
    artifact = Artifact.load(model_copy)
    before = _same(artifact, [TAGGER], 128)
    assert file_hash(ROOT / "benchmarks" / "worker.py") in before["code"]
    with (model_copy / "manifest.json").open("a", encoding="utf-8") as file:
        file.write("\n")
    after = _same(artifact, [TAGGER], 128)
    assert {name for name in before if before[name] != after[name]} == {"model"}


def test_every_peer_but_the_tagger_gives_logits() -> None:
    assert [name for name, peer in PEERS.items() if peer.load is None] == [TAGGER]


def test_the_trade_off_is_a_table_and_a_picture(tmp_path: Path) -> None:
    figures = {"theme_micro_f1": 0.87, "disk_bytes": 4e7}
    points = [
        {"name": "small", "leaf_micro_f1": 0.786, "sentences_per_second": 100.0, "times_first": 1.0} | figures,
        {"name": "tiny", "leaf_micro_f1": 0.75, "sentences_per_second": 300.0, "times_first": 3.0} | figures,
    ]
    assert render_points(points).splitlines()[2] == "| tiny | 0.750 | 0.870 | 300 | 3.00 | 40.0 |"
    draw_points(points, tmp_path / "curve.svg")
    assert "<svg" in (tmp_path / "curve.svg").read_text(encoding="utf-8")
