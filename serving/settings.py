"""What can be set from outside: one environment variable, ``ZHUTI_<NAME>``, for each field."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.functional_validators import AfterValidator, BeforeValidator

from zhuti.artifact import DEFAULT
from zhuti.errors import ZhutiError


class SettingsError(ZhutiError):
    """An environment variable is not what it must be."""


def _words(value: object) -> object:
    return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value


def _check_keys(keys: tuple[str, ...]) -> tuple[str, ...]:
    """Whoever sets keys wants them asked for: what holds none must not open the service to everybody."""
    if not keys:
        raise ValueError("holds no key; give keys with commas between, or leave the variable out to let everybody in")
    for place, key in enumerate(keys, 1):
        if not re.fullmatch("[!-~]+", key):
            raise ValueError(f"key {place} of {len(keys)} holds a space or a character beyond ASCII; printable ASCII is accepted")
    return keys


Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
Keys = Annotated[Words, AfterValidator(_check_keys)]
# What Kubernetes sets in every pod beside a Service that is named zhuti.
_OF_KUBERNETES = re.compile(r"ZHUTI_(SERVICE|PORT)(_\w+)?")


class Settings(BaseModel):
    """The service's settings; sizes in bytes or characters, times in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(DEFAULT, description="Name or folder of the model.")
    api_keys: Keys = Field((), description="Keys that may tag, with commas between; none: everybody may.")
    metrics: Literal["open", "key", "off"] = Field(
        "open", description="Who may read /metrics: open (everybody), key (who has a key), off (nobody)."
    )
    cors_origins: Words = Field((), description="Origins whose pages may call the service, with commas between; none: CORS is off.")
    deadline: float = Field(60.0, gt=0, description="Seconds a request may take from its first byte to its answer.")
    max_concurrent: int = Field(32, ge=1, description="Tagging requests at work or waiting; more are answered 429.")
    max_json_bytes: int = Field(2 * 2**20, ge=1, description="Body of /tag and /tag_sentences.")
    max_file_bytes: int = Field(20 * 2**20, ge=1, description="Body of /tag_file.")
    max_characters: int = Field(100_000, ge=1, description="Characters of one request's text, or of all its sentences.")
    max_sentences: int = Field(1_000, ge=1, description="Items of /tag_sentences.")
    max_sentence_characters: int = Field(5_000, ge=1, description="Characters of one item of /tag_sentences.")
    max_units: int = Field(3_000, ge=1, description="Units that one text may split into.")
    max_entries: int = Field(
        105_000, ge=1, description="Themes and evidence sentences of one answer: units × (most themes + evidence) asked for."
    )
    max_pages: int = Field(300, ge=1, description="Pages of a PDF.")
    batch_units: int = Field(256, ge=1, description="Units of waiting requests that are tagged together.")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """:raises SettingsError: naming the variable, what it holds (unless it holds keys) and what it needs."""
        names = {f"ZHUTI_{name.upper()}": name for name in cls.model_fields}
        found = [variable for variable in environment if variable.startswith("ZHUTI_") and not _OF_KUBERNETES.fullmatch(variable)]
        for variable in found:
            if variable not in names:
                raise SettingsError(f"{variable} is not a setting of the service; there are {', '.join(names)}")
        try:
            return cls.model_validate({names[variable]: environment[variable] for variable in found})
        except ValidationError as error:
            first = error.errors()[0]
            name, problem = str(first["loc"][0]), first["msg"].removeprefix("Value error, ")
            value = "" if name == "api_keys" else f"={first['input']}"
            raise SettingsError(f"ZHUTI_{name.upper()}{value}: {problem}") from None
