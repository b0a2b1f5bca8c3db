"""Limits that hold before a request is understood: how many at once, how long, how large."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.errors import ServiceError
from serving.metrics import Metrics

OFFLINE = "tag larger ones offline: zhuti tag FILE"


class LimitMiddleware:
    """Guards the tagging paths; everything else passes.

    :param max_bytes: for each guarded path, the largest body.
    :param max_concurrent: requests at once; the next is answered 429.
    :param deadline: seconds from a request's first byte to its answer's first, and from there to its last.
    """

    def __init__(self, app: ASGIApp, max_bytes: Mapping[str, int], max_concurrent: int, deadline: float, metrics: Metrics) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._max_concurrent = max_concurrent
        self._deadline = deadline
        self._active = 0
        metrics.active.set_function(lambda: self._active)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in self._max_bytes:
            await self._app(scope, receive, send)
            return
        limit = self._max_bytes[scope["path"]]
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and int(declared) > limit:
            raise _too_large(limit)
        if self._active >= self._max_concurrent:
            raise ServiceError(429, f"{self._active} requests are at work already; try again", headers={"Retry-After": "1"})
        self._active += 1
        try:
            await self._while_awaited(scope, _bounded(receive, limit), send)
        finally:
            self._active -= 1

    async def _while_awaited(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application until it has answered, its time is up, or its client has left: for nobody there need be no work."""
        whole, left = asyncio.Event(), asyncio.Event()

        async def hear() -> Message:
            message = await receive()
            if not message.get("more_body", False):
                whole.set()
            return message

        async def notice_leaving() -> None:
            await whole.wait()
            await receive()  # all that can come after the body is that the client has left
            left.set()
            if not timeout.expired():
                timeout.reschedule(0)

        async def send_once_more_timed(message: Message) -> None:
            if message["type"] == "http.response.start":  # its reader has as long again, and no longer: it holds a place
                timeout.reschedule(asyncio.get_running_loop().time() + self._deadline)
            await send(message)

        try:
            async with asyncio.timeout(self._deadline) as timeout:
                noticing = asyncio.ensure_future(notice_leaving())
                try:
                    await self._app(scope, hear, send_once_more_timed)
                finally:
                    noticing.cancel()
        except TimeoutError:
            if left.is_set():
                raise ClientDisconnect from None
            raise ServiceError(504, f"the answer took longer than {self._deadline:g} s; send less text or {OFFLINE}") from None


def _bounded(receive: Receive, limit: int) -> Receive:
    """As ``receive``; stops a body without Content-Length at the limit."""
    total = 0

    async def bounded() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > limit:
            raise _too_large(limit)
        return message

    return bounded


def _too_large(limit: int) -> ServiceError:
    return ServiceError(413, f"the body is larger than {limit:,} bytes; {OFFLINE}", {"limit_bytes": limit})
