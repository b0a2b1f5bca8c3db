"""Which operations can be left out, and what that costs: ``python -m benchmarks.operations``, which counts and times nothing.

Padding, repeats and early exit for boilerplate are counted over the corpus, in tokens as the shipped encoder gets them.
The cost of an early exit is read from the out-of-fold predictions of ``make evaluate``, of sentences that training had not seen.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from benchmarks.batches import LARGEST, TextTokens
from benchmarks.run import RESULTS
from training.corpus import ROOT
from training.dataset import Dataset, load_dataset
from training.metrics import f1, indicator
from training.schemes import BASELINE, OURS
from zhuti.artifact import Artifact
from zhuti.by_openvino import batches_of, padded

PREDICTIONS = ROOT / "training" / "reports" / "predictions-documents.jsonl"
EXITS = (0.5, 0.8, 0.95)
Ints = NDArray[np.int64]


def padding(lengths: Ints) -> dict[str, float]:
    """Tokens computed for each real one, by how the sentences are put into batches.

    :param lengths: tokens of each sentence, in reading order.
    """
    rows = np.arange(len(lengths))
    ways = {
        f"reading order, {LARGEST} a batch": _cut(rows),
        f"sorted by length, {LARGEST} a batch": _cut(np.argsort(lengths, kind="stable")),
        "OpenVINO as shipped: texts padded to the same length": batches_of(lengths.tolist()),
    }
    return {
        way: sum(len(batch) * padded(int(lengths[batch].max())) for batch in batches) / float(lengths.sum())
        for way, batches in ways.items()
    }


def _cut(rows: Ints) -> list[list[int]]:
    return [rows[first : first + LARGEST].tolist() for first in range(0, len(rows), LARGEST)]


def repeated(texts: list[str], lengths: Ints) -> float:
    """:return: share of tokens in sentences that were there before."""
    first = {text: row for row, text in reversed(list(enumerate(texts)))}
    return 1 - float(lengths[list(first.values())].sum() / lengths.sum())


@cache
def _predictions() -> list[dict[str, Any]]:
    return [json.loads(line) for line in PREDICTIONS.read_text(encoding="utf-8").splitlines()]


def early_exit(dataset: Dataset, lengths: Ints, threshold: float) -> dict[str, float]:
    """Leave out the encoder where the lexical view, held out, gives none.boilerplate at least this probability.

    :param lengths: tokens of each corpus sentence.
    """
    rows = _predictions()
    boilerplate = dataset.taxonomy.position("none.boilerplate")
    leaves = len(dataset.taxonomy.codes)
    gold = dataset.targets[dataset.corpus] > 0
    out = np.array([row[BASELINE]["probabilities"][boilerplate] >= threshold for row in rows])
    full = [[dataset.taxonomy.position(code) for code in row[OURS]["labels"]] for row in rows]
    early = [[boilerplate] if gone else labels for gone, labels in zip(out, full, strict=True)]
    before, after = (f1(indicator(labels, leaves), gold, "micro") for labels in (full, early))
    return {"threshold": threshold, "tokens_saved": float(lengths[out].sum() / lengths.sum()), "leaf_micro_f1_change": after - before}


def count(output: Annotated[Path, typer.Option(help="Where to write, without ending: .json and .md.")] = RESULTS / "operations") -> None:
    """Count the operations that can be left out and write them as JSON and Markdown."""
    artifact = Artifact.load("zhuti-small")
    dataset = load_dataset(written=False)
    lengths = np.array([len(ids) for ids in TextTokens(artifact.path, artifact.manifest["encoder"])(dataset.texts)])
    result = {
        "padding": padding(lengths),
        "repeated": repeated(dataset.texts, lengths),
        "early_exit": [early_exit(dataset, lengths, threshold) for threshold in EXITS],
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    output.with_suffix(".json").write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    output.with_suffix(".md").write_text(render(result), encoding="utf-8")
    print(render(result))


def render(result: dict[str, Any]) -> str:
    """The counts as Markdown."""
    lines = ["| batches | tokens computed for each real one |", "|---|---|"]
    lines += [f"| {way} | {tokens:.2f} |" for way, tokens in result["padding"].items()]
    lines += [
        "",
        "onnxruntime as shipped computes one text at a time and pads none.",
        "",
        f"{result['repeated']:.1%} of the corpus's tokens stand in sentences that were there before, to the word; they are computed once.",
        "",
    ]
    lines += ["| early exit from a boilerplate probability of | tokens saved | change in leaf micro-F1 |", "|---|---|---|"]
    lines += [f"| {e['threshold']:.2f} | {e['tokens_saved']:.1%} | {e['leaf_micro_f1_change']:+.4f} |" for e in result["early_exit"]]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    typer.run(count)
