"""What is asked of a batch, and its chunks one after the other: the part that all kinds of output share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Literal

from serving.batch.columns import input_columns, parquet_schema
from serving.batch.inputs import Input
from serving.batch.progress import Progress
from serving.batch.stream import Reading, Stream
from serving.batch.tables import Reject
from serving.batch.tagging import tag_chunk
from serving.batch.totals import Totals
from serving.batch.window import Chunk, chunks
from serving.batch.writers import Csv, JsonLines, Layout, Parquet, Record
from zhuti.artifact import MANIFEST, file_hash
from zhuti.errors import ZhutiError
from zhuti.result import TaggedUnit
from zhuti.tagger import Tagger

Format = Literal["table", "html", "jsonl", "csv", "parquet"]
FOR_PEOPLE = ("table", "html")  # written at once: no shards, nothing to go on with
EngineName = Literal["local", "ray"]


class OutputError(ZhutiError):
    """The output cannot be written; the message says what is safe and how to go on."""


class Interrupted(Exception):
    """The user stopped the run; the message says what is safe and how to go on."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options of ``zhuti tag``.

    :param output: a file, a folder for shards (it ends in ``/`` or exists), or None for standard output.
    :param text_column: None: ``text``, and standard input is a text unless it starts like JSONL or Parquet.
    :param explain: labelled sentences to give as evidence.
    :param shard_rows: rows in a shard, rejects among them.
    :param engine: where shards are tagged: in this process, or by the machines of a Ray cluster.
    :param address: that cluster's; None: one of this machine alone, for this run.
    """

    format: Format
    output: str | None
    sentence: bool
    text_column: str | None
    document_column: str | None
    explain: int
    resume: bool
    shard_rows: int
    engine: EngineName = "local"
    address: str | None = None


class Job:
    """A batch with its inputs found and its model loaded.

    :param named: whether sentences of text files carry their file's name.
    """

    def __init__(self, tagger: Tagger, inputs: list[Input], options: Options, *, named: bool) -> None:
        self.tagger = tagger
        self.inputs = inputs
        self.options = options
        self.reading = Reading(options.sentence, options.text_column or "text", options.document_column, named)
        self.totals = Totals()
        self.rejects: list[Reject] = []  # of an output for people; others have them in their journal

    def head(self) -> dict[str, Any]:
        """What must be the same for an unfinished run to go on."""
        options = self.options
        return {
            "version": version("zhuti"),
            "model": {"name": self.tagger.artifact.name, "sha256": file_hash(self.tagger.artifact.path / MANIFEST)},
            "options": {
                "format": options.format,
                "unit": "sentence" if options.sentence else "document",
                "text_column": self.reading.text_column,
                "document_column": options.document_column,
                "explain": options.explain,
                "shard_rows": options.shard_rows,
                "reports_named": self.reading.named,
            },
            "inputs": [{"name": one.name, "kind": one.kind, "bytes": one.size, "sha256": one.sha256} for one in self.inputs],
        }

    def layout(self) -> Layout:
        """The output's files; CSV and Parquet need to know all columns first, for which JSONL is read through once more."""
        if self.options.format == "jsonl":
            return JsonLines()
        columns = input_columns(self.inputs, self.reading)
        if self.options.format == "csv":
            return Csv(columns, explain=self.options.explain > 0)
        return Parquet(parquet_schema(columns, self.inputs, self.reading, explain=self.options.explain > 0))

    def tagged(self, progress: Progress, shard_rows: int, *, skip: int = 0) -> Iterator[tuple[Chunk, list[TaggedUnit]]]:
        """Tag chunk by chunk; chunks never lie across the border of two shards.

        :param skip: shards that are done.
        :return: each chunk with the tagged units of its items.
        """
        stream = Stream(self.inputs, self.reading)
        done = 0
        for chunk in chunks(stream.events(), shard_rows, skip=skip):
            if done % shard_rows == 0:
                self.tagger.forget()  # a shard comes out the same, to the last digit, whatever ran before it
            done += chunk.events
            units = tag_chunk(self.tagger, chunk, self.options.explain)
            yield chunk, units
            progress.advance(stream.bytes_read, len(units))


def count(chunk: Chunk, units: list[TaggedUnit]) -> Totals:
    """:return: the totals of one chunk."""
    totals = Totals()
    totals.count(units)
    totals.rejected_files = sum(reject.row is None for reject in chunk.rejects)
    totals.rejected_rows = len(chunk.rejects) - totals.rejected_files
    return totals


def records(chunk: Chunk, units: list[TaggedUnit]) -> list[Record]:
    """:return: a chunk's rows as they go out."""
    rows = []
    for item, unit in zip(chunk.items, units, strict=True):
        fields = unit.as_dict()
        results = {name: fields[name] for name in ("role", "primary", "uncertain", "themes", "evidence") if name in fields}
        rows.append(item.columns | results)
    return rows
