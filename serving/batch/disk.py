"""Bring files and their names to the disk, so that what a journal says is there is there after a power cut."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import IO, Any

_CANNOT = (errno.EINVAL, errno.ENOTSUP)  # of storage that has no folders to be pushed


def target(name: str) -> Path:
    """:return: the path of an output; of a link to a file that file's, so that it is the file that is replaced."""
    path = Path(name)
    return path.resolve() if path.is_symlink() and path.is_file() else path


def is_device(path: Path) -> bool:
    """A device or pipe cannot be replaced by a file that is whole."""
    return path.exists() and not path.is_file() and not path.is_dir()


def flush(out: IO[Any]) -> None:
    """Push a file's bytes to the disk; a full one is noticed here at the latest."""
    out.flush()
    os.fsync(out.fileno())


def rename(partial: Path, path: Path) -> None:
    """Give a file that was flushed its name, for good."""
    partial.replace(path)
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Push the names in a folder to the disk."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
    finally:
        os.close(number)
