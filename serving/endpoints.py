"""The endpoints: each reads its request, asks the engine, and writes its answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from serving.engine import Engine
from serving.entries import check_entries
from serving.errors import RETRY_SOON, ServiceError
from serving.limits import OFFLINE
from serving.metrics import Metrics
from serving.reading import read_json, read_upload
from serving.schemas import SentencesRequest, TagRequest
from serving.sentences import tag_items
from serving.settings import Settings
from zhuti.options import Options
from zhuti.result import TaggedUnit
from zhuti.text import split

# So much takes less time than handing it to a thread and back.
_SPLIT_HERE = 2_000  # characters
_WRITE_HERE = 50  # units


class Endpoints:
    """Handlers over one engine."""

    def __init__(self, engine: Engine, settings: Settings, metrics: Metrics) -> None:
        self._engine = engine
        self._settings = settings
        self._metrics = metrics

    async def tag(self, request: Request) -> Response:
        """POST /tag"""
        body = await read_json(request, TagRequest)
        units = await self._tag_text(body.text, body.options())
        return await answer_long({"model": self._engine.tagger.artifact.name}, "units", units)

    async def tag_file(self, request: Request) -> Response:
        """POST /tag_file"""
        text, options = await read_upload(request, self._settings)
        units = await self._tag_text(text, options.options())
        return await answer_long({"model": self._engine.tagger.artifact.name, "text": text}, "units", units)

    async def tag_sentences(self, request: Request) -> Response:
        """POST /tag_sentences"""
        body = await read_json(request, SentencesRequest)
        results = await tag_items(body, self._engine, self._settings, request.state.request_id)
        failed = sum("error" in result for result in results)
        return await answer_long({"model": self._engine.tagger.artifact.name, "failed": failed}, "results", results)

    async def _tag_text(self, text: str, options: Options) -> list[TaggedUnit]:
        limit = self._settings.max_characters
        if len(text) > limit:
            raise ServiceError(413, f"the text has {len(text):,} characters; at most {limit:,} are tagged here; {OFFLINE}")
        units = split(text) if len(text) <= _SPLIT_HERE else await asyncio.to_thread(split, text)
        if len(units) > self._settings.max_units:
            raise ServiceError(
                413, f"the text has {len(units):,} sentences; at most {self._settings.max_units:,} are tagged here; {OFFLINE}"
            )
        check_entries(len(units), options, self._engine.tagger.taxonomy, self._settings.max_entries)
        return await self._engine.tag(units, options)

    async def taxonomy(self, _: Request) -> Response:
        """GET /taxonomy"""
        taxonomy = self._engine.tagger.taxonomy
        themes = [
            {
                "code": theme.code, "zh": theme.zh, "en": theme.en,
                "leaves": [
                    {"code": leaf.code, "zh": leaf.zh, "en": leaf.en, "include": leaf.include, "exclude": leaf.exclude}
                    for leaf in theme.leaves
                ],
            }
            for theme in taxonomy.themes
        ]  # fmt: skip
        return answer({"version": taxonomy.version, "themes": themes})

    async def model(self, _: Request) -> Response:
        """GET /model"""
        artifact = self._engine.tagger.artifact
        card = artifact.path / "README.md"
        text = card.read_text(encoding="utf-8") if card.is_file() else ""
        return answer(artifact.manifest | {"revision": self._engine.revision, "card": text})

    async def livez(self, _: Request) -> Response:
        """GET /livez: the process answers and its tagging thread lives."""
        if self._engine.state == "dead":
            raise ServiceError(503, self._engine.reason, headers=RETRY_SOON)
        return answer({"status": "alive"})

    async def readyz(self, _: Request) -> Response:
        """GET /readyz: 503 with the reason until the model can be used."""
        return answer({"status": "ready", "model": self._engine.tagger.artifact.name})

    async def metrics(self, _: Request) -> Response:
        """GET /metrics"""
        return Response(self._metrics.render(), media_type="text/plain; version=0.0.4")


def answer(fields: dict[str, Any]) -> Response:
    """:return: JSON as it reads, not escaped."""
    return Response(_json(fields).encode("utf-8"), media_type="application/json")


async def answer_long(fields: dict[str, Any], name: str, items: Sequence[TaggedUnit | dict[str, Any]]) -> Response:
    """:return: as :func:`answer`, with a list that may be long under ``name``."""

    def write() -> bytes:
        # Item by item, since json lets no other thread run while it writes.
        rows = ", ".join(_json(item if isinstance(item, dict) else item.as_dict()) for item in items)
        return f'{_json(fields)[:-1]}, "{name}": [{rows}]}}'.encode()

    return Response(write() if len(items) <= _WRITE_HERE else await asyncio.to_thread(write), media_type="application/json")


def _json(fields: dict[str, Any]) -> str:
    return json.dumps(fields, ensure_ascii=False)
