"""The side-by-side run: ``make bench``, or ``python -m benchmarks.run --help``.

All peers stand loaded in processes of their own and take turns: in every round each runs the same sentences once
at every size of call, in an order drawn anew, so that a slow minute of the machine meets all of them.
"""

from __future__ import annotations

import json
import os
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.batches import TextTokens
from benchmarks.checkpoint import build_checkpoint
from benchmarks.graphs import build_graphs
from benchmarks.machine import describe_machine, slug
from benchmarks.matrix import has_bf16
from benchmarks.peers import CORES, PEERS
from benchmarks.process import Worker
from benchmarks.report import render
from benchmarks.rounds import RoundLog
from benchmarks.summary import WHOLE, operations, summarise
from benchmarks.worker import MATRIX
from benchmarks.workload import corpus_calls
from training.corpus import ROOT
from zhuti.artifact import MANIFEST, Artifact, file_hash
from zhuti.text import normalise

RESULTS = ROOT / "benchmarks" / "results"
LOGS = ROOT / "build" / "bench"
SIZES = (1, 8, 32, 128)
STRETCH = 128


def run(
    model: Annotated[str, typer.Option(help="Model folder, or the name of one in models/.")] = "zhuti-small",
    rounds: Annotated[int, typer.Option(help="Rounds; the result gives medians over them.", min=1)] = 5,
    stretch: Annotated[int, typer.Option(help="How many sentences the small calls run in a round.")] = STRETCH,
    output: Annotated[Path, typer.Option(help="Folder of the results.")] = RESULTS,
) -> None:
    """Run all peers side by side on the corpus and write <date>-<cpu>.json and .md."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])  # the workers inherit it
    artifact = Artifact.load(model)
    checkpoint = build_checkpoint(artifact)
    graphs = build_graphs(artifact, checkpoint)
    present = [name for name, peer in PEERS.items() if has_bf16() or not peer.needs_bf16]
    LOGS.mkdir(parents=True, exist_ok=True)
    workers = {name: Worker(name, [str(artifact.path), str(checkpoint), str(graphs)], LOGS / f"{name}.log") for name in [*present, MATRIX]}
    log = RoundLog(LOGS / "rounds.json", _same(artifact, present, stretch))
    for name in present:
        if name in log.peers:
            workers[name].ask(do="time", size=32, sentences=64)  # warm again
        else:
            log.peers[name] = workers[name].ask(do="describe")
            log.save()
    print(f"bench: {len(present)} peers loaded and warm; {len(log.rounds)} of {rounds} rounds done before", flush=True)
    while len(log.rounds) < rounds:
        log.rounds.append(_round(len(log.rounds), workers, present, stretch))
        log.save()
        print(f"bench: round {len(log.rounds)} done", flush=True)
    for worker in workers.values():
        worker.close()
    result = _result(artifact, checkpoint, log, rounds, stretch)
    output.mkdir(parents=True, exist_ok=True)
    name = f"{result['date']}-{slug(result['machine'])}"
    (output / f"{name}.json").write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (output / f"{name}.md").write_text(render(result), encoding="utf-8")
    log.finish()
    print(render(result), flush=True)


def _same(artifact: Artifact, present: list[str], stretch: int) -> dict[str, Any]:
    """What must be the same for rounds to belong together."""
    return {
        "model": file_hash(artifact.path / MANIFEST),
        "code": [file_hash(file) for package in ("zhuti", "benchmarks") for file in sorted((ROOT / package).glob("*.py"))],
        "peers": present,
        "stretch": stretch,
        "machine": describe_machine(),
    }


def _result(artifact: Artifact, checkpoint: Path, log: RoundLog, rounds: int, stretch: int) -> dict[str, Any]:
    """What is written as JSON: machine, model, work, every single measurement, and the figures drawn from them."""
    texts = [normalise(unit.text) for passage in corpus_calls()[0] for unit in passage.units()]
    lengths = [len(ids) for ids in TextTokens(artifact.path, artifact.manifest["encoder"])(texts)]
    work = operations(lengths, json.loads((checkpoint / "config.json").read_text(encoding="utf-8")))
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": describe_machine(),
        "model": {key: artifact.manifest[key] for key in ("name", "created", "files")},
        "parity": json.loads((checkpoint / "parity.json").read_text(encoding="utf-8")),
        "work": {"sentences": len(lengths), "tokens": sum(lengths), "operations": work, "stretch": stretch},
        "peers": summarise(log.rounds[:rounds], log.peers, work),
        "rounds": log.rounds[:rounds],
    }


def _round(number: int, workers: dict[str, Worker], present: list[str], stretch: int) -> dict[str, Any]:
    """One round: the matrix rate, then each size of call with the peers in random order."""
    draw = random.Random(number)
    rates = workers[MATRIX].measure(do="rates")
    calls: dict[str, dict[str, Any]] = {name: {} for name in present}
    for size in (*SIZES, None):
        for name in draw.sample(present, len(present)):
            sentences = None if size is None else stretch
            calls[name][WHOLE if size is None else str(size)] = workers[name].measure(do="time", size=size, sentences=sentences)
    return {"rates": rates, "calls": calls}


if __name__ == "__main__":
    typer.run(run)
