"""The libraries' progress bars, load reports and warnings about each other are not for the reader of a training."""

from __future__ import annotations

import warnings

import datasets
from transformers.utils import logging


def quieten() -> None:
    """Let transformers and datasets speak of errors alone."""
    datasets.disable_progress_bars()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"transformers\.")
    warnings.filterwarnings("ignore", message="Converting a tensor to a Python boolean", module=r"transformers\.")  # by the tracer
