"""Settings of the fine-tuning."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """Settings of the fine-tuning, found by measurement (LOG.md).

    :param layers: how many layers of the base are used, counted from its embeddings.
    :param tuned_layers: how many of them, the upper ones, are tuned; those below are frozen and their output is cached.
    :param lone_epochs: epochs on the lone written sentences, which no fold holds out.
    :param written_epochs: epochs on all written sentences after that.
    :param corpus_repeats: how often each corpus sentence comes in the last stage.
    :param replay: how many written sentences are mixed into the last stage, so that they are not forgotten.
    """

    layers: int = 12
    tuned_layers: int = 3
    lone_epochs: int = 2
    written_epochs: int = 1
    corpus_repeats: int = 2
    replay: int = 1000
    batch: int = 32
    learning_rate: float = 3e-4
    head_learning_rate: float = 9e-4
    dropout: float = 0.1
    weight_decay: float = 0.01
    warm_up: float = 0.1
    head_penalty: float = 1e-3
