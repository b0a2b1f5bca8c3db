"""The benchmark's sentences: the whole corpus of data/sentences.jsonl, handed over in calls of so many sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from training.corpus import DOCUMENTS, SENTENCES
from zhuti.annotations import read_json_lines
from zhuti.text import Role, Unit, split

Call = list["Passage"]


@dataclass(frozen=True, slots=True)
class Passage:
    """Consecutive sentences of one document, as raw text.

    :param text: the document from the first to the last of them.
    :param roles: of each sentence in the whole document; a passage that is cut from its line could not tell.
    """

    text: str
    roles: tuple[Role, ...]

    def units(self) -> list[Unit]:
        """The sentences, split anew: splitting is part of what is timed."""
        return [replace(unit, role=role) for unit, role in zip(split(self.text), self.roles, strict=True)]


def corpus_calls(size: int | None = None) -> list[Call]:
    """The corpus in reading order.

    :param size: sentences a call; the last call may hold fewer. None makes one call of the whole corpus.
    """
    rows = [row for _, row in read_json_lines(SENTENCES)]
    documents: dict[str, str] = {}
    for name in dict.fromkeys(row["document"] for row in rows):
        with (DOCUMENTS / f"{name}.txt").open(encoding="utf-8", newline="") as file:
            documents[name] = file.read()
    step = size or len(rows)
    return [_passages(rows[first : first + step], documents) for first in range(0, len(rows), step)]


def stretch(calls: Sequence[Call], sentences: int) -> list[Call]:
    """The calls in the middle of the corpus that hold about so many sentences."""
    count = max(1, round(sentences / count_sentences(calls[:1])))
    first = max(0, (len(calls) - count) // 2)
    return list(calls[first : first + count])


def count_sentences(calls: Sequence[Call]) -> int:
    return sum(len(passage.roles) for call in calls for passage in call)


def _passages(rows: list[dict[str, object]], documents: dict[str, str]) -> Call:
    passages: Call = []
    for name in dict.fromkeys(str(row["document"]) for row in rows):
        own = [row for row in rows if row["document"] == name]
        start, end = own[0]["start"], own[-1]["end"]
        passages.append(Passage(documents[name][start:end], tuple(row["role"] for row in own)))  # type: ignore[misc,index]
    return passages
