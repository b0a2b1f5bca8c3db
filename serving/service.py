"""The HTTP service: BentoML builds, starts, supervises and stops it; the application in ``app.py`` answers.

Run it with ``make serve`` or ``zhuti serve``. BentoML's own endpoints know neither limits nor one shape of errors, so
the application stands before them and answers every request.
"""

from __future__ import annotations

import os

os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")

import bentoml
from starlette.types import ASGIApp, Receive, Scope, Send

from serving import logs
from serving.app import Application
from serving.settings import Settings

logs.configure()
_application = Application(Settings.from_environment())


class Front:
    """Hands requests to the application; start and stop go on to BentoML."""

    def __init__(self, app: ASGIApp) -> None:
        self._bentoml = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (_application.asgi if scope["type"] == "http" else self._bentoml)(scope, receive, send)


@bentoml.service(
    name="zhuti",
    workers=1,  # one tagger uses all cores
    traffic={"timeout": 3600},  # the application's own deadline is shorter
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
)
class Zhuti:
    """Theme tagging of Chinese reports; ``/openapi.json`` describes it."""

    def __init__(self) -> None:
        _application.engine.start()

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    def stop(self) -> None:
        """Called when the last request is answered."""
        _application.engine.stop()


Zhuti.add_asgi_middleware(Front)  # type: ignore[attr-defined]
