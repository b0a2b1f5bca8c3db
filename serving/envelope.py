"""Around every request: its id, security headers, one log line, its metrics, and an answer whatever happens inside."""

from __future__ import annotations

import re
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.errors import ServiceError, error_response
from serving.logs import LOGGER
from serving.metrics import Metrics

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_QUIET = frozenset({"/livez", "/readyz", "/metrics"})
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class EnvelopeMiddleware:
    """The outermost layer.

    :param routes: paths of the API; others are counted together, so that no caller's words become labels or logs.
    """

    def __init__(self, app: ASGIApp, routes: frozenset[str], metrics: Metrics) -> None:
        self._app = app
        self._routes = routes
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        trace = _TRACEPARENT.fullmatch(headers.get("traceparent", ""))
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0

        async def send_sealed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                sealed = MutableHeaders(scope=message)
                sealed["X-Request-ID"] = request_id
                if trace:
                    sealed["traceparent"] = trace.group()
                for name, value in SECURITY_HEADERS.items():
                    sealed[name] = value
                sealed.setdefault("Cache-Control", "no-store" if scope["path"] in self._routes else "no-cache")
            await send(message)

        try:
            if _CONTROL.search(scope["path"]):  # a route's pattern also matches before a last line feed; the layers below compare paths
                raise ServiceError(404, "there is nothing at a path with control characters; /openapi.json lists the paths")
            await self._app(scope, receive, send_sealed)
        except ClientDisconnect:
            if not status:  # nobody reads it, but BentoML holds a request for unfinished, and does not end, until there is an answer
                await Response(status_code=499)(scope, receive, send_sealed)  # as nginx counts who left before there was one
        except Exception as error:
            if not isinstance(error, ServiceError):
                LOGGER.error("a request failed", exc_info=error, extra={"fields": {"request_id": request_id}})
            if not status:
                await error_response(scope, error)(scope, receive, send_sealed)
        finally:
            route = scope["path"] if scope["path"] in self._routes else "other"
            method = scope["method"] if scope["method"] in _METHODS else "other"
            seconds = time.perf_counter() - started
            self._metrics.requests.labels(route, method, str(status)).inc()
            self._metrics.latency.labels(route).observe(seconds)
            if route not in _QUIET or status >= 400:
                fields = {
                    "request_id": request_id, "trace_id": trace.group(1) if trace else None, "method": method, "route": route,
                    "status": status, "milliseconds": round(1000 * seconds, 1),
                }  # fmt: skip
                LOGGER.info("request", extra={"fields": fields})
