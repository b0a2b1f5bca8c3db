"""What goes in and out of the HTTP service."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

MAX_CHARACTERS = 200_000


class TagRequest(BaseModel):
    """A report to tag."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(
        min_length=1, max_length=MAX_CHARACTERS, description="The report as it is; offsets in the answer are those of this text."
    )
    explain: int = Field(default=0, ge=0, le=10, description="How many labelled sentences to give as evidence for each unit.")


class ThemeScore(BaseModel):
    code: str
    parent: str
    score: float


class Evidence(BaseModel):
    id: str
    text: str
    labels: list[str]
    similarity: float


class TaggedUnit(BaseModel):
    """The result contract; see zhuti.result."""

    index: int
    start: int
    end: int
    text: str
    role: str
    primary: str
    uncertain: bool
    themes: list[ThemeScore]
    evidence: list[Evidence] = []


class TagResponse(BaseModel):
    model: str
    units: list[TaggedUnit]
