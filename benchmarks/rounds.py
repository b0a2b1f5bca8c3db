"""The rounds of a run as they come in: a run that was broken off goes on where it stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Round = dict[str, Any]


class RoundLog:
    """A file of JSON lines, one a round.

    :param path: kept until the run is complete.
    :param about: what must be the same for rounds to belong together; other rounds are thrown away.
    """

    def __init__(self, path: Path, about: dict[str, Any]) -> None:
        self._path = path
        self._about = about
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        rounds = [json.loads(line) for line in lines]
        self.rounds: list[Round] = [entry["round"] for entry in rounds if entry["about"] == about]

    def add(self, measured: Round) -> None:
        self.rounds.append(measured)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps({"about": self._about, "round": entry}) + "\n" for entry in self.rounds]
        partial = self._path.with_suffix(".part")
        partial.write_text("".join(lines), encoding="utf-8")
        partial.rename(self._path)

    def finish(self) -> None:
        """The result is written; the next run starts anew."""
        self._path.unlink(missing_ok=True)
