"""The ways in which an evaluation holds sentences out."""

from __future__ import annotations

from training.dataset import BLOCK, FOLDS, block_folds, document_folds

SCHEMES = {
    "documents": ("leave one document out", document_folds),
    "blocks": (f"{FOLDS} folds over blocks of {BLOCK} sentences", block_folds),
}
