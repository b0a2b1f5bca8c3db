"""Quality against speed of several models: ``python -m benchmarks.tradeoff models/zhuti-small models/other --output build/tradeoff``.

F1 is the one of each manifest, measured with whole documents held out; speed is measured here, all models interleaved.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer

from benchmarks.machine import describe_machine
from benchmarks.peers import CORES, TAGGER
from benchmarks.process import Worker
from benchmarks.run import LOGS, RESULTS
from zhuti.artifact import Artifact, ArtifactError


def tradeoff(
    models: Annotated[list[str], typer.Argument(help="Model folders, or names of ones in models/.", metavar="MODEL...")],
    rounds: Annotated[int, typer.Option(help="Rounds; the result gives medians over them.", min=1)] = 5,
    output: Annotated[Path, typer.Option(help="Where to write, without ending: .json, .md and .svg.")] = RESULTS / "tradeoff",
) -> None:
    """Measure the tagger with each model on the corpus and write F1 against sentences a second, as table and SVG."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    artifacts = [_encoder(model) for model in models]
    LOGS.mkdir(parents=True, exist_ok=True)
    workers = [Worker(TAGGER, [str(artifact.path), "", ""], LOGS / f"tradeoff-{place}.log") for place, artifact in enumerate(artifacts)]
    for worker in workers:
        worker.ask(do="time", size=None, sentences=None)
    speeds: list[list[float]] = [[] for _ in workers]
    for number in range(rounds):
        for place in random.Random(number).sample(range(len(workers)), len(workers)):
            answer = workers[place].measure(do="time", size=None, sentences=None)
            speeds[place].append(answer["sentences"] / answer["seconds"])
    for worker in workers:
        worker.close()
    points = [_point(artifact, own, speeds[0]) for artifact, own in zip(artifacts, speeds, strict=True)]
    output.parent.mkdir(parents=True, exist_ok=True)
    result = {"machine": describe_machine(), "rounds": rounds, "points": points}
    output.with_suffix(".json").write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    output.with_suffix(".md").write_text(render_points(points), encoding="utf-8")
    draw_points(points, output.with_suffix(".svg"))
    print(render_points(points))


def _encoder(model: str) -> Artifact:
    artifact = Artifact.load(model)
    if artifact.kind != "encoder":
        raise ArtifactError(f"{artifact.path}: a model of kind {artifact.kind!r}; the trade-off compares encoders")
    return artifact


def _point(artifact: Artifact, speeds: list[float], first: list[float]) -> dict[str, Any]:
    files = artifact.manifest["files"].values()
    return {
        "name": artifact.path.name,
        "leaf_micro_f1": artifact.manifest["figures"]["leaf_micro_f1"],
        "theme_micro_f1": artifact.manifest["figures"]["theme_micro_f1"],
        "sentences_per_second": median(speeds),
        "times_first": median(a / b for a, b in zip(speeds, first, strict=True)),
        "disk_bytes": sum(entry["bytes"] for entry in files),
    }


def render_points(points: list[dict[str, Any]]) -> str:
    """:return: a Markdown table, the fastest first."""
    rows = [
        f"| {p['name']} | {p['leaf_micro_f1']:.3f} | {p['theme_micro_f1']:.3f} | {p['sentences_per_second']:,.0f} | {p['times_first']:.2f}"
        f" | {p['disk_bytes'] / 1e6:.1f} |"
        for p in sorted(points, key=lambda p: -p["sentences_per_second"])
    ]
    head = f"| model | leaf micro-F1 | theme micro-F1 | sentences/s | times {points[0]['name']} | MB |"
    return "\n".join([head, "|---|---|---|---|---|---|", *rows]) + "\n"


def draw_points(points: list[dict[str, Any]], path: Path) -> None:
    """Leaf micro-F1 over sentences a second, as SVG."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "zhuti"
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4.5))
    ordered = sorted(points, key=lambda p: p["sentences_per_second"])
    axes.plot([p["sentences_per_second"] for p in ordered], [p["leaf_micro_f1"] for p in ordered], "o-", color="#2b5c8a")
    for point in points:
        axes.annotate(point["name"], (point["sentences_per_second"], point["leaf_micro_f1"]), textcoords="offset points", xytext=(6, 6))
    axes.set_xscale("log")
    axes.set_xlabel("sentences a second, end to end, two cores")
    axes.set_ylabel("leaf micro-F1, whole documents held out")
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


if __name__ == "__main__":
    typer.run(tradeoff)
