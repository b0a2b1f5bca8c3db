"""The figures of the evaluation, as SVG."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from training.crossfit import CrossFitted
from training.dataset import Dataset
from training.metrics import primary_decisions, reliability, to_themes


def write_all(dataset: Dataset, predicted: CrossFitted, chosen: list[list[int]], folder: Path) -> None:
    """Write ``confusion.svg`` and ``reliability.svg``."""
    _as_svg()
    _confusion(dataset, chosen, folder / "confusion.svg")
    _reliability(dataset, predicted, chosen, folder / "reliability.svg")


def write_curve(points: list[dict[str, Any]], folder: Path) -> None:
    """Write ``curve.svg``: leaf micro-F1 over written sentences a leaf.

    :param points: as :func:`training.curve.learning_curve` gives them.
    """
    _as_svg()
    from matplotlib import pyplot as plt

    sizes = list(dict.fromkeys(point["per_leaf"] for point in points))
    figure, axes = plt.subplots(figsize=(6, 4))
    for system in dict.fromkeys(point["system"] for point in points):
        mine = [point for point in points if point["system"] == system]
        axes.errorbar(
            [sizes.index(point["per_leaf"]) for point in mine], [point["leaf_micro_f1"] for point in mine],
            yerr=[point["spread"]["leaf_micro_f1"] for point in mine], marker="o", capsize=3, label=system,
        )  # fmt: skip
    axes.set_xticks(range(len(sizes)), sizes)
    axes.set_xlabel("lone written sentences a leaf; all: one model of all written sentences")
    axes.set_ylabel("leaf micro-F1 on the corpus")
    axes.legend()
    figure.tight_layout()
    figure.savefig(folder / "curve.svg", metadata={"Date": None})
    plt.close(figure)


def _as_svg() -> None:
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "zhuti"


def _confusion(dataset: Dataset, chosen: list[list[int]], path: Path) -> None:
    from matplotlib import pyplot as plt

    codes = dataset.taxonomy.codes
    matrix = np.zeros((len(codes), len(codes)))
    for true, labels in zip(dataset.primaries[dataset.corpus], chosen, strict=True):
        matrix[true, labels[0]] += 1
    share = matrix / np.maximum(1, matrix.sum(axis=1, keepdims=True))
    figure, axes = plt.subplots(figsize=(11, 10))
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for row, column in zip(*np.nonzero(matrix), strict=True):
        axes.text(
            column,
            row,
            int(matrix[row, column]),
            ha="center",
            va="center",
            fontsize=6,
            color="white" if share[row, column] > 0.55 else "black",
        )
    axes.set_xticks(range(len(codes)), codes, rotation=90, fontsize=7)
    axes.set_yticks(range(len(codes)), codes, fontsize=7)
    axes.set_xlabel("primary leaf of the model")
    axes.set_ylabel("primary leaf of the readers")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _reliability(dataset: Dataset, predicted: CrossFitted, chosen: list[list[int]], path: Path) -> None:
    from matplotlib import pyplot as plt

    targets = dataset.targets[dataset.corpus]
    themes = to_themes(targets > 0, dataset.taxonomy)
    levels = {
        "leaves": (predicted.probabilities, targets > 0),
        "themes": (predicted.themes, themes),
        "primary theme": primary_decisions(chosen, predicted.themes, themes, dataset.taxonomy.parents),
    }
    figure, axes = plt.subplots(figsize=(5, 5))
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    for name, (probabilities, gold) in levels.items():
        bins = reliability(probabilities, gold)
        axes.plot([b[0] for b in bins], [b[1] for b in bins], marker="o", label=name)
    axes.set_xlabel("calibrated probability")
    axes.set_ylabel("share that is right")
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
