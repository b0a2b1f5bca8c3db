"""What can be set from outside: one environment variable, ``ZHUTI_<NAME>``, for each field."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.functional_validators import BeforeValidator

from zhuti.artifact import DEFAULT
from zhuti.errors import ZhutiError


class SettingsError(ZhutiError):
    """An environment variable is not what it must be."""


def _words(value: object) -> object:
    return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], BeforeValidator(_words)]


class Settings(BaseModel):
    """The service's settings; sizes in bytes or characters, times in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(DEFAULT, description="Name or folder of the model.")
    api_keys: Words = Field((), description="Keys that may tag, with commas between; none: everybody may.")
    metrics: Literal["open", "key", "off"] = Field("open", description="Who may read /metrics.")
    cors_origins: Words = Field((), description="Origins whose pages may call the service, with commas between; none: CORS is off.")
    deadline: float = Field(30.0, gt=0, description="Seconds a request may take from its first byte to its answer.")
    max_concurrent: int = Field(64, ge=1, description="Tagging requests at work or waiting; more are answered 429.")
    max_json_bytes: int = Field(2 * 2**20, ge=1, description="Body of /tag and /tag_sentences.")
    max_file_bytes: int = Field(20 * 2**20, ge=1, description="Body of /tag_file.")
    max_characters: int = Field(200_000, ge=1, description="Characters of one request's text, or of all its sentences.")
    max_sentences: int = Field(1_000, ge=1, description="Items of /tag_sentences.")
    max_sentence_characters: int = Field(5_000, ge=1, description="Characters of one item of /tag_sentences.")
    max_units: int = Field(10_000, ge=1, description="Units that one text may split into.")
    max_pages: int = Field(300, ge=1, description="Pages of a PDF.")
    batch_units: int = Field(256, ge=1, description="Units of waiting requests that are tagged together.")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """:raises SettingsError: naming the variable, what it holds and what it needs."""
        given = {name: environment[variable] for name in cls.model_fields if (variable := f"ZHUTI_{name.upper()}") in environment}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            first = error.errors()[0]
            raise SettingsError(f"ZHUTI_{str(first['loc'][0]).upper()}={first['input']}: {first['msg']}") from None
