"""The OpenAPI 3.1 document, made from the schemas and the examples."""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from serving import schemas
from serving.errors import CODES
from serving.examples import ANSWERS, FIGURES, FORMS, REQUESTS

API_VERSION = "1.0.0"
_ERRORS = {
    400: "The body is not JSON, or not a form, that can be read.",
    401: "A key is needed (only where the service has keys).",
    404: "Nothing is there.",
    405: "The method is not answered here.",
    413: "The body, text, file or list, or the answer asked for (units × (most themes + evidence)), is larger than is given here; "
    "the message names the limit and the offline way.",
    415: "The body or the file is of another type.",
    422: "A field, or the file, does not fit; detail lists the fields.",
    429: "More requests are at work than the service takes; Retry-After says when to try again.",
    500: "The service failed; its log has the request id.",
    503: "The model is not loaded yet, or cannot be used; the message says why.",
    504: "The answer took longer than the deadline.",
}
_RETRY = ("Retry-After", "Seconds after which to try again.", "integer")
_HEADERS = {
    401: ("WWW-Authenticate", "Bearer: how the key is to be sent.", "string"),
    405: ("Allow", "The methods that are answered here.", "string"),
    429: _RETRY,
    503: _RETRY,
}
_TAGGING = (400, 401, 405, 413, 415, 422, 429, 500, 503, 504)
_READING = (401, 405, 500, 503)
_MODELS: tuple[type[BaseModel], ...] = (
    schemas.TagRequest,
    schemas.SentencesRequest,
    schemas.TagOptions,
    schemas.TagResponse,
    schemas.FileResponse,
    schemas.SentencesResponse,
    schemas.TaxonomyResponse,
    schemas.ModelResponse,
    schemas.HealthResponse,
    schemas.ReadyResponse,
    schemas.ErrorResponse,
)


@cache
def describe() -> dict[str, Any]:
    """:return: the document, as plain values."""
    _, definitions = models_json_schema([(model, "validation") for model in _MODELS], ref_template="#/components/schemas/{model}")
    paths = {
        "/tag": {"post": _tagging("tag", "Tag a report", _json("TagRequest", REQUESTS["/tag"]), "TagResponse")},
        "/tag_sentences": {
            "post": _tagging(
                "tag_sentences",
                "Tag sentences that are split already; a bad one gets its own error and never fails the others",
                _json("SentencesRequest", REQUESTS["/tag_sentences"]),
                "SentencesResponse",
            )
        },
        "/tag_file": {"post": _tagging("tag_file", "Tag a file: txt, md, html, docx or pdf", _form(), "FileResponse")},
        "/taxonomy": {"get": _reading("taxonomy", "Themes and leaves with names and definitions", "TaxonomyResponse")},
        "/model": {"get": _reading("model", "The model: card, figures, hashes", "ModelResponse")},
        "/livez": {"get": _open("livez", "Whether the process is alive", "HealthResponse", (405, 500, 503))},
        "/readyz": {"get": _open("readyz", "Whether the model can be used; if not, why", "ReadyResponse", (405, 500, 503))},
        "/openapi.json": {"get": _open("openapi", "This document", None, (405, 500))},
        "/metrics": {
            "get": {
                "operationId": "metrics",
                "summary": "Figures for Prometheus",
                "security": [{}, {"key": []}],
                "responses": {
                    "200": {"description": "Figures.", "content": {"text/plain": {"schema": {"type": "string"}, "example": FIGURES}}}
                }
                | _errors((401, 404, 405, 500)),
            }
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "zhuti",
            "version": API_VERSION,
            "description": "Sentence-level theme tagging of Chinese organisation-work reports. 组织工作报告逐句主题标注。",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "Only where the service has keys."}},
        },
    }


def _tagging(name: str, summary: str, body: dict[str, Any], answer: str) -> dict[str, Any]:
    return _open(name, summary, answer, _TAGGING) | {"requestBody": body, "security": [{}, {"key": []}]}


def _reading(name: str, summary: str, answer: str) -> dict[str, Any]:
    return _open(name, summary, answer, _READING) | {"security": [{}, {"key": []}]}


def _open(name: str, summary: str, answer: str | None, errors: tuple[int, ...]) -> dict[str, Any]:
    content = {"schema": _ref(answer), "example": ANSWERS[answer]} if answer else {"schema": {"type": "object"}}
    request_id = {"description": "The X-Request-ID that was sent, or a new one.", "schema": {"type": "string"}}
    good = {"description": summary + ".", "headers": {"X-Request-ID": request_id}, "content": {"application/json": content}}
    return {"operationId": name, "summary": summary, "responses": {"200": good} | _errors(errors)}


def _errors(statuses: tuple[int, ...]) -> dict[str, Any]:
    return {str(status): _error(status) for status in statuses}


def _error(status: int) -> dict[str, Any]:
    example = {"error": {"code": CODES[status], "message": _ERRORS[status], "detail": None, "request_id": "5f2b"}}
    response: dict[str, Any] = {
        "description": _ERRORS[status],
        "content": {"application/json": {"schema": _ref("ErrorResponse"), "example": example}},
    }
    if status in _HEADERS:
        name, description, kind = _HEADERS[status]
        response["headers"] = {name: {"description": description, "schema": {"type": kind}}}
    return response


def _json(model: str, examples: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": _ref(model), "examples": _named(examples)}}}


def _named(examples: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {name: {"value": value} for name, value in examples.items()}


def _form() -> dict[str, Any]:
    options = schemas.TagOptions.model_json_schema()["properties"]
    # A form has no null: a field that may be left out is left out.
    options = {name: _without_null(field) for name, field in options.items()}
    file = {
        "type": "string",
        "contentMediaType": "application/octet-stream",
        "description": "The file; the ending of its name says its kind.",
    }
    schema = {"type": "object", "properties": {"file": file} | options, "required": ["file"], "additionalProperties": False}
    return {"required": True, "content": {"multipart/form-data": {"schema": schema, "examples": _named(FORMS)}}}


def _without_null(field: dict[str, Any]) -> dict[str, Any]:
    if "anyOf" not in field:
        return field
    rest = {name: value for name, value in field.items() if name not in ("anyOf", "default")}
    kind: dict[str, Any] = next(kind for kind in field["anyOf"] if kind.get("type") != "null")
    return rest | kind


def _ref(model: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model}"}
