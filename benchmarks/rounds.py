"""The rounds of a run as they come in: a run that was broken off goes on where it stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class RoundLog:
    """A file that is kept until the run is complete.

    :param path: the file.
    :param same: what must be the same for rounds to belong together; a file about something else is thrown away.
    """

    def __init__(self, path: Path, same: dict[str, Any]) -> None:
        self._path = path
        kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        fresh: dict[str, Any] = {"same": same, "peers": {}, "rounds": []}
        self._kept = kept if kept.get("same") == same else fresh
        #: what each peer said of itself
        self.peers: dict[str, dict[str, Any]] = self._kept["peers"]
        self.rounds: list[dict[str, Any]] = self._kept["rounds"]

    def save(self) -> None:
        """Write what was added to ``peers`` and ``rounds``."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_suffix(".part")
        partial.write_text(json.dumps(self._kept), encoding="utf-8")
        partial.rename(self._path)

    def finish(self) -> None:
        """The result is written; the next run starts anew."""
        self._path.unlink(missing_ok=True)
