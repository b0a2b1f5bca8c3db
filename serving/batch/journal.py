"""The journal of a batch: which shards are done, so that a run that was cut off goes on where it stopped.

``journal.jsonl`` holds a head (inputs with their hashes, model, options) and a line for every finished shard with its
rejects and totals. A shard is written under another name, pushed to the disk, renamed, and only then noted.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from serving.batch.disk import flush_folder
from serving.batch.shard import Entry
from serving.batch.tables import Reject
from serving.batch.totals import Totals
from zhuti.errors import ZhutiError

FILE = "journal.jsonl"
REJECTS = "rejects.jsonl"
VERSION = 1
_BEGINNING = b'{"zhuti": '


class JournalError(ZhutiError):
    """A run cannot begin or go on in this folder; the message says why and what to do."""


class Journal:
    """The journal in a folder of shards; holds a lock on it while it is open.

    :param folder: where shards and journal stand.
    :param head: what must be the same for a run to go on; plain values.
    :param resume: whether an unfinished run may be continued.
    :raises JournalError: if the folder holds something else, another run, or a run that may not be continued.
    """

    def __init__(self, folder: Path, head: dict[str, Any], *, resume: bool) -> None:
        self.folder = folder
        self.entries: list[Entry] = []
        self.complete = False
        self.joined = False
        path = folder / FILE
        if folder.is_dir() and not path.exists() and any(other.name != REJECTS for other in folder.iterdir()):
            raise JournalError(f"{folder}: is not empty and holds no run of zhuti; name a new or an empty folder")
        folder.mkdir(exist_ok=True)
        flush_folder(folder.parent)
        self._file = path.open("a+b", buffering=0)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JournalError(f"{folder}: another zhuti is writing here") from None
        lines = self._read()
        if not lines:
            self._append({"zhuti": VERSION} | head)
            return
        if not resume:
            raise JournalError(
                f"{folder}: holds a run that was begun before; --resume goes on with it, or remove the folder to start again"
            )
        changed = _difference({"zhuti": VERSION} | head, lines[0])
        if changed:
            raise JournalError(f"{folder}: {changed} since this run was begun, so it cannot go on; remove the folder to start again")
        for line in lines[1:]:
            if "complete" in line or "joined" in line:
                self.complete = True
                self.joined = "joined" in line
            else:
                self.entries.append(Entry(line["file"], line["rows"], Totals.from_dict(line["totals"])))
        for entry in self.entries:
            if not self.joined and not (folder / entry.file).is_file():
                raise JournalError(f"{folder}: the shard {entry.file} is noted as done but is missing; remove the folder to start again")

    def _read(self) -> list[dict[str, Any]]:
        """:return: the whole lines; a last one that was cut off while it was written is taken away, if zhuti was what wrote it."""
        self._file.seek(0)
        text = self._file.read()
        whole = text[: text.rfind(b"\n") + 1]
        try:
            lines = [json.loads(line) for line in whole.split(b"\n")[:-1]]
        except ValueError:
            lines = []
        if not _BEGINNING.startswith(text[: len(_BEGINNING)]) or (whole and not lines):
            raise JournalError(f"{self.folder / FILE}: is not a journal of zhuti; name another folder")
        self._file.truncate(len(whole))
        return lines

    def _append(self, line: dict[str, Any]) -> None:
        data = memoryview((json.dumps(line, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace"))
        end = self._file.seek(0, os.SEEK_END)
        try:
            while data:
                data = data[self._file.write(data) :]
            os.fsync(self._file.fileno())
        except OSError:
            self._file.truncate(end)
            raise

    def note(self, entry: Entry, rejects: list[Reject]) -> None:
        """Note that a shard stands on the disk under its name, and what was rejected among its rows."""
        lines = [asdict(reject) for reject in rejects]
        self._append({"file": entry.file, "rows": entry.rows, "totals": entry.totals.as_dict(), "rejects": lines})
        self.entries.append(entry)

    def finish(self) -> None:
        """Note that nothing is missing."""
        self._append({"complete": True, "rows": sum(entry.rows for entry in self.entries)})
        self.complete = True

    def note_joined(self) -> None:
        """Note that the shards have become one file and are no longer needed."""
        self._append({"joined": True})
        self.joined = True

    def rejects(self) -> Iterator[Reject]:
        """All rejects in order, read from the journal's file."""
        with (self.folder / FILE).open(encoding="utf-8", newline="\n") as file:
            for line in file:
                yield from (Reject(**reject) for reject in json.loads(line).get("rejects", []))

    def close(self) -> None:
        self._file.close()

    def drop_partial(self) -> None:
        """Take away what this run, an actor of it or an earlier one was writing when it ended."""
        for partial in self.folder.glob("*.part"):
            partial.unlink(missing_ok=True)

    def remove(self) -> None:
        """Take the journal and the shards away, and the folder where nothing else is in it."""
        self.drop_partial()
        for shard in self.folder.glob("part-*"):
            shard.unlink(missing_ok=True)
        (self.folder / FILE).unlink(missing_ok=True)
        if not any(self.folder.iterdir()):
            self.folder.rmdir()


def _difference(now: dict[str, Any], then: dict[str, Any]) -> str:
    """:return: what differs between two heads, for people; empty if nothing does."""
    for name in now:
        if now[name] == then.get(name):
            continue
        if name == "inputs":
            before = {one["name"]: one for one in then.get(name) or []}
            odd = [one["name"] for one in now[name] if before.pop(one["name"], None) != one] + list(before)
            return f"the input {odd[0]} has changed" if odd else "the order of the inputs has changed"
        if name == "version":
            return f"zhuti has changed (version {then.get(name, 'unknown')}, now {now[name]})"
        if name == "model":
            return f"the model has changed ({now[name]['name']})"
        if name == "options":
            pairs = [(key, value, (then.get(name) or {}).get(key)) for key, value in now[name].items()]
            return "the options have changed (" + ", ".join(f"{key}: {old!r}, now {new!r}" for key, new, old in pairs if old != new) + ")"
        return f"zhuti's way of writing journals has changed ({name})"
    return ""
