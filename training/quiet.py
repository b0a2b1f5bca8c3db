"""The libraries' progress bars and load reports are not for the reader of a training."""

from __future__ import annotations

import datasets
from transformers.utils import logging


def quieten() -> None:
    """Let transformers and datasets speak of errors alone."""
    datasets.disable_progress_bars()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
