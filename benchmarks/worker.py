"""One peer in a process of its own: reads orders as JSON lines on stdin, answers as JSON lines on stdout."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.matrix import matrix_rates
from benchmarks.peers import PEERS, TAGGER, Setup
from benchmarks.quality import Decider
from benchmarks.workload import Call, corpus_calls, count_sentences, stretch
from zhuti.artifact import Artifact
from zhuti.text import normalise

MATRIX = "matrix"
Run = Callable[[Call], Any]


def load_runs(name: str, setup: Setup) -> tuple[Run, Run]:
    """:return: what is timed, from raw passages to (n, leaves) logits, and what tells the tags, to (n, width) vectors; for the tagger

    both give tagged units.
    """
    load = PEERS[name].load
    if load is None:
        from zhuti.tagger import Tagger

        tagger = Tagger.load(setup.artifact.path)

        def tag(call: Call) -> Any:
            tagger._model._cache.clear()  # type: ignore[attr-defined]  # every round computes everything again
            return tagger.tag_units([passage.units() for passage in call])

        return tag, tag
    loaded = load(setup)
    return lambda call: loaded.logits(_texts(call)), lambda call: loaded.vectors(_texts(call))


def _texts(call: Call) -> list[str]:
    return [normalise(unit.text) for passage in call for unit in passage.units()]


def measure(run: Run, size: int | None, sentences: int | None) -> dict[str, float]:
    """Run the corpus in calls of ``size`` sentences; of the calls only about ``sentences`` from the middle, if that is given."""
    calls = corpus_calls(size)
    if sentences is not None:
        calls = stretch(calls, sentences)
    cpu, started = time.process_time(), time.perf_counter()
    for call in calls:
        run(call)
    return {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - cpu, "sentences": count_sentences(calls)}


def describe(name: str, run: Run, telling: Run, setup: Setup) -> dict[str, Any]:
    """Warm up on the whole corpus; memory after that, and the labels that come of the peer's vectors."""
    import psutil

    call = corpus_calls()[0]
    run(call)
    memory = psutil.Process().memory_info().rss
    result = telling(call)
    taxonomy = setup.artifact.taxonomy
    if name == TAGGER:
        chosen = [[taxonomy.position(theme.code) for theme in unit.themes] for document in result for unit in document]
    else:
        chosen = Decider(setup.artifact).choose(np.asarray(result), call)
    size = sum(file.stat().st_size for file in PEERS[name].files(setup))
    return {"resident_bytes": memory, "disk_bytes": size, "chosen": chosen}


def main(name: str, model: str, checkpoint: str, graphs: str) -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print does not mix with the answers
    setup = Setup(Artifact.load(model), Path(checkpoint), Path(graphs))
    run, telling = load_runs(name, setup) if name != MATRIX else (lambda call: None, lambda call: None)
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "describe":
            answer = describe(name, run, telling, setup)
        elif order["do"] == "rates":
            started = time.process_time()
            answer = matrix_rates()
            answer["cpu_seconds"] = time.process_time() - started
        else:
            answer = measure(run, order["size"], order["sentences"])
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
