"""What the command says when something is wrong: one sentence on standard error and an exit code, no traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from zhuti.errors import ZhutiError

FAILED, WRONG_USE, INTERRUPTED = 1, 2, 130


class UsageError(Exception):
    """The command was given what does not go together."""


@contextmanager
def complaints() -> Iterator[None]:
    """Turn the package's errors into a sentence and an exit code."""
    try:
        yield
    except UsageError as error:
        say(error)
        raise typer.Exit(WRONG_USE) from None
    except KeyboardInterrupt:
        say("interrupted")
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        drop_stdout()
        raise typer.Exit(FAILED) from None
    except (ZhutiError, OSError) as error:
        say(error)
        raise typer.Exit(FAILED) from None


def say(message: object) -> None:
    print(f"zhuti: {message}", file=sys.stderr)


def drop_stdout() -> None:
    """Keep the interpreter from writing at its end what could not be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
