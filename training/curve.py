"""The learning curve: what a few labels a leaf give, for the baseline, the encoder and all views joined.

Models see lone written sentences alone, so many a leaf, and are scored on the whole corpus; three draws are averaged. The last point,
``all``, is another thing: one model, trained in the stages of the one that ships on all written sentences, those of reports included,
and scored as exported.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.baseline import export_lexical, fit_baseline
from training.finetune import fine_tune, sentence_vectors, start
from training.halves import UnseenCorpus
from training.metrics import score
from training.outoffold import Trainer
from zhuti.decision import Floats
from zhuti.evidence import EvidenceIndex

PER_LEAF = (2, 8, 16)
DRAWS = 3
EPOCHS = 3


def learning_curve(trainer: Trainer) -> list[dict[str, Any]]:
    """:return: for each size and system the mean and the spread over draws of the figures of :func:`training.metrics.score`."""
    corpus = UnseenCorpus(trainer.dataset)
    points = []
    for per_leaf in PER_LEAF:
        draws = [_systems(corpus, _train_few(trainer, draw_per_leaf(trainer.dataset.primaries, _lone(trainer), per_leaf, seed), seed))
                 for seed in range(DRAWS)]  # fmt: skip
        points += [_point(str(per_leaf), name, [draw[name] for draw in draws]) for name in draws[0]]
    everything = np.flatnonzero(~trainer.dataset.corpus)
    systems = _systems(corpus, trainer.held_out_logits(np.arange(corpus.size), everything))
    return points + [_point("all", name, [figures]) for name, figures in systems.items()]


def draw_per_leaf(primaries: NDArray[np.int64], rows: NDArray[np.int64], per_leaf: int, seed: int) -> NDArray[np.int64]:
    """:return: of the given rows so many of each primary leaf, drawn by the seed."""
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.permutation(rows[primaries[rows] == leaf])[:per_leaf] for leaf in range(int(primaries.max()) + 1)])


def _lone(trainer: Trainer) -> NDArray[np.int64]:
    return np.array([row for row, s in enumerate(trainer.dataset.sentences) if s.written and s.document is None])


def _train_few(trainer: Trainer, rows: NDArray[np.int64], seed: int) -> Floats:
    """Logits of the corpus from all views trained on a few rows, (views, corpus, leaves)."""
    base, targets, texts = trainer.base, trainer.targets, trainer.dataset.texts
    corpus = np.flatnonzero(trainer.dataset.corpus)
    tuned = fine_tune(start(base, rows, targets, trainer.recipe, seed), base, rows, targets, trainer.recipe, EPOCHS, seed)
    vectors, remembered = (sentence_vectors(tuned, base, some) for some in (corpus, rows))
    weight, bias = tuned.folded_head()
    lexical = export_lexical(fit_baseline([texts[row] for row in rows], targets.leaves[rows])).logits([texts[row] for row in corpus])
    return np.stack([vectors @ weight + bias, lexical, nearest_logits(remembered, targets.leaves[rows], vectors)])


def nearest_logits(remembered: Floats, leaves: Floats, vectors: Floats) -> Floats:
    """What remembered sentences say of others, by the index that ships.

    :param remembered: (n, width). :param leaves: (n, leaves). :param vectors: (scored, width).
    :return: (scored, leaves).
    """
    with tempfile.TemporaryDirectory() as folder:
        EvidenceIndex.write(Path(folder), remembered, leaves, sentences=[])
        return EvidenceIndex.load(Path(folder), leaves.shape[1]).logits(vectors)


def _systems(corpus: UnseenCorpus, views: Floats) -> dict[str, dict[str, float]]:
    dense, lexical, _ = views
    logits = {"baseline": lexical, "encoder": dense, "joined": corpus.joined(views, context=False)}
    return {name: score(corpus.choose(part), corpus.gold, corpus.primaries, corpus.dataset.taxonomy) for name, part in logits.items()}


def _point(per_leaf: str, system: str, draws: list[dict[str, float]]) -> dict[str, Any]:
    spread = {key: round(float(np.std([d[key] for d in draws])), 4) for key in draws[0]}
    return {"per_leaf": per_leaf, "system": system, "spread": spread} | {
        key: round(float(np.mean([d[key] for d in draws])), 4) for key in draws[0]
    }
