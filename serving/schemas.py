"""What goes in and out of the HTTP service; the OpenAPI document is made from these."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, field_validator

from serving.errors import CODES
from zhuti.options import Level, Options


def check_text(text: str) -> str:
    """:raises ValueError: for a lone surrogate, which no encoding can carry."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(f"holds half a character (a lone surrogate) at {error.start}") from None
    return text


class TagOptions(BaseModel):
    """How to tag."""

    model_config = ConfigDict(extra="forbid")

    level: Level = Field("leaf", description="leaf: the 32 leaves; theme: the 11 themes above them, with theme scores.")
    top_k: int | None = Field(None, ge=1, le=32, description="Give the best so many, whatever their thresholds; the primary stands first.")
    min_score: float | None = Field(
        None, ge=0, le=1, description="Give what scores at least this, instead of the model's thresholds; the primary is always given."
    )
    explain: int = Field(0, ge=0, le=10, description="How many labelled sentences to give as evidence for each unit.")
    context: bool = Field(True, description="Whether a unit's heading and neighbours count.")

    def options(self) -> Options:
        """:return: the same for the tagger."""
        return Options(self.level, self.top_k, self.min_score, self.explain, self.context)


class TagRequest(TagOptions):
    """A report to tag."""

    text: str = Field(min_length=1, description="The report as it is; offsets in the answer are those of this text, in code points.")

    _text = field_validator("text")(check_text)


# Items are checked one by one, so that a bad one gets its own error; clients are told what a good one is.
Item = Annotated[Any, WithJsonSchema({"type": "string", "minLength": 1})]


class SentencesRequest(TagOptions):
    """Sentences that are split already."""

    sentences: list[Item] = Field(min_length=1, description="One text an item; it is not split further.")
    # fail_fast: one problem is told, not one for each of a million items
    documents: Annotated[list[str | None], Field(fail_fast=True)] | None = Field(
        None,
        description="For each sentence the document it is from; neighbours with the same id give each other context. "
        "Without it, or with null, a sentence stands alone.",
    )


class ThemeScore(BaseModel):
    """A leaf (or theme) given to a unit; ``score`` is a calibrated probability."""

    code: str
    parent: str
    score: float = Field(ge=0, le=1)


class Evidence(BaseModel):
    """A labelled sentence near the tagged one."""

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
    evidence: list[Evidence] = Field([], description="Only where explain asks for it.")
    chosen: list[str] = Field([], description="Only with top_k or min_score: what the model's thresholds give, the primary first.")


class TagResponse(BaseModel):
    """A tagged report."""

    model: str
    units: list[TaggedUnit]


class FileResponse(TagResponse):
    """A tagged file, with the text that was read from it, which the offsets are of."""

    text: str


class ErrorFields(BaseModel):
    """What went wrong."""

    code: str = Field(json_schema_extra={"enum": list(CODES.values())})
    message: str
    detail: Any = Field(description="Further plain values, such as the fields that do not fit; null where there are none.")
    request_id: str


class ErrorResponse(BaseModel):
    """The shape of every error."""

    error: ErrorFields


class SentenceResult(BaseModel):
    """An item's ``unit``, or its ``error``."""

    index: int
    document: str | None = None
    unit: TaggedUnit | None = None
    error: ErrorFields | None = None


class SentencesResponse(BaseModel):
    """One result an item, in order."""

    model: str
    failed: int = Field(description="How many items have an error.")
    results: list[SentenceResult]


class LeafFields(BaseModel):
    """A leaf with what it takes in and what belongs elsewhere."""

    code: str
    zh: str
    en: str
    include: str
    exclude: str


class ThemeFields(BaseModel):
    """A theme with its leaves."""

    code: str
    zh: str
    en: str
    leaves: list[LeafFields]


class TaxonomyResponse(BaseModel):
    """Themes and leaves in the model's order."""

    version: int
    themes: list[ThemeFields]


class ModelResponse(BaseModel):
    """The model's manifest with its card."""

    model_config = ConfigDict(extra="allow")

    name: str
    kind: str
    revision: str = Field(description="Hash of the manifest, which holds the hashes of all files.")
    figures: dict[str, Any]
    files: dict[str, Any]
    card: str = Field(description="The model card, Markdown.")


class HealthResponse(BaseModel):
    """The process is alive."""

    status: Literal["alive"]


class ReadyResponse(BaseModel):
    """The model can be used."""

    status: Literal["ready"]
    model: str
