"""What goes from process to process: a number and something pickled, or the error that a user is to be told.

Ray hands on an exception as the text of its traceback; as a value it arrives as what it is.
"""

from __future__ import annotations

import pickle
from typing import Any, TypedDict

from zhuti.errors import ZhutiError


class Line(TypedDict):
    """A row of Ray's: ``body`` is of the class that its sender names."""

    number: int
    body: bytes


TOLD = (ZhutiError, OSError)  # what a user can do something about; anything else is a fault of the program and stops Ray


def pack(number: int, body: Any) -> Line:
    return {"number": number, "body": pickle.dumps(body, protocol=5)}


def unpack(line: Line) -> Any:
    """:raises ZhutiError, OSError: those of the process that the line comes from."""
    body = pickle.loads(line["body"])
    if isinstance(body, TOLD):
        raise body
    return body
