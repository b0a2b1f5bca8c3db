"""A progress bar with rate and time left, for people at a terminal; nothing for anybody else."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

_SHOWN_REJECTS = 20


class Progress:
    """Shows how much of the inputs is done.

    :param total: bytes of all inputs.
    :param visible: whether standard error is a terminal that nothing else is written to.
    """

    def __init__(self, total: int, *, visible: bool) -> None:
        self.total = total
        self._bar: Any = None
        self._task: Any = None
        self._said = 0
        self._units = 0
        self._began = time.monotonic()
        if visible:
            from rich.console import Console
            from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            rate = TextColumn("{task.fields[units]:,} sentences, {task.fields[rate]:,.0f}/s")
            self._bar = Bar(BarColumn(), TaskProgressColumn(), rate, TimeRemainingColumn(), console=Console(stderr=True), transient=True)

    def __enter__(self) -> Progress:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar:
            self._bar.stop()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def advance(self, bytes_read: int, units: int) -> None:
        """:param bytes_read: of all inputs so far. :param units: sentences tagged since the last call."""
        self._units += units
        if not self._bar:
            return
        fields = {"units": self._units, "rate": self._units / max(self.seconds, 1e-3)}
        if self._task is None:  # what an earlier run has done is no part of the rate
            self._task = self._bar.add_task("", total=self.total, completed=bytes_read, **fields)
        self._bar.update(self._task, completed=bytes_read, **fields)

    def reject(self, message: str, *, all: bool) -> None:
        """Say what was rejected; after some, the file with the rejects is enough, unless ``all`` are asked for."""
        self._said += 1
        if all or self._said <= _SHOWN_REJECTS:
            self.say(message)
        elif self._said == _SHOWN_REJECTS + 1:
            self.say("further rejects go to the rejects file only")

    def say(self, message: str) -> None:
        line = f"zhuti: {message}"
        if self._bar:
            self._bar.console.print(line, markup=False, highlight=False, soft_wrap=True)
        else:
            print(line, file=sys.stderr)
