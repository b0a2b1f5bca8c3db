"""Medians and ratios of the measured rounds."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

from benchmarks.matrix import has_bf16
from benchmarks.peers import PEERS, PIPELINE, REFERENCE
from benchmarks.quality import leaf_micro_f1, share_changed

WHOLE = "all"


def operations(lengths: Sequence[int], config: dict[str, Any]) -> float:
    """Operations of the encoder's matrix products over sentences of these token counts, padding left out.

    A multiplication and an addition are two. Each layer has four square products, two to and from the inner width, and two
    products of attention, which grow with the square of the length.
    """
    width, inner, layers = config["hidden_size"], config["intermediate_size"], config["num_hidden_layers"]
    return float(sum(layers * (length * (8 * width**2 + 4 * width * inner) + 4 * width * length**2) for length in lengths))


def summarise(rounds: list[dict[str, Any]], about: dict[str, dict[str, Any]], work: float) -> dict[str, Any]:
    """Figures of each peer.

    :param about: memory, size and chosen labels of each peer.
    :param work: operations of the whole corpus.
    """
    baseline = leaf_micro_f1(about[REFERENCE]["chosen"])
    return {
        name: {
            "title": PEERS[name].title,
            "sentences_per_second": {size: median(_rates(rounds, name, size)) for size in rounds[0]["calls"][name]},
            "times_pipeline": {
                size: median(a / b for a, b in zip(_rates(rounds, name, size), _rates(rounds, PIPELINE, size), strict=True))
                for size in rounds[0]["calls"][name]
            },
            **_rate_figures(rounds, name, work),
            "resident_bytes": about[name]["resident_bytes"],
            "disk_bytes": about[name]["disk_bytes"],
            "leaf_micro_f1_change": leaf_micro_f1(about[name]["chosen"]) - baseline,
            "tags_changed": share_changed(about[name]["chosen"], about[REFERENCE]["chosen"]),
        }
        for name in about
    }


def _rates(rounds: list[dict[str, Any]], name: str, size: str) -> list[float]:
    return [turn["calls"][name][size]["sentences"] / turn["calls"][name][size]["seconds"] for turn in rounds]


def _rate_figures(rounds: list[dict[str, Any]], name: str, work: float) -> dict[str, float | str]:
    """Operations a second over the whole corpus, and their share of the matrix rate measured in the same round."""
    precision = PEERS[name].precision
    against = "bf16" if precision == "bf16" or (precision == "native" and has_bf16()) else "fp32"
    speeds = [work / turn["calls"][name][WHOLE]["seconds"] for turn in rounds]
    return {
        "operations_per_second": median(speeds),
        "matrix_precision": against,
        "share_of_matrix_rate": median(speed / turn["rates"][against] for speed, turn in zip(speeds, rounds, strict=True)),
    }
