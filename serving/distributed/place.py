"""The folder that a run was started in, which all its processes work in, so that file names mean the same everywhere."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path

from zhuti.errors import ZhutiError


class SharingError(ZhutiError):
    """A machine of the cluster does not see the files that the others see."""


@dataclass(frozen=True, slots=True)
class Place:
    """:param folder: an absolute path, which every machine has."""

    folder: Path

    def enter(self) -> None:
        """:raises SharingError: where the folder is missing."""
        try:
            os.chdir(self.folder)
        except OSError as error:
            host = socket.gethostname()
            raise SharingError(
                f"{self.folder}: the machine {host} cannot open it ({error.strerror}); start from a folder that all machines share"
            ) from None
