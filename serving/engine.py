"""One thread owns the tagger. What waits while it works is tagged together next: batches grow with the load.

Clients that ask again as soon as they are answered fall into two halves, each waiting while the other is tagged. So the
next batch is held for those that were just answered, a twentieth of the last one's time at most; a lone client never waits.
Every document that waits gets its share of the next batch, so a long report does not hold up the short ones behind it.
"""

from __future__ import annotations

import asyncio
import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Literal

from serving.errors import RETRY_SOON, ServiceError
from serving.logs import LOGGER
from serving.metrics import Metrics
from serving.work import Window, Work, score
from zhuti.options import Options
from zhuti.result import TaggedUnit
from zhuti.tagger import Tagger
from zhuti.text import Unit

MIN_SHARE = 16  # units of a document in a batch, however many wait
PATIENCE = 0.05  # of the last batch's time


class Engine:
    """Loads a model in its thread, then tags documents there.

    :param load: gives the tagger; called in the thread.
    :param batch_units: how many units are tagged together.
    """

    def __init__(self, load: Callable[[], Tagger], metrics: Metrics, batch_units: int) -> None:
        self._load = load
        self._metrics = metrics
        self._batch_units = batch_units
        self._arrived: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._waiting: list[Work] = []
        self._expected = 1  # documents: those in the last batch and those that waited at its end
        self._patience = 0.0  # seconds
        self._thread = threading.Thread(target=self._work, name="tagger", daemon=True)
        self._tagger: Tagger | None = None
        self.state: Literal["loading", "ready", "failed", "dead"] = "loading"
        self.reason = "the model is being loaded"
        self.revision = ""
        metrics.queue.set_function(lambda: self._arrived.qsize() + len(self._waiting))

    def start(self) -> None:
        """Begin to load the model; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Let the thread finish what it has and end."""
        self._arrived.put(None)
        self._thread.join(timeout=10)

    @property
    def alive(self) -> bool:
        """False once the thread has died, which only a restart mends."""
        return self._thread.is_alive()

    @property
    def tagger(self) -> Tagger:
        """:raises ServiceError: 503 while there is none."""
        if self._tagger is None:
            raise ServiceError(503, self.reason, {"state": self.state}, RETRY_SOON)
        return self._tagger

    async def tag(self, units: Sequence[Unit], options: Options) -> list[TaggedUnit]:
        """Tag one document, together with whatever else waits.

        :raises ServiceError: 503 without a model, 500 if the tagger fails on this document.
        """
        _ = self.tagger
        if not units:
            return []
        work = Work(units, options)
        self._arrived.put(work)
        return await asyncio.wrap_future(work.future)

    def _work(self) -> None:
        try:
            self._run()
        except BaseException as error:
            self._tagger = None
            self.state, self.reason = "dead", "the tagging thread has died; the process ends and is started again"
            LOGGER.critical(self.reason, exc_info=error)
            os._exit(1)  # the supervisor starts another process; nothing here could be answered any more

    def _run(self) -> None:
        try:
            tagger = self._load()
            self.revision = tagger.artifact.revision
            tagger.tag("会议通报情况。会议部署工作。")  # the first run takes longer
        except Exception as error:
            self.state = "failed"
            self.reason = f"the model cannot be used: {error}"
            LOGGER.error(self.reason)
            return
        self._metrics.model.labels(tagger.artifact.name, self.revision, str(tagger.taxonomy.version)).set(1)
        self._tagger = tagger
        self.state, self.reason = "ready", ""
        LOGGER.info("model loaded", extra={"fields": {"model": tagger.artifact.name, "revision": self.revision}})
        while self._collect():
            self._tag_batch(tagger)

    def _collect(self) -> bool:
        """Take in what has arrived and wait a little for what is expected; wait if there is nothing to do.

        :return: False at the end, once all is answered.
        """
        until = time.perf_counter() + self._patience
        while True:
            missing = len(self._waiting) < self._expected
            left = max(0.0, until - time.perf_counter()) if missing else 0.0
            try:
                work = self._arrived.get(timeout=left if self._waiting else None)
            except queue.Empty:
                return True
            if work is None:
                self._arrived.put(None)
                return bool(self._waiting)
            self._waiting.append(work)

    def _tag_batch(self, tagger: Tagger) -> None:
        """Score a share of each document that waits, answer those that are complete, and put the others behind."""
        self._waiting = [work for work in self._waiting if not work.finished]
        share = max(MIN_SHARE, self._batch_units // max(1, len(self._waiting)))
        windows: list[Window] = []
        for work in self._waiting:
            if sum(window.count for window in windows) >= self._batch_units:
                break
            windows.append(work.next_window(share))
        started = time.perf_counter()
        self._score(tagger, windows)
        self._patience = PATIENCE * (time.perf_counter() - started)
        self._expected = len(self._waiting) + self._arrived.qsize()
        self._waiting = self._waiting[len(windows) :] + [window.work for window in windows if not window.work.finished]
        for window in windows:
            if not window.work.future.done() and window.work.finished and window.work.future.set_running_or_notify_cancel():
                self._metrics.count(window.work.tagged, (tagger.artifact.name, self.revision))
                window.work.future.set_result(window.work.tagged)

    def _score(self, tagger: Tagger, windows: list[Window]) -> None:
        """Score windows together; if that fails, each by itself, so that only the one at fault fails."""
        if not windows:
            return
        started = time.perf_counter()
        try:
            scores = score(tagger, windows)
        except Exception as error:
            if len(windows) > 1:
                for window in windows:
                    self._score(tagger, [window])
            else:
                _fail(windows[0].work, error)
            return
        self._metrics.batch.observe(sum(window.count for window in windows))
        self._metrics.batch_requests.observe(len(windows))
        for window, (probabilities, vectors) in zip(windows, scores, strict=True):
            try:
                window.work.add(tagger, probabilities, vectors)
            except Exception as error:
                _fail(window.work, error)
        self._metrics.batch_seconds.observe(time.perf_counter() - started)


def _fail(work: Work, error: Exception) -> None:
    LOGGER.error("the tagger failed on a document", exc_info=error)
    if work.future.running() or work.future.set_running_or_notify_cancel():
        work.future.set_exception(ServiceError(500, "the tagger failed on this text"))
