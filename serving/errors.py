"""The one shape of every error: ``{"error": {"code", "message", "detail", "request_id"}}``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

CODES = {
    400: "bad_request",
    401: "unauthorized",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
    422: "invalid_request",
    429: "over_capacity",
    500: "internal",
    503: "not_ready",
    504: "deadline_exceeded",
}
RETRY_SOON = {"Retry-After": "2"}  # seconds; of a 503


class ServiceError(Exception):
    """Raised anywhere in the service; answered in the one shape.

    :param status: HTTP status, which fixes the code.
    :param message: one sentence: what was found, where, what is accepted. Never a caller's text.
    :param detail: further plain values, such as the fields that do not fit.
    """

    def __init__(self, status: int, message: str, detail: Any = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.detail = detail
        self.headers = dict(headers or {})


def error_fields(status: int, message: str, detail: Any, request_id: str) -> dict[str, Any]:
    """:return: what stands under ``error``."""
    return {"code": CODES.get(status, "internal"), "message": message, "detail": detail, "request_id": request_id}


def error_response(scope: Scope, error: Exception) -> Response:
    """:return: the answer to any exception; what is neither a :class:`ServiceError` nor HTTP's own is a 500 that tells nothing."""
    if isinstance(error, HTTPException):
        path, method = scope["path"], scope["method"]
        message = {
            404: f"there is nothing at {path}; /openapi.json lists the paths",
            405: f"{path} does not answer {method}; see the Allow header",
        }.get(error.status_code, str(error.detail))
        error = ServiceError(error.status_code, message, headers=error.headers)
    elif not isinstance(error, ServiceError):
        error = ServiceError(500, "the service failed on this request; its log has the request id")
    fields = error_fields(error.status, error.message, error.detail, scope["state"]["request_id"])
    body = json.dumps({"error": fields}, ensure_ascii=False).encode("utf-8", "replace")
    return Response(body, error.status, error.headers, "application/json")


async def handle(request: Request, error: Exception) -> Response:
    """Starlette's exception handler."""
    return error_response(request.scope, error)
