"""The ASGI application: routes, layers and the page."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from serving.auth import PROTECTED, KeyMiddleware
from serving.endpoints import Endpoints, answer
from serving.engine import Engine
from serving.envelope import EnvelopeMiddleware
from serving.errors import ServiceError, handle
from serving.limits import LimitMiddleware
from serving.metrics import Metrics
from serving.openapi import describe
from serving.settings import Settings
from zhuti.tagger import Tagger

PAGE = Path(__file__).resolve().parent / "page"


class Application:
    """The engine with the ASGI app around it. :param settings: see :class:`Settings`."""

    def __init__(self, settings: Settings) -> None:
        metrics = Metrics()
        self.engine = Engine(lambda: Tagger.load(settings.model), metrics, settings.batch_units)
        endpoints = Endpoints(self.engine, settings, metrics)
        routes = [
            Route("/tag", endpoints.tag, methods=["POST"]),
            Route("/tag_sentences", endpoints.tag_sentences, methods=["POST"]),
            Route("/tag_file", endpoints.tag_file, methods=["POST"]),
            Route("/taxonomy", endpoints.taxonomy),
            Route("/model", endpoints.model),
            Route("/livez", endpoints.livez),
            Route("/readyz", endpoints.readyz),
            Route("/openapi.json", _openapi),
        ]
        if settings.metrics != "off":
            routes.append(Route("/metrics", endpoints.metrics))
        paths = frozenset(route.path for route in routes)
        self.asgi = Starlette(
            routes=routes,
            middleware=_layers(settings, metrics, paths),
            exception_handlers={HTTPException: handle, ServiceError: handle},
        )
        self.asgi.router.redirect_slashes = False
        if PAGE.is_dir():
            self.asgi.router.default = Page(directory=PAGE, html=True)


class Page(StaticFiles):
    """Files of the page; another method on one is answered 405 with the methods there are, on nothing 404."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        if scope["method"] in ("GET", "HEAD"):
            return await super().get_response(path, scope)
        await super().get_response(path, {**scope, "method": "HEAD"})  # raises 404 where there is no file
        raise HTTPException(405, headers={"Allow": "GET, HEAD"})


class Cors(CORSMiddleware):
    """A refused preflight, too, is answered in the one shape of errors."""

    def preflight_response(self, request_headers: Headers) -> Response:
        answer = super().preflight_response(request_headers)
        if answer.status_code < 400:
            return answer
        del answer.headers["content-type"], answer.headers["content-length"]
        raise ServiceError(400, f"the preflight is refused: {bytes(answer.body).decode()}", headers=answer.headers)


def _layers(settings: Settings, metrics: Metrics, paths: frozenset[str]) -> list[Middleware]:
    """Outermost first."""
    layers = [Middleware(EnvelopeMiddleware, routes=paths, metrics=metrics)]
    if settings.cors_origins:
        layers.append(
            Middleware(
                Cors,
                allow_origins=settings.cors_origins,
                allow_methods=["GET", "POST"],
                allow_headers=["Authorization", "Content-Type", "X-Request-ID", "traceparent"],
                expose_headers=["X-Request-ID", "Retry-After"],
            )
        )
    layers.append(Middleware(ExceptionMiddleware, handlers={ServiceError: handle}))  # so that a page of another origin can read errors too
    if settings.api_keys:
        protected = PROTECTED | ({"/metrics"} if settings.metrics == "key" else set())
        layers.append(Middleware(KeyMiddleware, keys=settings.api_keys, paths=protected))
    max_bytes = {"/tag": settings.max_json_bytes, "/tag_sentences": settings.max_json_bytes, "/tag_file": settings.max_file_bytes}
    layers.append(
        Middleware(
            LimitMiddleware, max_bytes=max_bytes, max_concurrent=settings.max_concurrent, deadline=settings.deadline, metrics=metrics
        )
    )
    return layers


async def _openapi(_: Request) -> Response:
    return answer(describe())
