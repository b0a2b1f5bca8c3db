"""The ways in which an evaluation holds sentences out."""

from __future__ import annotations

from training.dataset import block_folds, document_folds

SCHEMES = {"documents": ("leave one document out", document_folds), "blocks": ("5 folds over blocks of 15 sentences", block_folds)}
