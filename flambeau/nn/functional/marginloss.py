"""Losses with a margin under PyTorch's names: ranking, hinge, cosine, triplets, several labels.
Stands on ``ops``."""

from __future__ import annotations

from collections.abc import Callable

from flambeau.core.declare import ops
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.nn.functional.loss import _code, _reduced

__all__ = [
    "cosine_embedding_loss",
    "hinge_embedding_loss",
    "margin_ranking_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "soft_margin_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``max(0, -target (input1 - input2) + margin)``.

    Raises:
        RuntimeError: different numbers of dimensions.
    """
    code = _code(reduction, size_average, reduce)
    if not input1.dim() == input2.dim() == target.dim():
        raise fail(
            RuntimeError,
            "margin_ranking_loss",
            "All input tensors should have same dimension but got sizes: input1: "
            f"{input1.size()}, input2: "
            f"{input2.size()}, target: {target.size()}",
        )
    return ops.margin_ranking_loss(input1, input2, target, margin, code)


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``input`` where target is 1, ``max(0, margin - input)`` where it is -1."""
    return ops.hinge_embedding_loss(input, target, margin, _code(reduction, size_average, reduce))


def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``log(1 + exp(-target input))`` with targets 1 and -1."""
    code = _code(reduction, size_average, reduce)
    if input._array.shape != target._array.shape:
        input, target = ops.broadcast_tensors(input, target)
    return ops.soft_margin_loss(input, target, code)


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``1 - cos(input1, input2)`` where target is 1, ``max(0, cos - margin)`` where it is -1."""
    return ops.cosine_embedding_loss(
        input1, input2, target, margin, _code(reduction, size_average, reduce)
    )


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``sum_(i != t) max(0, margin - x[t] + x[i])^p / C``, weighted by ``weight[t]``.

    Raises:
        ValueError: ``p`` is neither 1 nor 2, or weight is no vector.
    """
    code = _code(reduction, size_average, reduce)
    if p not in (1, 2):
        raise fail(ValueError, "multi_margin_loss", "only p == 1 and p == 2 supported")
    if weight is not None and weight.dim() != 1:
        raise fail(ValueError, "multi_margin_loss", "weight must be one-dimensional")
    return ops.multi_margin_loss(input, target, p, margin, weight, code)


def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``sum_(t, i) max(0, 1 - (x[t] - x[i])) / C`` over labels t (listed up to a -1) and the other
    classes i."""
    return ops.multilabel_margin_loss(input, target, _code(reduction, size_average, reduce))


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Binary cross entropy of ``sigmoid(input)``, averaged over the classes in the last
    dimension."""
    code = _code(reduction, size_average, reduce)
    loss = -(target * ops.logsigmoid(input) + (1 - target) * ops.logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    return _reduced(loss.sum(dim=-1) / input.size(-1), code)


def _check_margin(name: str, margin: float) -> None:
    if margin <= 0:
        raise fail(ValueError, name, f"margin must be greater than 0, got {margin}")


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-06,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``max(0, d(anchor, positive) - d(anchor, negative) + margin)`` with the p-norm's distance.

    Raises:
        ValueError: a margin that is not positive.

    Reference: Balntas et al., Learning local feature descriptors with triplets, 2016.
    """
    code = _code(reduction, size_average, reduce)
    _check_margin("triplet_margin_loss", margin)
    return ops.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, code)


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """:func:`triplet_margin_loss` with any distance.

    Raises:
        ValueError: a margin that is not positive. RuntimeError: different numbers of dimensions.
    """
    name = "triplet_margin_with_distance_loss"
    code = _code(reduction)
    _check_margin(name, margin)
    if not anchor.dim() == positive.dim() == negative.dim():
        raise fail(
            RuntimeError,
            name,
            "The anchor, positive, and negative tensors are expected to have the same number of "
            "dimensions, but got: "
            f"anchor {anchor.dim()}D, positive {positive.dim()}D, and negative {negative.dim()}D "
            "inputs",
        )
    distance = ops.pairwise_distance if distance_function is None else distance_function
    near = distance(anchor, positive)
    far = distance(anchor, negative)
    if swap:
        far = ops.minimum(far, distance(positive, negative))
    return _reduced((margin + near - far).clamp_min(0), code)
