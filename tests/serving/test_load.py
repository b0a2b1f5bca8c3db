"""Many clients at once: batches are shared, answers are not."""

from __future__ import annotations

import json
import random
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.conftest import ROOT
from tests.serving.process import PATIENCE, Served
from zhuti.tagger import Tagger
from zhuti.text import single_unit, split

CLIENTS = 30
SECONDS = 60.0


def test_every_client_gets_its_own_answers(server: Served, tagger: Tagger) -> None:
    """Each client sends its own draw of sentences, in both ways, and compares every score with the tagger's own."""
    texts = [json.loads(line)["text"] for line in (ROOT / "data" / "sentences.jsonl").read_text(encoding="utf-8").splitlines()]
    texts = sorted({text for text in texts if [unit.text for unit in split(text)] == [text]})
    scores, _ = tagger.probabilities([[single_unit(text)] for text in texts])
    expected = {text: dict(zip(tagger.taxonomy.codes, map(float, row), strict=True)) for text, row in zip(texts, scores, strict=True)}
    before = server.figures()
    until = time.monotonic() + SECONDS

    def ask(number: int) -> int:
        """:return: how many answers this client has checked."""
        rng, checked = random.Random(number), 0
        with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
            while time.monotonic() < until or not checked:
                own = rng.sample(texts, rng.randint(1, 12))
                if rng.random() < 0.5:
                    answer = client.post("/tag_sentences", json={"sentences": own, "top_k": 32})
                    units = [result["unit"] for result in answer.json()["results"]]
                else:
                    answer = client.post("/tag", json={"text": "\n".join(own), "context": False, "top_k": 32})
                    units = answer.json()["units"]
                assert [unit["text"] for unit in units] == own
                for unit in units:
                    assert {theme["code"]: theme["score"] for theme in unit["themes"]} == pytest.approx(expected[unit["text"]], abs=0.01)
                checked += 1
        return checked

    with ThreadPoolExecutor(CLIENTS) as pool:
        assert min(pool.map(ask, range(CLIENTS))) >= 1
    after = server.figures()
    documents, batches = (after[name] - before[name] for name in ("zhuti_batch_documents_sum", "zhuti_batch_documents_count"))
    assert documents > 1.5 * batches
