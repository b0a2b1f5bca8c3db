"""A sentence that the tagger fails on, in a large document."""

from __future__ import annotations

from serving.schemas import SentencesRequest
from serving.sentences import tag_items
from serving.settings import Settings
from tests.serving.test_engine import fragile, run, running

COUNT = 400


def test_the_sentences_of_a_large_document_are_tried_together_when_one_is_at_fault() -> None:
    async def scenario() -> None:
        tagger = fragile()
        sentences = [f"调整干部{n}人。" for n in range(COUNT)]
        sentences[250] = "毒。"
        async with running(lambda: tagger) as engine:
            tagger.sizes.clear()
            results = await tag_items(SentencesRequest(sentences=sentences, documents=["a"] * COUNT), engine, Settings(), "id")
        assert [place for place, result in enumerate(results) if "error" in result] == [250]
        assert len(tagger.sizes) < COUNT / 2  # by turns there would be a run for each sentence

    run(scenario())
