"""The ways in which an evaluation holds sentences out, and the systems that it compares with each other."""

from __future__ import annotations

from training.dataset import BLOCK, FOLDS, block_folds, document_folds

OURS, ALONE, ENCODER, NEAREST, BASELINE = "zhuti", "zhuti, each sentence alone", "encoder alone", "nearest sentences alone", "baseline"
SCHEMES = {
    "documents": ("leave one document out", document_folds),
    "blocks": (f"{FOLDS} folds over blocks of {BLOCK} sentences", block_folds),
}
