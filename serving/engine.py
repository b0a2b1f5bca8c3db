"""One thread owns the tagger. What waits while it works is tagged together next: batches grow with the load, and nobody waits for one."""

from __future__ import annotations

import asyncio
import hashlib
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Literal

from serving.errors import ServiceError
from serving.logs import LOGGER
from serving.metrics import Metrics
from zhuti.artifact import MANIFEST
from zhuti.options import Options
from zhuti.result import TaggedUnit
from zhuti.tagger import Tagger
from zhuti.text import Unit


@dataclass
class Job:
    """The units of one document, and where its answer goes."""

    units: Sequence[Unit]
    options: Options
    future: Future[list[TaggedUnit]] = field(default_factory=Future)


class Engine:
    """Loads a model in its thread, then answers jobs there.

    :param load: gives the tagger; called in the thread.
    :param batch_units: jobs are added to a batch until it has so many units.
    """

    def __init__(self, load: Callable[[], Tagger], metrics: Metrics, batch_units: int) -> None:
        self._load = load
        self._metrics = metrics
        self._batch_units = batch_units
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="tagger", daemon=True)
        self._tagger: Tagger | None = None
        self.state: Literal["loading", "ready", "failed"] = "loading"
        self.reason = "the model is being loaded"
        self.revision = ""
        metrics.queue.set_function(self._jobs.qsize)

    def start(self) -> None:
        """Begin to load the model; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Let the thread finish what it has and end."""
        self._jobs.put(None)
        self._thread.join(timeout=10)

    @property
    def alive(self) -> bool:
        """False once the thread has died, which only a restart mends."""
        return self._thread.is_alive()

    @property
    def tagger(self) -> Tagger:
        """:raises ServiceError: 503 while there is none."""
        if self._tagger is None:
            raise ServiceError(503, self.reason, {"state": self.state}, {"Retry-After": "2"})
        return self._tagger

    async def tag(self, units: Sequence[Unit], options: Options) -> list[TaggedUnit]:
        """Tag one document, together with whatever else waits.

        :raises ServiceError: 503 without a model, 500 if the tagger fails on this document.
        """
        _ = self.tagger
        if not units:
            return []
        job = Job(units, options)
        self._jobs.put(job)
        return await asyncio.wrap_future(job.future)

    def _run(self) -> None:
        try:
            tagger = self._load()
            self.revision = hashlib.sha256((tagger.artifact.path / MANIFEST).read_bytes()).hexdigest()[:12]
            tagger.tag("全市组织工作会议召开。")  # the first run compiles the graph
        except Exception as error:
            self.state = "failed"
            self.reason = f"the model cannot be used: {error}"
            LOGGER.error(self.reason)
            self._jobs.get()
            return
        self._metrics.model.labels(tagger.artifact.name, self.revision, str(tagger.taxonomy.version)).set(1)
        self._tagger = tagger
        self.state, self.reason = "ready", ""
        LOGGER.info("model loaded", extra={"fields": {"model": tagger.artifact.name, "revision": self.revision}})
        while batch := self._next_batch():
            self._answer(tagger, [job for job in batch if job.future.set_running_or_notify_cancel()])

    def _next_batch(self) -> list[Job]:
        """Wait for a job, then take what waits behind it. :return: an empty list at the end."""
        job = self._jobs.get()
        batch: list[Job] = []
        units = 0
        while job is not None:
            batch.append(job)
            units += len(job.units)
            if units >= self._batch_units or self._jobs.empty():
                return batch
            job = self._jobs.get()
        self._jobs.put(None)
        return batch

    def _answer(self, tagger: Tagger, jobs: list[Job]) -> None:
        """Tag jobs together; if that fails, each by itself, so that only the one at fault fails."""
        if not jobs:
            return
        started = time.perf_counter()
        try:
            answers = _tag_together(tagger, jobs)
        except Exception as error:
            if len(jobs) > 1:
                for job in jobs:
                    self._answer(tagger, [job])
            else:
                LOGGER.error("the tagger failed on a document", exc_info=error)
                jobs[0].future.set_exception(ServiceError(500, "the tagger failed on this text"))
            return
        self._metrics.batch.observe(sum(len(job.units) for job in jobs))
        self._metrics.batch_requests.observe(len(jobs))
        self._metrics.batch_seconds.observe(time.perf_counter() - started)
        for job, answer in zip(jobs, answers, strict=True):
            self._metrics.count(answer, (tagger.artifact.name, self.revision))
            job.future.set_result(answer)


def _tag_together(tagger: Tagger, jobs: Sequence[Job]) -> list[list[TaggedUnit]]:
    documents: list[Sequence[Unit]] = []
    for job in jobs:
        documents += [job.units] if job.options.context else [[unit] for unit in job.units]
    probabilities, vectors = tagger.probabilities(documents)
    answers = []
    first = 0
    for job in jobs:
        rows = slice(first, first := first + len(job.units))
        answers.append(tagger.present(job.units, probabilities[rows], None if vectors is None else vectors[rows], job.options))
    return answers
