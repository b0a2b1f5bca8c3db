"""Tag one chunk; where the tagger fails, find the sentences at fault and make rejects of them, so that no row ends a run."""

from __future__ import annotations

from collections.abc import Sequence

from threadpoolctl import threadpool_limits

from serving.batch.tables import Reject
from serving.batch.window import Chunk
from zhuti.errors import ZhutiError
from zhuti.result import TaggedUnit
from zhuti.tagger import Tagger
from zhuti.text import Unit


def tag_chunk(tagger: Tagger, chunk: Chunk, explain: int) -> list[TaggedUnit]:
    """Tag a chunk's own items; those on which the tagger fails become rejects of the chunk.

    Sums of floats depend on how many threads share them: one thread gives the same digits on any number of cores.

    :return: a tagged unit for each of the items that are left.
    """
    with threadpool_limits(1, "blas"):
        try:
            documents = tagger.tag_units(chunk.documents, explain=explain)
        except ZhutiError:
            raise
        except Exception:
            _reject(chunk, _faults(tagger, chunk.documents, explain))
            tagger.forget()  # what is left is tagged as if the rejects had never been there
            documents = tagger.tag_units(chunk.documents, explain=explain)
    return [unit for document, (first, count) in zip(documents, chunk.own, strict=True) for unit in document[first : first + count]]


def _faults(tagger: Tagger, documents: Sequence[Sequence[Unit]], explain: int) -> list[list[Exception | None]]:
    """:return: for every unit what the tagger fails with on it, found by halving the documents, then the units of one."""
    try:
        tagger.tag_units(documents, explain=explain)
    except Exception as error:
        if len(documents) > 1:
            half = len(documents) // 2
            return _faults(tagger, documents[:half], explain) + _faults(tagger, documents[half:], explain)
        [units] = documents
        if len(units) > 1:
            half = len(units) // 2
            return [_faults(tagger, [units[:half]], explain)[0] + _faults(tagger, [units[half:]], explain)[0]]
        return [[error]]
    return [[None] * len(document) for document in documents]


def _reject(chunk: Chunk, faults: list[list[Exception | None]]) -> None:
    """Take the units at fault out of a chunk; one that is there as context alone is rejected in the chunk that it belongs to."""
    items = iter(chunk.items)
    kept = []
    for place, (errors, (first, count)) in enumerate(zip(faults, chunk.own, strict=True)):
        own = errors[first : first + count]
        for error in own:
            item = next(items)
            if error is None:
                kept.append(item)
            else:
                reason = f"the tagger failed on {item.unit.text[:40]!r}: {type(error).__name__}: {error}"
                chunk.rejects.append(Reject(item.source, item.row, reason))
        chunk.documents[place] = [unit for unit, error in zip(chunk.documents[place], errors, strict=True) if error is None]
        chunk.own[place] = sum(error is None for error in errors[:first]), sum(error is None for error in own)
    chunk.items = kept
