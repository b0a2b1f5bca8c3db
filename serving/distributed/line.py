"""What goes from process to process: a number and a parcel, whose content may be the error that a user is to be told.

Ray hands on an exception as the text of its traceback; as a value it arrives as what it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypedDict

from zhuti.errors import ZhutiError


@dataclass(frozen=True, slots=True)
class Parcel:
    """Something that Ray carries as it is; without a parcel it would make Arrow columns of lists and dicts."""

    content: Any


class Line(TypedDict):
    """A row of Ray's: the parcel's content is of the class that its sender names."""

    number: int
    parcel: Parcel


TOLD = (ZhutiError, OSError)  # what a user can do something about; anything else is a fault of the program and stops Ray


def pack(number: int, content: Any) -> Line:
    return {"number": number, "parcel": Parcel(content)}


def unpack(line: Line) -> Any:
    """:raises ZhutiError, OSError: those of the process that the line comes from."""
    content = line["parcel"].content
    if isinstance(content, TOLD):
        raise content
    return content
