"""What Prometheus reads at ``/metrics``. Shares are ratios of counters; drift shows there first."""

from __future__ import annotations

import os
from collections.abc import Sequence

# BentoML asks prometheus_client to share its figures among workers through files; this service has one worker, whose figures stay in it.
os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from zhuti.result import TaggedUnit

_LATENCY = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)
_BATCH = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 16384)
_MODEL = ("model", "revision")


class Metrics:
    """Counters of one process. Text never becomes a label."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("zhuti_requests", "Answered requests.", ("route", "method", "status"), registry=self.registry)
        self.latency = Histogram(
            "zhuti_request_seconds", "From first byte to answer.", ("route",), buckets=_LATENCY, registry=self.registry
        )
        self.sentences = Counter("zhuti_sentences", "Tagged sentences.", _MODEL, registry=self.registry)
        self.themes = Counter("zhuti_themes", "Tagged sentences by primary theme.", (*_MODEL, "theme"), registry=self.registry)
        self.uncertain = Counter(
            "zhuti_uncertain_sentences",
            "Tagged sentences marked uncertain; over zhuti_sentences it is their share.",
            _MODEL,
            registry=self.registry,
        )
        self.boilerplate = Counter(
            "zhuti_boilerplate_sentences",
            "Tagged sentences that are boilerplate; over zhuti_sentences it is their share.",
            _MODEL,
            registry=self.registry,
        )
        self.batch = Histogram("zhuti_batch_sentences", "Sentences tagged together.", buckets=_BATCH, registry=self.registry)
        self.batch_requests = Histogram("zhuti_batch_documents", "Documents tagged together.", buckets=_BATCH[:10], registry=self.registry)
        self.batch_seconds = Histogram("zhuti_batch_seconds", "Time of one batch.", buckets=_LATENCY, registry=self.registry)
        self.queue = Gauge("zhuti_queue_depth", "Documents that wait for the tagger or are with it.", registry=self.registry)
        self.active = Gauge("zhuti_active_requests", "Tagging requests at work or waiting.", registry=self.registry)
        self.model = Gauge("zhuti_model_info", "The model that tags.", (*_MODEL, "taxonomy"), registry=self.registry)

    def count(self, units: Sequence[TaggedUnit], labels: tuple[str, str]) -> None:
        """:param labels: name and revision of the model."""
        self.sentences.labels(*labels).inc(len(units))
        self.uncertain.labels(*labels).inc(sum(unit.uncertain for unit in units))
        themes = [unit.primary.partition(".")[0] for unit in units]
        self.boilerplate.labels(*labels).inc(
            sum(unit.role == "boilerplate" or theme == "none" for unit, theme in zip(units, themes, strict=True))
        )
        for theme in themes:
            self.themes.labels(*labels, theme).inc()

    def render(self) -> bytes:
        """:return: the text form of all figures."""
        return generate_latest(self.registry)
