"""What a request carries: a JSON body or an uploaded file, checked; whatever does not fit is told by status and field."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile
from starlette.requests import Request

from serving.errors import ServiceError
from serving.limits import OFFLINE
from serving.schemas import TagOptions
from serving.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
Body = TypeVar("Body", bound=BaseModel)
_FIELD = 60  # characters of a field's name that are repeated: an unknown one is the caller's own text
_PROBLEMS = 20  # fields whose problems are told
_READERS = asyncio.Semaphore(2)


async def read_json(request: Request, model: type[Body]) -> Body:
    """:raises ServiceError: 415 for another media type, 400 for what is not JSON, 422 for fields that do not fit."""
    _check_media_type(request, "application/json")
    try:
        data = json.loads((await request.body()).decode("utf-8-sig"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise ServiceError(400, f"the body is not UTF-8: byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise ServiceError(400, f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except (ValueError, RecursionError):
        raise ServiceError(400, "the body is not JSON that is read here: a number out of range, or nested too deep") from None
    return validate(model, data, strict=True)


async def read_upload(request: Request, settings: Settings) -> tuple[str, TagOptions]:
    """:return: the text of the file in the field ``file``, and the options in the other fields. :raises ServiceError: see the statuses."""
    _check_media_type(request, "multipart/form-data")
    async with request.form(max_files=1, max_fields=8) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise ServiceError(422, "the form needs a file in the field 'file'", [{"field": "file", "problem": "missing"}])
        options = validate(TagOptions, {name: value for name, value in form.items() if name != "file"}, strict=False)
        return await _read_apart(file, settings), options


async def _read_apart(file: UploadFile, settings: Settings) -> str:
    """Read a file in a process of its own, which dies with this request."""
    name = re.sub(r"[^\w.()（）《》 -]", "_", Path(file.filename or "").name)[-100:].lstrip("-") or "file"
    async with _READERS:
        data = await file.read()  # only now: files that wait stay on disk
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "serving.reader", name, str(settings.max_pages), str(settings.max_characters),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, cwd=ROOT,
        )  # fmt: skip
        try:
            output, _ = await process.communicate(data)
        finally:
            if process.returncode is None:
                process.kill()
    try:
        answer = json.loads(output)
    except ValueError:
        if process.returncode is None or process.returncode >= 0:
            raise RuntimeError(f"the file reader ended with {process.returncode} and no answer") from None
        raise ServiceError(413, f"{name}: needs too much time or memory to be read; {OFFLINE}") from None
    if "text" in answer:
        return str(answer["text"])
    status = int(answer["status"])
    raise ServiceError(status, answer["message"] + (f"; {OFFLINE}" if status == 413 else ""))


def validate(model: type[Body], data: Any, *, strict: bool) -> Body:
    """:raises ServiceError: 422 with every field that does not fit; what the caller sent is not repeated."""
    if isinstance(data, dict):  # of unknown fields, each of which is a problem, a body can hold hundreds of thousands
        known = {name: value for name, value in data.items() if name in model.model_fields}
        unknown = (item for item in data.items() if item[0] not in model.model_fields)
        data = known | dict(islice(unknown, _PROBLEMS))
    try:
        return model.model_validate(data, strict=strict)
    except ValidationError as error:
        detail = [
            {"field": ".".join(map(str, problem["loc"]))[:_FIELD] or "(body)", "problem": problem["msg"]}
            for problem in error.errors(include_input=False, include_context=False, include_url=False)[:_PROBLEMS]
        ]
        raise ServiceError(422, f"{detail[0]['field']}: {detail[0]['problem']}", detail) from None


def _check_media_type(request: Request, expected: str) -> None:
    found, *parameters = [part.strip().lower() for part in request.headers.get("content-type", "").split(";")]
    if found != expected:
        raise ServiceError(415, f"the body must be {expected}; found {'another type' if found else 'no Content-Type'}")
    charsets = [value.strip("\"'") for name, _, value in (part.partition("=") for part in parameters) if name.strip() == "charset"]
    if any(charset.strip() not in ("utf-8", "utf8") for charset in charsets):
        raise ServiceError(415, f"{expected} is read in UTF-8 only")
    if request.headers.get("content-encoding", "identity").strip().lower() not in ("identity", ""):
        raise ServiceError(415, "compressed bodies are not read; send the body as it is")


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError
