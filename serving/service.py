"""The HTTP service (BentoML): ``POST /tag``, ``GET /taxonomy``, ``GET /model``.

Run it with ``make serve`` or ``zhuti serve``; the environment variable ZHUTI_MODEL names the model.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any

os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")

import bentoml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from serving.schemas import TaggedUnit, TagRequest, TagResponse
from zhuti.artifact import DEFAULT, Artifact
from zhuti.tagger import Tagger

MODEL = os.environ.get("ZHUTI_MODEL", DEFAULT)


async def taxonomy(request: Request) -> JSONResponse:
    """Themes and leaves with names and definitions."""
    return JSONResponse(request.app.state.taxonomy)


async def model(request: Request) -> JSONResponse:
    """The manifest: kind, figures, hashes."""
    return JSONResponse(request.app.state.manifest)


def _describe(artifact: Artifact) -> dict[str, Any]:
    themes = []
    for theme in artifact.taxonomy.themes:
        leaves = [asdict(leaf) for leaf in theme.leaves]
        themes.append({"code": theme.code, "zh": theme.zh, "en": theme.en, "leaves": leaves})
    return {"version": artifact.taxonomy.version, "themes": themes}


_pages = Starlette(routes=[Route("/taxonomy", taxonomy), Route("/model", model)])


@bentoml.asgi_app(_pages, path="/")
@bentoml.service(name="zhuti", traffic={"timeout": 60, "max_concurrency": 64})
class Zhuti:
    """One worker holds one tagger; requests are tagged one at a time in its thread."""

    def __init__(self) -> None:
        self._tagger = Tagger.load(MODEL)
        _pages.state.taxonomy = _describe(self._tagger.artifact)
        _pages.state.manifest = self._tagger.artifact.manifest

    @bentoml.api(input_spec=TagRequest, route="/tag")  # type: ignore[untyped-decorator]
    def tag(self, **fields: Any) -> TagResponse:
        """Split a report into units and tag each with its themes."""
        request = TagRequest(**fields)
        units = self._tagger.tag(request.text, explain=request.explain)
        return TagResponse(model=self._tagger.artifact.name, units=[TaggedUnit.model_validate(unit.as_dict()) for unit in units])
