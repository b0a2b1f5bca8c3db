"""What the service costs around the tagger: ``make bench-service``, or ``python -m benchmarks.service --help``.

It starts the real process, as ``zhuti serve`` does, and asks it over HTTP from this machine: the clients take their
share of the same cores. The tagger itself is run in this process in turn with the service.
"""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Annotated, Any

import typer

from benchmarks.capacity import write_into
from benchmarks.machine import describe_machine, slug
from benchmarks.served import Served, post_together, served
from benchmarks.service_report import render
from benchmarks.texts import Texts
from training.corpus import ROOT
from zhuti.tagger import Tagger

RESULTS = ROOT / "benchmarks" / "results"
OPERATIONS = ROOT / "docs" / "operations.md"
CLIENTS = 16
TOGETHER = 16
REPORT_CHARACTERS = 10_000
_LIBRARIES = ("bentoml", "uvicorn", "starlette", "pydantic", "onnxruntime", "openvino", "tokenizers", "numpy", "opencc")


def run(
    model: Annotated[str, typer.Option(help="Model folder, or the name of one in models/.")] = "zhuti-small",
    requests: Annotated[int, typer.Option(help="Short requests after the warm-up.", min=2, max=3000)] = 500,
    reports: Annotated[int, typer.Option(help="Long reports.", min=1)] = 10,
    sentences: Annotated[int, typer.Option(help="Sentences of each round with many clients.", min=CLIENTS)] = 960,
    rounds: Annotated[int, typer.Option(help="Rounds of service and tagger in turn.", min=1)] = 3,
    kept: Annotated[int, typer.Option(help="Sentences sent before the last reading of memory; the service keeps 10,000.", min=1)] = 10_000,
    starts: Annotated[int, typer.Option(help="How often the service is started.", min=1)] = 3,
    output: Annotated[Path, typer.Option(help="Folder of the results.")] = RESULTS,
) -> None:
    """Measure the service and write service-<date>-<cpu>.json and .md; into benchmarks/results, the figures of docs/operations.md too."""
    load = os.getloadavg()[0]
    tagger, texts = Tagger.load(model), Texts()
    tagger.tag(texts.short())
    ready = [_start_only(model) for _ in range(starts - 1)]
    with served(model) as server:
        ready.append(server.ready_seconds)
        idle = server.resident_bytes()
        short = _one_client(server, texts, requests)
        client = server.client()
        long = [client.post("/tag", {"text": texts.report(REPORT_CHARACTERS)}) for _ in range(reports)]
        turns = [_turn(server, tagger, texts, sentences) for _ in range(rounds)]
        _fill(server, texts, kept)
        loaded = server.resident_bytes()
    date, machine = datetime.now(UTC).date().isoformat(), describe_machine(_LIBRARIES)
    result: dict[str, Any] = {
        "date": date,
        "machine": machine,
        "load_average_before": load,
        "model": {"name": tagger.artifact.name, "created": tagger.artifact.manifest["created"], "revision": tagger.artifact.revision},
        "short": {"requests": requests, "p50": median(short), "p99": quantiles(short, n=100, method="inclusive")[98]},
        "report": {"characters": REPORT_CHARACTERS, "requests": reports, "p50": median(long), "slowest": max(long)},
        "together": {"clients": CLIENTS, "sentences": sentences, "per_request": TOGETHER, "rounds": turns}
        | {f"{name}_ratio": median(turn[name] / turn["tagger"] for turn in turns) for name in ("single", "grouped")}
        | {f"{name}_per_second": median(turn[name] for turn in turns) for name in ("tagger", "single", "grouped")},
        "ready_seconds": ready,
        "resident_bytes": {"idle": idle, "loaded": loaded, "kept_sentences": kept},
    }
    output.mkdir(parents=True, exist_ok=True)
    file = output / f"service-{date}-{slug(machine)}.json"
    file.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    file.with_suffix(".md").write_text(render(result), encoding="utf-8")
    if output == RESULTS:
        write_into(OPERATIONS, file)
    print(render(result), flush=True)


def _start_only(model: str) -> float:
    with served(model) as server:
        return server.ready_seconds


def _one_client(server: Served, texts: Texts, requests: int) -> list[float]:
    """:return: seconds of each request of one client with one short sentence; those of the warm-up, a tenth as many, are left out."""
    client = server.client()
    for _ in range(max(10, requests // 10)):
        client.post("/tag", {"text": texts.short()})
    return [client.post("/tag", {"text": texts.short()}) for _ in range(requests)]


def _fill(server: Served, texts: Texts, count: int) -> None:
    """Make the service keep as many sentences as it does after days, and load what evidence needs."""
    bodies = [{"sentences": texts.sentences(min(TOGETHER, count - done)), "explain": 3} for done in range(0, count, TOGETHER)]
    post_together(server, "/tag_sentences", bodies, CLIENTS)


def _turn(server: Served, tagger: Tagger, texts: Texts, count: int) -> dict[str, float]:
    """:return: sentences a second: the tagger's in this process, in one call, and those of many clients with one or several a request."""
    own = [[sentence] for sentence in texts.sentences(count)]
    started = time.perf_counter()
    tagger.tag_sentences(own)
    seconds = {"tagger": time.perf_counter() - started}
    alone = [{"text": sentence, "context": False} for sentence in texts.sentences(count)]
    seconds["single"] = post_together(server, "/tag", alone, CLIENTS)
    several = [{"sentences": texts.sentences(TOGETHER)} for _ in range(count // TOGETHER)]
    seconds["grouped"] = post_together(server, "/tag_sentences", several, CLIENTS)
    counts = {"tagger": count, "single": count, "grouped": TOGETHER * len(several)}
    return {name: counts[name] / seconds[name] for name in seconds}


if __name__ == "__main__":
    typer.run(run)
