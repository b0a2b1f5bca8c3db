"""The HTTP service: BentoML builds, starts, supervises and stops it; the application in ``app.py`` answers.

Run it with ``make serve`` or ``zhuti serve``. BentoML's own endpoints know neither limits nor one shape of errors, so
the application stands before them and answers every request.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import TYPE_CHECKING

os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")

import bentoml
from starlette.types import ASGIApp, Receive, Scope, Send

from serving import logs

if TYPE_CHECKING:
    from serving.app import Application

logs.configure()


@cache
def application() -> Application:
    """:return: this process's application; the first call begins to load the model."""
    from serving.app import Application
    from serving.settings import Settings

    one = Application(Settings.from_environment())
    one.engine.start()
    return one


if bentoml.server_context.worker_index is not None:
    application()  # in the worker, while BentoML goes on starting; the supervisor and the builder read only the class below


class Front:
    """Hands requests to the application; start and stop go on to BentoML."""

    def __init__(self, app: ASGIApp) -> None:
        self._bentoml = app
        self._asgi = application().asgi

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self._asgi if scope["type"] == "http" else self._bentoml)(scope, receive, send)


@bentoml.service(
    name="zhuti",
    workers=1,  # one tagger uses all cores
    traffic={"timeout": 3600},  # the application's own deadline is shorter
    metrics={"enabled": False},
    tracing={"excluded_urls": "."},  # all: spans that go nowhere would cost a millisecond a request
    logging={"access": {"enabled": False}},
    envs=[{"name": "BENTOML_DO_NOT_TRACK", "value": "True"}],  # in an image: its command decides on telemetry before it reads this file
)
class Zhuti:
    """Theme tagging of Chinese reports; ``/openapi.json`` describes it."""

    @bentoml.on_deployment  # type: ignore[untyped-decorator]
    @staticmethod
    def check() -> None:
        """Called once before the worker, which would be started again and again. A setting that does not fit ends the start."""
        from serving.settings import Settings, SettingsError

        try:
            Settings.from_environment()
        except SettingsError as error:
            sys.exit(f"zhuti: {error}")

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    def stop(self) -> None:
        """Called when the last request is answered."""
        application().engine.stop()


Zhuti.add_asgi_middleware(Front)  # type: ignore[attr-defined]
