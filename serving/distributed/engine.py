"""The engine ``ray``: Ray Data reads the inputs in parts, carries shards to the actors, and every row is accounted for.

The journal is written here, in order, as the local engine writes it: either engine can go on with what the other began.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter

from serving.batch.job import Job, OutputError
from serving.batch.progress import Progress
from serving.batch.shard import Done
from serving.batch.writers import Layout
from serving.distributed.actor import Order, ShardTagger, Written
from serving.distributed.cluster import check, cluster
from serving.distributed.line import Line, pack, unpack
from serving.distributed.place import Place, SharingError
from serving.distributed.plan import plan, shard_events
from serving.distributed.reading import count_events, read_shards

_RETRIES = 8  # a shard that has brought down so many processes will bring down the next


class RayEngine:
    """Tags on a Ray cluster whose machines share the folders of inputs, output and model.

    :param address: ``HOST:PORT`` or ``auto``; None: this machine alone.
    """

    def __init__(self, address: str | None) -> None:
        check(address)
        self._address = address

    def __call__(self, job: Job, folder: Path, layout: Layout, progress: Progress, first: int) -> Generator[Done]:
        """:raises OutputError: if rows are missing at the end, or in a shard."""
        model, head = job.tagger.artifact.path.absolute(), job.head()
        explain = job.options.explain
        order = Order(Place(Path.cwd()), model, head["model"]["sha256"], head["version"], explain, folder.absolute(), layout)
        with cluster(self._address) as ray:
            counts = _count(ray, job, order.place)
            expected = shard_events(counts, job.options.shard_rows)
            waiting: dict[int, Done] = {}
            for line in _tag(ray, job, order, counts, first):
                waiting[line["number"]] = _accepted(folder, unpack(line), expected[line["number"]])
                while first in waiting:
                    progress.advance(progress.total * (first + 1) // len(expected), waiting[first].entry.rows)
                    yield waiting.pop(first)
                    first += 1
        if first != len(expected):
            raise OutputError(f"{folder}: {first:,} of {len(expected):,} shards came back; the same command with --resume does the others")


def _count(ray: Any, job: Job, place: Place) -> list[int]:
    """:return: the events of each input."""
    lines = [pack(number, source) for number, source in enumerate(job.inputs)]
    counted = ray.data.from_items(lines, override_num_blocks=len(lines)).map(count_events, fn_args=(place, job.reading))
    events = {line["number"]: unpack(line) for line in counted.iter_rows()}
    return [events[number] for number in range(len(lines))]


def _tag(ray: Any, job: Job, order: Order, counts: list[int], first: int) -> Iterator[Line]:
    size = job.options.shard_rows
    parts = [pack(part.number, (part, job.inputs[part.first : part.stop])) for part in plan(counts, size, first)]
    if not parts:
        return
    cpus = max(1, int(ray.cluster_resources().get("CPU", 1)))
    actors = ray.data.ActorPoolStrategy(size=cpus, max_tasks_in_flight_per_actor=2)
    items = ray.data.from_items(parts, override_num_blocks=len(parts))
    shards = items.flat_map(read_shards, fn_args=(order.place, job.reading, size), num_cpus=0)  # all CPUs are the actors'
    with catch_warnings():
        simplefilter("ignore", DeprecationWarning)  # Ray before 2.64 has no other way to say how often a shard is tried
        written = shards.map(ShardTagger, fn_constructor_args=(order,), compute=actors, num_cpus=1, max_task_retries=_RETRIES)
    yield from written.iter_rows()


def _accepted(folder: Path, written: Written, expected: int) -> Done:
    """:raises OutputError: if rows are missing. :raises SharingError: if the file is not where this machine looks for it."""
    done = written.done
    file = folder / done.entry.file
    if done.entry.rows + len(done.rejects) != expected:
        raise OutputError(f"{file}: {done.entry.rows:,} rows and {len(done.rejects):,} rejects came of {expected:,} rows; it is not kept")
    if not file.is_file() or file.stat().st_size != written.bytes:
        raise SharingError(f"{file}: was written by the cluster and is not seen here; --output must be on storage that all machines share")
    return done
