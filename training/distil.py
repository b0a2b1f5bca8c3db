"""A base encoder of fewer layers, distilled from the default one without any label; the setting ``tiny`` starts from it.

The student begins with every second layer of the teacher and learns to give the same last hidden states on the written
sentences; no corpus sentence is read, so that folds can start from it. The embeddings stay as they are.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from training.base import SETTINGS, BaseError, base_settings
from training.finetune import Loss, Tuned, optimise
from training.frozen import FrozenBase, mean_pool, run_layers
from training.recipe import Recipe

RECIPE = Recipe(learning_rate=5e-4)
EPOCHS = 3
SEED = 0


def distil(teacher_folder: Path, layers: int, texts: list[str], target: Path) -> Path:
    """Write a transformers checkpoint of fewer layers that encodes much as its teacher does, if it is not there yet.

    :param teacher_folder: a checkpoint that zhuti built, with its ``zhuti.json``.
    :param layers: how many layers the student has.
    :param texts: normalised texts to learn on.
    :param target: folder to write.
    :return: the folder.
    :raises BaseError: if the teacher is not deeper.
    """
    settings = base_settings(teacher_folder) | _made_from(layers, texts)
    if base_settings(target) == settings:
        return target
    teacher = FrozenBase(teacher_folder, settings["prefix"], texts, Recipe(tuned_layers=0))
    taught = teacher.encoder.encoder.layer
    if layers >= len(taught):
        raise BaseError(
            f"{teacher_folder} has {len(taught)} layers; a student of {layers} is asked for, at most {len(taught) - 1} can be had"
        )
    embedded = FrozenBase(teacher_folder, settings["prefix"], texts, Recipe(tuned_layers=len(taught)))
    begun = Tuned(nn.ModuleList(taught[place] for place in kept_layers(len(taught), layers)), teacher.encoder.config.hidden_size, 1, 0.0)
    student = optimise(begun, _same_states(teacher, embedded), teacher.lengths, np.arange(len(texts)), RECIPE, EPOCHS, SEED)
    teacher.encoder.encoder.layer = student.layers
    teacher.encoder.config.num_hidden_layers = layers
    shutil.rmtree(target, ignore_errors=True)
    teacher.encoder.save_pretrained(target)
    teacher.tokenizer.save_pretrained(target)
    (target / SETTINGS).write_text(json.dumps(settings) + "\n", encoding="utf-8")  # last: without it the folder is made anew
    return target


def kept_layers(depth: int, layers: int) -> list[int]:
    """:return: evenly spaced layers of the teacher to begin with, its last among them."""
    return [-(-depth * place // layers) - 1 for place in range(1, layers + 1)]


def _made_from(layers: int, texts: list[str]) -> dict[str, Any]:
    seen = hashlib.sha256("\n".join(texts).encode()).hexdigest()
    return {"distilled": asdict(RECIPE) | {"layers": layers, "texts": seen, "epochs": EPOCHS, "seed": SEED}}


def _same_states(teacher: FrozenBase, embedded: FrozenBase) -> Loss:
    """Squared distance of token states and of mean-pooled vectors, each as a share of what varies in the teacher's."""

    def loss(student: Tuned, batch: NDArray[np.int64]) -> Tensor:
        (wanted, mask), (hidden, _) = teacher.hidden(batch), embedded.hidden(batch)
        given = run_layers(student.layers, hidden, mask).float()
        return _distance(given[mask > 0], wanted[mask > 0]) + _distance(mean_pool(given, mask), mean_pool(wanted, mask))

    return loss


def _distance(given: Tensor, wanted: Tensor) -> Tensor:
    """:param given: (n, width)."""
    return (given - wanted).square().sum() / (wanted - wanted.mean(0)).square().sum().clamp(min=1e-6)
