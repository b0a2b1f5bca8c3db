"""The items of ``/tag_sentences``: each is checked by itself; a bad one gets its own error and the others their tags."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from serving.engine import Engine
from serving.entries import check_entries
from serving.errors import ServiceError, error_fields
from serving.limits import OFFLINE
from serving.schemas import SentencesRequest, check_text
from serving.settings import Settings
from zhuti.options import Options
from zhuti.result import TaggedUnit
from zhuti.text import Unit, single_unit

Outcome = TaggedUnit | ServiceError


async def tag_items(body: SentencesRequest, engine: Engine, settings: Settings, request_id: str) -> list[dict[str, Any]]:
    """:return: for each item its index, its document and its unit or error. :raises ServiceError: if the whole request does not fit."""
    documents = [None] * len(body.sentences) if body.documents is None else body.documents
    _check_counts(body, documents, settings)
    outcomes: dict[int, Outcome] = {}
    units: dict[int, Unit] = {}
    for index, item in enumerate(body.sentences):
        checked = _check_item(item, settings.max_sentence_characters)
        if isinstance(checked, ServiceError):
            outcomes[index] = checked
        else:
            units[index] = replace(single_unit(checked), index=index)
    check_entries(len(units), body.options(), engine.tagger.taxonomy, settings.max_entries)
    # Neighbours of one document go together; a sentence without a document is a group of its own.
    groups = [list(group) for _, group in groupby(units, lambda index: (documents[index] is None and index, documents[index]))]
    tagged = await asyncio.gather(*(_tag_group([units[index] for index in group], engine, body.options()) for group in groups))
    for group, answers in zip(groups, tagged, strict=True):
        outcomes |= zip(group, answers, strict=True)
    return [_result(index, document, outcomes[index], request_id) for index, document in enumerate(documents)]


async def _tag_group(units: Sequence[Unit], engine: Engine, options: Options) -> list[Outcome]:
    """Tag the sentences of one document; if the tagger fails on them, find those at fault and tag the others without them."""
    try:
        return list(await engine.tag(units, options))
    except ServiceError as error:
        if error.status != 500:
            raise
        if len(units) == 1:
            return [error]
    alone = [outcome for [outcome] in await asyncio.gather(*(_tag_group([unit], engine, options) for unit in units))]
    good = [unit for unit, outcome in zip(units, alone, strict=True) if isinstance(outcome, TaggedUnit)]
    if not good or len(good) == len(units):
        return alone
    again = iter(await _tag_group(good, engine, options))
    return [next(again) if isinstance(outcome, TaggedUnit) else outcome for outcome in alone]


def _check_counts(body: SentencesRequest, documents: Sequence[str | None], settings: Settings) -> None:
    count = len(body.sentences)
    if count > settings.max_sentences:
        raise ServiceError(413, f"{count:,} sentences; at most {settings.max_sentences:,} are tagged at once; {OFFLINE}")
    characters = sum(len(item) for item in body.sentences if isinstance(item, str))
    if characters > settings.max_characters:
        raise ServiceError(413, f"{characters:,} characters in all; at most {settings.max_characters:,} are tagged at once; {OFFLINE}")
    if len(documents) != count:
        problem = f"{len(documents)} document ids for {count} sentences; one each is needed"
        raise ServiceError(422, f"documents: {problem}", [{"field": "documents", "problem": problem}])


def _check_item(item: object, limit: int) -> str | ServiceError:
    if not isinstance(item, str):
        return ServiceError(422, f"a sentence must be a string, found {type(item).__name__}")
    if not item.strip():
        return ServiceError(422, "the sentence is blank")
    if len(item) > limit:
        return ServiceError(413, f"the sentence has {len(item):,} characters; at most {limit:,} are accepted; /tag takes whole reports")
    try:
        return check_text(item)
    except ValueError as error:
        return ServiceError(422, f"the sentence {error}")


def _result(index: int, document: str | None, outcome: Outcome, request_id: str) -> dict[str, Any]:
    fields: dict[str, Any] = {"index": index} | ({} if document is None else {"document": document})
    if isinstance(outcome, ServiceError):
        return fields | {"error": error_fields(outcome.status, outcome.message, outcome.detail, request_id)}
    return fields | {"unit": outcome.as_dict()}
