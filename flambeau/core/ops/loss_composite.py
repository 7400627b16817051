"""Losses put together from other operations: their graph is PyTorch's too.

A reduction is 0 none, 1 mean, 2 sum; ``nn.functional`` gives them words. Stands on ``ops``.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from flambeau.core.declare import composite, ops
from flambeau.core.errors import fail
from flambeau.core.ops.windowing import require_tensor
from flambeau.core.state import mode
from flambeau.core.tensor import Tensor

__all__ = ["in_single", "reduced"]


def in_single(body: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A loss that an autocast region computes in float32, whatever its parts would do."""

    @functools.wraps(body)
    def loss(*args: Any, **kwargs: Any) -> Tensor:
        m = mode()
        if m is not None and m.autocast is not None:
            args = tuple(m.autocast.single(each) for each in args)
            kwargs = {name: m.autocast.single(each) for name, each in kwargs.items()}
        return body(*args, **kwargs)

    return loss


def reduced(loss: Tensor, reduction: int) -> Tensor:
    """The loss as it is, its mean or its sum."""
    return loss.mean() if reduction == 1 else loss.sum() if reduction == 2 else loss


@composite(function=False)
@in_single
def l1_loss(input: Tensor, target: Tensor, reduction: int = 0) -> Tensor:
    """``|input - target|``."""
    return reduced((input - target).abs(), reduction)


@composite()
@in_single
def kl_div(
    input: Tensor, target: Tensor, reduction: int = 0, *, log_target: bool = False
) -> Tensor:
    """``target (log(target) - input)``; with `log_target` target is its logarithm already.

    Raises:
        RuntimeError: integers.
    """
    for given in (input, target):
        if not (given.is_floating_point() or given.is_complex()):
            raise fail(
                RuntimeError,
                "kl_div",
                f"Integral inputs not supported, got {given.dtype}. Convert with .float().",
            )
    if log_target:
        return reduced(target.exp() * (target - input), reduction)
    cross = target * input  # before the entropy: gradients of `target` add up in PyTorch's order
    return reduced(ops.xlogy(target, target) - cross, reduction)


@composite()
@in_single
def poisson_nll_loss(
    input: Tensor, target: Tensor, log_input: bool, full: bool, eps: float, reduction: int
) -> Tensor:
    """``exp(input) - target input`` (`log_input`) or ``input - target log(input + eps)``; `full`
    adds Stirling's term."""
    loss = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:
        half = 0.5 * (2 * math.pi * target).log()
        stirling = target * target.log() - target + half
        loss = loss + stirling.masked_fill(target <= 1, 0)
    return reduced(loss, reduction)


@composite()
@in_single
def hinge_embedding_loss(
    input: Tensor, target: Tensor, margin: float = 1.0, reduction: int = 0
) -> Tensor:
    """``input`` where target is 1, ``max(0, margin - input)`` where it is -1."""
    below = ops.where(target != 1, (margin - input).clamp_min(0), 0.0)
    return reduced(below + ops.where(target != -1, input, 0.0), reduction)


@composite()
@in_single
def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 0
) -> Tensor:
    """``max(0, -target (input1 - input2) + margin)``."""
    return reduced((-target * (input1 - input2) + float(margin)).clamp_min(0), reduction)


@composite()
@in_single
def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 0
) -> Tensor:
    """``1 - cos`` where target is 1, ``max(0, cos - margin)`` where it is -1.

    Raises:
        RuntimeError: target is neither 0-d (for vectors) nor 1-d (for matrices), or the inputs do
        not fit it.
    """
    if (
        target.dim() not in (0, 1)
        or input1.dim() != target.dim() + 1
        or input2.dim() != target.dim() + 1
    ):
        raise fail(
            RuntimeError,
            "cosine_embedding_loss",
            f"{target.dim()}D target tensor expects {target.dim() + 1}D input tensors, but found "
            "inputs with sizes "
            f"{list(input1.shape)} and {list(input2.shape)}: inputs (N, D) go with target (N), "
            "(D) with ().",
        )
    last = target.dim()
    tiny = 1e-12
    product = (input1 * input2).sum(last)
    lengths = ((input1 * input1).sum(last) + tiny) * ((input2 * input2).sum(last) + tiny)
    cosine = product / lengths.sqrt()
    alike = ops.where(target == 1, 1 - cosine, 0.0)
    apart = ops.where(target == -1, (cosine - margin).clamp_min(0), 0.0)
    return reduced(alike + apart, reduction)


@composite()
@in_single
def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-06,
    swap: bool = False,
    reduction: int = 0,
) -> Tensor:
    """``max(0, d(anchor, positive) - d(anchor, negative) + margin)``.

    Raises:
        RuntimeError: the three have different numbers of dimensions.

    Reference: Balntas et al., Learning local feature descriptors with triplets, 2016.
    """
    if not anchor.dim() == positive.dim() == negative.dim():
        raise fail(
            RuntimeError,
            "triplet_margin_loss",
            "The anchor, positive, and negative tensors are expected to have the same number of "
            "dimensions, but got: "
            f"anchor {anchor.dim()}D, positive {positive.dim()}D, and negative {negative.dim()}D "
            "inputs",
        )
    near = ops.pairwise_distance(anchor, positive, p, eps)
    far = ops.pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = ops.minimum(far, ops.pairwise_distance(positive, negative, p, eps))
    return reduced((margin + near - far).clamp_min(0), reduction)


def _class_dim(input: Tensor) -> int:
    return 0 if input.dim() == 1 else 1


def _over_classes(weight: Tensor, input: Tensor) -> Tensor:
    """(C) against (N, C, *)."""
    return weight if input.dim() == 1 else weight.reshape((1, -1) + (1,) * (input.dim() - 2))


def _soft_targets(
    input: Tensor, target: Tensor, weight: Tensor | None, reduction: int, smoothing: float
) -> Tensor:
    """Cross entropy with a distribution over classes for every sample.

    Raises:
        RuntimeError: integer targets, or weight of another size.
    """
    if not target.dtype.is_floating_point:
        raise fail(
            RuntimeError,
            "cross_entropy",
            "Expected floating point type for target with class probabilities, got "
            f"{target.dtype.legacy}. Class numbers have the input's shape without its class "
            "dimension.",
        )
    at = _class_dim(input)
    classes = input.shape[at]
    _check_weight(weight, classes)
    if smoothing > 0:
        target = target * (1 - smoothing) + smoothing / classes
    product = ops.log_softmax(input, at) * target
    if weight is not None:
        product = product * _over_classes(weight, input)
    if reduction == 0:
        return -product.sum(at)
    if reduction == 2 or input.dim() == 1:
        return -product.sum()
    return -product.sum() / (input.numel() // classes if classes else 0)


def _check_weight(weight: Tensor | None, classes: int) -> None:
    if weight is not None and (weight.dim() != 1 or weight.numel() != classes):
        raise fail(
            RuntimeError,
            "cross_entropy",
            f"weight tensor should be defined either for all {classes} classes or no classes but "
            "got weight tensor of shape: "
            f"{list(weight.shape)}",
        )


def _smoothed(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None,
    reduction: int,
    ignore_index: int,
    smoothing: float,
) -> Tensor:
    """Cross entropy with class numbers, a part of every target spread over all classes."""
    at = _class_dim(input)
    classes = input.shape[at]
    logs = ops.log_softmax(input, at)
    sharp = ops.nll_loss(logs, target, weight, reduction, ignore_index)
    smooth = -(logs if weight is None else logs * _over_classes(weight, input)).sum(at)
    ignored = target == ignore_index
    smooth = smooth.masked_fill(ignored, 0.0)
    if reduction == 1:
        if weight is None:
            count: Any = (~ignored).sum().to(smooth.dtype)
        else:
            count = weight[target[~ignored]].sum()
        smooth = smooth.sum() / count
    elif reduction == 2:
        smooth = smooth.sum()
    return sharp * (1 - smoothing) + smooth * (smoothing / classes)


@composite(function=False)
def cross_entropy_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    reduction: int = 0,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
) -> Tensor:
    """Cross entropy of logits (N, C, *) with class numbers (N, *) or probabilities (N, C, *).

    Raises:
        RuntimeError: label_smoothing above 1, or shapes that do not fit.
    """
    if label_smoothing > 1.0:
        raise fail(
            RuntimeError,
            "cross_entropy",
            f"label_smoothing must be at most 1.0. Got: {label_smoothing}",
        )
    try:
        alike = input._array.shape == target._array.shape
    except AttributeError:
        require_tensor("cross_entropy", "input", input)
        require_tensor("cross_entropy", "target", target)
        raise
    if alike:
        if ignore_index >= 0:
            raise fail(
                RuntimeError,
                "cross_entropy",
                "ignore_index is not supported for floating point target",
            )
        return _soft_targets(input, target, weight, reduction, label_smoothing)
    if label_smoothing > 0:
        _check_weight(weight, input.shape[_class_dim(input)])
        return _smoothed(input, target, weight, reduction, ignore_index, label_smoothing)
    if weight is not None:
        return ops.nll_loss(
            ops.log_softmax(input, _class_dim(input)), target, weight, reduction, ignore_index
        )
    return ops._cross_entropy(input, target, reduction, ignore_index)[0]
