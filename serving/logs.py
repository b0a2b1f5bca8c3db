"""Logs as JSON, one object a line. They never hold a caller's text: of an exception only its type and place."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

LOGGER = logging.getLogger("zhuti.service")


class JsonFormatter(logging.Formatter):
    """Time, level, logger and message, then what the record carries as ``fields``."""

    def format(self, record: logging.LogRecord) -> str:
        row: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        row |= getattr(record, "fields", {})
        if record.exc_info and record.exc_info[1] is not None:
            row |= describe(record.exc_info[1])
        return json.dumps(row, ensure_ascii=False, default=str)


def describe(error: BaseException) -> dict[str, object]:
    """:return: type and stack of an exception, without its message, which may quote the text that was sent."""
    frames = traceback.extract_tb(error.__traceback__)
    return {"exception": type(error).__qualname__, "stack": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]}


def configure() -> None:
    """Give every handler that BentoML has set up the JSON form, and send all to standard output; add one where there is none."""
    if not logging.root.handlers:
        logging.root.addHandler(logging.StreamHandler())
    loggers = [logging.root, *(logging.getLogger(name) for name in list(logging.root.manager.loggerDict))]
    for handler in {handler for logger in loggers for handler in logger.handlers}:
        handler.setFormatter(JsonFormatter())
        if type(handler) is logging.StreamHandler:
            handler.setStream(sys.stdout)
    LOGGER.setLevel(logging.INFO)
