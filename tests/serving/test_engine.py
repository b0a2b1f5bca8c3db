"""The engine in this process, with a tagger that fails on one text."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from serving.engine import Engine
from serving.errors import ServiceError
from serving.metrics import Metrics
from serving.schemas import SentencesRequest
from serving.sentences import tag_items
from serving.settings import Settings
from tests.conftest import EXAMPLE, SHIPPED
from tests.serving.process import PATIENCE
from zhuti.options import Options
from zhuti.result import TaggedUnit
from zhuti.tagger import Tagger
from zhuti.text import Unit, single_unit, split


class Fragile(Tagger):
    """Fails on texts with 毒, ends its thread on 断线; counts its runs, which must all be in one thread; waits at its gate."""

    gate: threading.Event
    reached: threading.Event
    sizes: list[int]
    threads: set[str]

    def close_gate(self) -> None:
        """Hold the next run until the gate is set; forget the runs before."""
        self.gate.clear()
        self.reached.clear()
        self.sizes.clear()

    async def at_gate(self) -> None:
        """Wait until a run stands at the gate: what comes now is not in its batch."""
        assert await asyncio.to_thread(self.reached.wait, PATIENCE)

    def probabilities(self, documents: Sequence[Sequence[Unit]]) -> tuple[Any, Any]:
        self.reached.set()
        assert self.gate.wait(PATIENCE)
        self.sizes.append(len(documents))
        self.threads.add(threading.current_thread().name)
        if any("毒" in unit.text for document in documents for unit in document):
            raise RuntimeError("poisoned")
        if any("断线" in unit.text for document in documents for unit in document):
            raise SystemExit
        return super().probabilities(documents)


def fragile() -> Fragile:
    tagger = Fragile.load(SHIPPED)
    assert isinstance(tagger, Fragile)
    tagger.gate, tagger.reached, tagger.sizes, tagger.threads = threading.Event(), threading.Event(), [], set()
    tagger.gate.set()
    return tagger


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """Run it in a thread of its own: the tests in a browser keep an event loop in the main one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, scenario).result()


@asynccontextmanager
async def running(load: Callable[[], Tagger], metrics: Metrics | None = None) -> AsyncIterator[Engine]:
    engine = Engine(load, metrics or Metrics(), batch_units=16)
    engine.start()
    while engine.state == "loading":
        await asyncio.sleep(0.01)
    yield engine
    engine.stop()
    assert not engine.alive


def test_what_waits_is_tagged_together_and_only_the_one_at_fault_fails() -> None:
    async def scenario() -> None:
        tagger, metrics = fragile(), Metrics()
        async with running(lambda: tagger, metrics) as engine:
            tagger.close_gate()
            texts = ["先来的。", *("毒。" if n == 5 else f"调整干部{n}人。" for n in range(20))]
            tasks = [asyncio.ensure_future(engine.tag([single_unit(texts[0])], Options()))]
            await tagger.at_gate()
            tasks += [asyncio.ensure_future(engine.tag([single_unit(text)], Options())) for text in texts[1:]]
            await asyncio.sleep(0)  # each has put its document before the engine
            assert "zhuti_queue_depth 21.0" in metrics.render().decode()
            tasks[10].cancel()
            await asyncio.wait([tasks[10]])
            tagger.gate.set()
            answers = await asyncio.gather(*tasks, return_exceptions=True)
            assert "zhuti_queue_depth 0.0" in metrics.render().decode()
        for number, (text, given) in enumerate(zip(texts, answers, strict=True)):
            if number == 10:
                assert isinstance(given, asyncio.CancelledError)
            elif text == "毒。":
                assert isinstance(given, ServiceError)
                assert given.status == 500
            else:
                assert isinstance(given, list)
                assert [unit.text for unit in given] == [text]
        # The first alone, then sixteen of the other nineteen, which fail and are tried one by one, then the rest.
        assert tagger.sizes == [1, 16, *[1] * 16, 3]
        assert tagger.threads == {"tagger"}

    run(scenario())


def test_clients_that_ask_again_at_once_are_tagged_all_together() -> None:
    """Not in two halves, each of which waits for the other: seven rounds are some eight batches, not fourteen."""

    class Slow(Fragile):
        def probabilities(self, documents: Sequence[Sequence[Unit]]) -> tuple[Any, Any]:
            time.sleep(0.4)
            return super().probabilities(documents)

    async def client(engine: Engine, name: str) -> None:
        for number in range(7):
            await engine.tag([single_unit(f"{name}街道调整干部{number}人。")], Options())

    async def scenario() -> None:
        tagger = fragile()
        tagger.__class__ = Slow
        async with running(lambda: tagger) as engine:
            tagger.close_gate()
            early = asyncio.gather(*(client(engine, name) for name in "甲乙丙"))
            await tagger.at_gate()
            late = asyncio.gather(*(client(engine, name) for name in "丁戊己"))
            tagger.gate.set()
            await asyncio.gather(early, late)
        assert sum(tagger.sizes) == 42
        assert len(tagger.sizes) <= 10

    run(scenario())


def test_a_sentence_the_tagger_fails_on_does_not_take_its_document_along() -> None:
    async def scenario() -> None:
        tagger = fragile()
        sentences = ["调整干部1人。", "毒。", "调整干部2人。", "引进人才。"]
        body = SentencesRequest(sentences=sentences, documents=["a", "a", "a", "b"])
        async with running(lambda: tagger) as engine:
            results = await tag_items(body, engine, Settings(), "id")
        assert [result.get("error", {}).get("code") for result in results] == [None, "internal", None, None]
        assert [result["unit"]["text"] for result in results if "unit" in result] == [text for text in sentences if text != "毒。"]
        [[first, last], [lone]] = tagger.tag_sentences([["调整干部1人。", "调整干部2人。"], ["引进人才。"]])
        for unit, result in zip((first, last, lone), (results[0], results[2], results[3]), strict=True):
            scores = [theme["score"] for theme in result["unit"]["themes"]]
            assert scores == pytest.approx([theme.score for theme in unit.themes], abs=1e-3)

    run(scenario())


def test_batches_of_mixed_options_give_each_its_own() -> None:
    async def scenario() -> None:
        tagger = fragile()
        units = [single_unit("人才工作"), single_unit("引进一批。")]
        choices = [Options(), Options(level="theme", top_k=2), Options(context=False, min_score=0.01), Options(explain=2)]
        async with running(lambda: tagger) as engine:
            tagger.close_gate()
            blocker = asyncio.ensure_future(engine.tag([single_unit("先来的。")], Options()))
            await tagger.at_gate()
            tasks = [asyncio.ensure_future(engine.tag(units, options)) for options in choices]
            await asyncio.sleep(0)
            tagger.gate.set()
            await blocker
            together = await asyncio.gather(*tasks)
            assert tagger.sizes == [1, 5]  # the blocker, then 1 + 1 + 2 lone units + 1 documents
            for options, given in zip(choices, together, strict=True):
                alone = await engine.tag(units, options)
                assert [[theme.code for theme in unit.themes] for unit in given] == [
                    [theme.code for theme in unit.themes] for unit in alone
                ]
                scores = np.array([theme.score for unit in given for theme in unit.themes])
                assert scores == pytest.approx(np.array([theme.score for unit in alone for theme in unit.themes]), abs=1e-3)
                assert [len(unit.evidence) for unit in given] == [options.explain] * 2

    run(scenario())


def test_a_long_document_leaves_room_and_is_tagged_as_in_one_piece() -> None:
    async def scenario() -> None:
        tagger = fragile()
        report = split(EXAMPLE.read_text(encoding="utf-8"))
        assert len(report) > 5 * 16
        order = []

        async def ask(name: str, units: list[Unit]) -> list[TaggedUnit]:
            answer = await engine.tag(units, Options(top_k=32, explain=2))
            order.append(name)
            return answer

        async with running(lambda: tagger) as engine:
            tagger.close_gate()
            long = asyncio.ensure_future(ask("long", report))
            await tagger.at_gate()
            short = asyncio.ensure_future(ask("short", [single_unit("举办干部培训班。")]))
            await asyncio.sleep(0)
            tagger.gate.set()
            windowed, _ = await asyncio.gather(long, short)
            tagger.close_gate()
            given_up = asyncio.ensure_future(ask("given up", report))
            await tagger.at_gate()
            given_up.cancel()
            await asyncio.wait([given_up])
            tagger.gate.set()
            await ask("last", [single_unit("举办干部培训班。")])
        assert order == ["short", "long", "last"]
        assert tagger.sizes == [1, 1]  # the first window of what was given up, then the last
        whole = tagger.present(report, *tagger.probabilities([report]), Options(top_k=32, explain=2))
        for one, other in zip(windowed, whole, strict=True):
            assert (one.index, one.text) == (other.index, other.text)
            similarities = [[near.similarity for near in unit.evidence] for unit in (one, other)]
            assert similarities[0] == pytest.approx(similarities[1], abs=2e-3)
            scores = [{theme.code: theme.score for theme in unit.themes} for unit in (one, other)]
            assert scores[0] == pytest.approx(scores[1], abs=2e-3)

    run(scenario())


def test_a_model_that_cannot_be_loaded_is_told() -> None:
    async def scenario() -> None:
        async with running(lambda: Tagger.load("no-such-model")) as engine:
            with pytest.raises(ServiceError, match="unknown model 'no-such-model'") as caught:
                await engine.tag([single_unit("甲。")], Options())
            assert (caught.value.status, caught.value.detail) == (503, {"state": "failed"})

    run(scenario())
