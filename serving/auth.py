"""Bearer keys. Probes, the page's own files and the API description stay open; they tell nothing about anybody's text."""

from __future__ import annotations

import hashlib
import hmac

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.errors import ServiceError

PROTECTED = frozenset({"/tag", "/tag_sentences", "/tag_file", "/taxonomy", "/model"})


class KeyMiddleware:
    """Lets a request to a protected path through only with a known key.

    :param keys: accepted keys, at least one.
    :param paths: what is protected.
    """

    def __init__(self, app: ASGIApp, keys: tuple[str, ...], paths: frozenset[str]) -> None:
        self._app = app
        self._digests = [_digest(key) for key in keys]
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in self._paths:
            self._check(Headers(scope=scope).get("authorization", ""))
        await self._app(scope, receive, send)

    def _check(self, header: str) -> None:
        scheme, _, key = header.partition(" ")
        digest = _digest(key.strip())
        known = sum([hmac.compare_digest(digest, other) for other in self._digests])  # every key is compared: constant time
        if scheme.lower() != "bearer" or not known:
            found = "another key" if header else "no Authorization header"
            raise ServiceError(401, f"a key is needed: Authorization: Bearer KEY; found {found}", headers={"WWW-Authenticate": "Bearer"})


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
