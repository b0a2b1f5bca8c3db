"""Losses that the ablation compares with the one in use; those that lost live here alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from training.finetune import Loss, Tuned, tied_loss
from training.lab import Draw

Ints = NDArray[np.int64]


def _bce(logits: Tensor, y: Tensor) -> Tensor:
    return functional.binary_cross_entropy_with_logits(logits, y, reduction="none")


def untied(draw: Draw) -> Loss:
    return _over_leaves(draw, _bce)


def asymmetric(draw: Draw) -> Loss:
    """Ridnik et al. 2021, negatives focused by 4 and shifted by 0.05, in place of the binary cross-entropy."""

    def focused(logits: Tensor, y: Tensor) -> Tensor:
        p = torch.sigmoid(logits)
        hard = (p - 0.05).clamp(min=0)
        return -(y * p.clamp(min=1e-6).log() + (1 - y) * hard**4 * (1 - hard).clamp(min=1e-6).log())

    return _over_leaves(draw, focused)


def balanced(draw: Draw) -> Loss:
    """Re-balanced weights of the distribution-balanced loss (Wu et al. 2020): each label weighs by its rarity in the sentence."""
    rate = 1 / torch.from_numpy(draw.targets.leaves[draw.training].sum(0)).clamp(min=1)

    def weighted(logits: Tensor, y: Tensor) -> Tensor:
        ratio = rate / (y * rate).sum(1, keepdim=True)
        weight = 0.1 + torch.sigmoid(10 * (ratio - 0.2))
        return weight * functional.binary_cross_entropy(torch.sigmoid(logits).clamp(1e-6, 1 - 1e-6), y, reduction="none")

    return _over_leaves(draw, weighted)


def _over_leaves(draw: Draw, leaves: Callable[[Tensor, Tensor], Tensor]) -> Loss:
    """A loss of each leaf's logit and label, (batch, leaves), beside the cross-entropy of the primary leaf."""
    y, first = torch.from_numpy(draw.targets.leaves), torch.from_numpy(draw.targets.primaries)

    def loss(model: Tuned, batch: Ints) -> Tensor:
        logits = model(*draw.base.hidden(batch)).float()
        return leaves(logits, y[batch]).sum(1).mean() + functional.cross_entropy(logits, first[batch])

    return loss


def r_drop(draw: Draw) -> Loss:
    """Liang et al. 2021: two passes with other dropout, drawn together by their symmetric divergence."""
    y, primaries = torch.from_numpy(draw.targets.leaves), torch.from_numpy(draw.targets.primaries)

    def loss(model: Tuned, batch: Ints) -> Tensor:
        passes = [model(*draw.base.hidden(batch)).float() for _ in range(2)]
        p, q = (torch.sigmoid(logits) for logits in passes)
        apart: Tensor = ((p - q) * (passes[0] - passes[1])).sum(1).mean()
        plain = [_bce(logits, y[batch]).sum(1).mean() + functional.cross_entropy(logits, primaries[batch]) for logits in passes]
        return (plain[0] + plain[1]) / 2 + 0.5 * apart

    return loss


def contrastive(draw: Draw) -> Loss:
    """Supervised contrastive term (Khosla et al. 2020) over the batch's vectors, beside the reference's loss without themes."""
    plain, first = untied(draw), torch.from_numpy(draw.targets.primaries)

    def loss(model: Tuned, batch: Ints) -> Tensor:
        vectors = functional.normalize((model.vectors(*draw.base.hidden(batch)) - model.mean) / model.scale, dim=1)
        same = (first[batch][:, None] == first[batch][None, :]).float().fill_diagonal_(0)
        near = (vectors @ vectors.T / 0.1).masked_fill(torch.eye(len(batch), dtype=torch.bool), -1e9).log_softmax(1)
        term = -(near * same).sum(1)[same.sum(1) > 0] / same.sum(1)[same.sum(1) > 0]
        pulled: Tensor = plain(model, batch) + (0.3 * term.mean() if len(term) else 0.0)
        return pulled

    return loss


def tied(draw: Draw) -> Loss:
    y, first, parents = (torch.from_numpy(a) for a in (draw.targets.leaves, draw.targets.primaries, draw.targets.parents))
    return lambda model, batch: tied_loss(model(*draw.base.hidden(batch)).float(), y[batch], first[batch], parents)
