"""Losses under PyTorch's names and signatures: reduction words, the old flags, warnings, shapes.

Those over classes with a margin are in ``marginloss``. The operations are in ``core.ops.loss`` and
its neighbours.
"""

from __future__ import annotations

import math
import warnings
from typing import Any, cast

import numpy as np

from flambeau.autograd.backward import grad as gradients
from flambeau.core.declare import ops
from flambeau.core.dtypes import int64
from flambeau.core.errors import fail
from flambeau.core.provenance import stack_level
from flambeau.core.state import grad_enabled
from flambeau.core.tensor import Tensor
from flambeau.nn import _reduction as _Reduction

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "ctc_loss",
    "gaussian_nll_loss",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "linear_cross_entropy",
    "mse_loss",
    "nll_loss",
    "poisson_nll_loss",
    "smooth_l1_loss",
]

_CODES = {"none": 0, "mean": 1, "sum": 2}


def _code(reduction: str, size_average: bool | None = None, reduce: bool | None = None) -> int:
    """The number of a reduction word, or of what the old flags mean.

    Raises:
        ValueError: another word.
    """
    if size_average is not None or reduce is not None:
        return _Reduction.legacy_get_enum(size_average, reduce)
    found = _CODES.get(reduction)
    return _Reduction.get_enum(reduction) if found is None else found


def _reduced(loss: Tensor, reduction: int) -> Tensor:
    return loss.mean() if reduction == 1 else loss.sum() if reduction == 2 else loss


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Cross entropy of logits with class numbers or class probabilities.

    Args:
        input: (C), (N, C) or (N, C, *).
        target: class numbers, the input's shape without C; or probabilities of its shape.
        weight: (C), a factor for every class.
        ignore_index: a class number that does not count.
        label_smoothing: the part of every target that is spread over all classes.

    Raises:
        IndexError: a class number that is not there. RuntimeError, ValueError: shapes that do not
        fit.
    """
    if size_average is not None or reduce is not None:
        reduction = _Reduction.legacy_get_string(size_average, reduce)
    code = _CODES.get(reduction)
    if code is None:
        code = _Reduction.get_enum(reduction)
    return ops.cross_entropy_loss(input, target, weight, code, ignore_index, label_smoothing)


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``-weight[t] input[n, t]`` of log-probabilities (N, C, *) for class numbers (N, *).

    Raises:
        IndexError: a class number that is not there. RuntimeError, ValueError: shapes that do not
        fit.
    """
    return ops.nll_loss(input, target, weight, _code(reduction, size_average, reduce), ignore_index)


def _warn_sizes(input: Tensor, target: Tensor) -> None:
    try:
        same = input._array.shape == target._array.shape
    except AttributeError:
        # An array has a size, but as an attribute: calling it is another error in PyTorch.
        arrays = any(isinstance(x, np.ndarray) for x in (input, target))
        raise fail(
            TypeError if arrays else AttributeError,
            "loss",
            f"input and target must be Tensors, got {type(input).__name__} and "
            f"{type(target).__name__}. Make them by torch.as_tensor(...).",
        ) from None
    if not same:
        warnings.warn(
            f"Using a target size ({target.size()}) that is different to the input size "
            f"({input.size()}). This will likely "
            "lead to incorrect results due to broadcasting. Please ensure they have the same size.",
            UserWarning,
            stacklevel=stack_level(),
        )


def _broadcast(input: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    _warn_sizes(input, target)
    if input._array.shape == target._array.shape:
        return input, target
    return ops.broadcast_tensors(input, target)


def _weighted(name: str, loss: Tensor, input: Tensor, weight: Tensor, reduction: int) -> Tensor:
    """Losses times weights; the mean is over the weights.

    Raises:
        ValueError: weight has another shape than the input.
    """
    if weight.size() != input.size():
        raise fail(
            ValueError,
            name,
            f"Weights and input must have the same size: weight is {list(weight.shape)}, input "
            f"{list(input.shape)}.",
        )
    loss = loss * weight
    if reduction == 0:
        return loss
    return loss.sum() if reduction == 2 else loss.sum() / weight.sum()


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """``(input - target)^2``. Warns where the shapes differ."""
    code = _code(reduction, size_average, reduce)
    input, target = _broadcast(input, target)
    if weight is not None:
        return _weighted("mse_loss", (input - target) ** 2, input, weight, code)
    return ops.mse_loss(input, target, code)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """``|input - target|``. Warns where the shapes differ."""
    code = _code(reduction, size_average, reduce)
    input, target = _broadcast(input, target)
    if weight is not None:
        return _weighted("l1_loss", (input - target).abs(), input, weight, code)
    return ops.l1_loss(input, target, code)


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """``d^2 / (2 beta)`` where ``|d| < beta``, else ``|d| - beta / 2``.

    Raises:
        RuntimeError: a negative beta.

    Reference: Girshick, Fast R-CNN, 2015, arXiv:1504.08083.
    """
    code = _code(reduction, size_average, reduce)
    input, target = _broadcast(input, target)
    if beta == 0.0:
        return ops.l1_loss(input, target, code)
    return ops.smooth_l1_loss(input, target, code, beta)


def huber_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """``d^2 / 2`` where ``|d| < delta``, else ``delta (|d| - delta / 2)``.

    Raises:
        RuntimeError: delta not positive.

    Reference: Huber, Robust estimation of a location parameter, 1964.
    """
    code = _code(reduction)
    input, target = _broadcast(input, target)
    if weight is not None:
        return _weighted("huber_loss", ops.huber_loss(input, target, 0, delta), input, weight, code)
    return ops.huber_loss(input, target, code, delta)


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``-(target log(input) + (1 - target) log(1 - input))`` of probabilities.

    Raises:
        ValueError: target has another shape. RuntimeError: an input outside [0, 1].
    """
    code = _code(reduction, size_average, reduce)
    if target.size() != input.size():
        raise fail(
            ValueError,
            "binary_cross_entropy",
            f"Using a target size ({target.size()}) that is different to the input size "
            f"({input.size()}) is deprecated. "
            "Please ensure they have the same size.",
        )
    if weight is not None:
        weight = weight.expand(np.broadcast_shapes(target._array.shape, weight._array.shape))
    return ops.binary_cross_entropy(input, target, weight, code)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """Binary cross entropy of ``sigmoid(input)``, without overflow; ``pos_weight`` counts
    positives so many times.

    Raises:
        ValueError: target has another shape.
    """
    code = _code(reduction, size_average, reduce)
    if target._array.shape != input._array.shape:
        raise fail(
            ValueError,
            "binary_cross_entropy_with_logits",
            f"Target size ({target.size()}) must be the same as input size ({input.size()})",
        )
    return ops.binary_cross_entropy_with_logits(input, target, weight, pos_weight, code)


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """``target (log(target) - input)`` of log-probabilities ``input``.

    ``reduction="batchmean"`` is the divergence; "mean" divides by the number of classes too, with
    a warning.
    """
    if size_average is None and reduce is None:
        if reduction == "mean":
            warnings.warn(
                "reduction: 'mean' divides the total loss by both the batch size and the support "
                "size. 'batchmean' divides "
                "only by the batch size, and aligns with the KL div math definition. 'mean' will "
                "be changed to behave the "
                "same as 'batchmean' in the next major release.",
                stacklevel=stack_level(),
            )
        code = 2 if reduction == "batchmean" else _code(reduction)
    else:
        code = _code(reduction, size_average, reduce)
    found = ops.kl_div(input, target, code, log_target=log_target)
    if reduction == "batchmean" and input.dim() != 0:
        found = found / input.size()[0]
    return found


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-08,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Negative log-likelihood of counts: ``exp(input) - target input``, or with rates
    ``input - target log(input + eps)``.

    Raises:
        ValueError: another reduction.
    """
    return ops.poisson_nll_loss(
        input, target, log_input, full, eps, _code(reduction, size_average, reduce)
    )


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-06,
    reduction: str = "mean",
) -> Tensor:
    """``(log(max(var, eps)) + (input - target)^2 / max(var, eps)) / 2``; ``full`` adds the
    constant.

    Raises:
        ValueError: a negative variance, or one of a shape that does not fit.

    Reference: Nix, Weigend, Estimating the mean and variance of the target probability
    distribution, 1994.
    """
    name = "gaussian_nll_loss"
    if isinstance(var, Tensor):
        negative = bool((var < 0).any())
    else:
        negative = var < 0
        var = cast(Tensor, var * ops.ones_like(input))
    if negative:
        raise fail(ValueError, name, "var has negative entry/entries")
    if var.size() != input.size():
        if input.size()[:-1] == var.size():
            var = var.unsqueeze(-1)
        elif not (input.size()[:-1] == var.size()[:-1] and var.size(-1) == 1) and not (
            input.dim() == var.dim()
            and all(v in (1, n) for v, n in zip(var.shape, input.shape, strict=True))
        ):
            raise fail(
                ValueError,
                name,
                f"var is of incorrect size: {list(var.shape)} for an input of {list(input.shape)}",
            )
    if reduction not in _CODES:
        raise fail(ValueError, name, f"{reduction} is not valid")
    var = var.clone()
    with _no_grad():
        var.clamp_(min=eps)
    loss = 0.5 * (var.log() + (input - target) ** 2 / var)
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return _reduced(loss, _CODES[reduction])


def _no_grad() -> Any:
    from flambeau.autograd.modes import no_grad

    return no_grad()


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """Connectionist temporal classification: ``-log`` of the probability of all alignments of the
    targets.

    Args:
        log_probs: (T, N, C) or (T, C), log-probabilities.
        targets: (N, S), (S), or all targets in a row.
        input_lengths: (N), how many steps count.
        target_lengths: (N), how many labels count.
        blank: the class that separates.
        zero_infinity: impossible alignments cost nothing.

    Reference: Graves et al., Connectionist temporal classification, 2006.
    """
    return ops.ctc_loss(
        log_probs, targets, input_lengths, target_lengths, blank, _code(reduction), zero_infinity
    )


def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: Any = None,
) -> Tensor:
    """Cross entropy of ``linear(input, linear_weight, linear_bias)``.

    Args:
        input: (in) or (N, in).
        linear_weight: (C, in) or (C, *, in).
        target: class numbers (), (N), (N, *) or probabilities (C), (N, C), (N, C, *).
        linear_bias: (C) or (C, *).
        options: computes the loss of class numbers with its gradients at once, in float32 at
            least: a second derivative is that of a constant. In one piece, whatever its size.

    Warns:
        UserWarning: the options do not serve (label smoothing, probabilities, a (C, *, in) weight).
    """
    rows = linear_weight._array.shape[:-1]
    if input.dim() not in (1, 2):
        raise fail(
            RuntimeError,
            "linear_cross_entropy",
            f"expected input with dimensionality 1 or 2, got {input.dim()}: input of shape "
            f"{tuple(input.shape)} must be (in) or (N, in). Flatten what is in between.",
        )
    if len(rows) > 1:
        if input.dim() < 2:
            raise fail(
                RuntimeError,
                "linear_cross_entropy",
                f"K-dimensional loss defined by linear_weight shape {tuple(linear_weight.shape)} "
                "requires batched input, (N, "
                f"{input.shape[-1]}), got unbatched input with shape {tuple(input.shape)}",
            )
        linear_weight = linear_weight.reshape(-1, linear_weight.shape[-1])
        linear_bias = None if linear_bias is None else linear_bias.reshape(-1)
    skipped = -100 if ignore_index is None else ignore_index
    if options is not None:
        if label_smoothing == 0 and target.dtype is int64 and len(rows) == 1:
            return _with_gradients(
                input, linear_weight, linear_bias, target, weight, reduction, skipped
            )
        warnings.warn(
            "linear_cross_entropy: the options are of no use: they need class numbers (int64), "
            "label_smoothing 0 and a linear_weight of shape (C, in)",
            UserWarning,
            stacklevel=stack_level(),
        )
    logits = ops.linear(input, linear_weight, linear_bias)
    if len(rows) > 1:
        logits = logits.reshape(*logits.shape[:-1], *rows)
    return cross_entropy(
        logits,
        target,
        weight=weight,
        ignore_index=skipped,
        reduction=reduction,
        label_smoothing=label_smoothing,
    )


def _with_gradients(
    input: Tensor,
    linear_weight: Tensor,
    linear_bias: Tensor | None,
    target: Tensor,
    weight: Tensor | None,
    reduction: str,
    ignore_index: int,
) -> Tensor:
    """The loss whose first gradients are made with it, and are constants."""

    def loss(*parts: Any) -> Tensor:
        wide = [part.float() if part.dtype.itemsize == 2 else part for part in parts]
        factors = None if weight is None else weight.to(wide[0].dtype)
        found = cross_entropy(
            ops.linear(*wide), target, factors, None, ignore_index, None, reduction
        )
        return found.to(input.dtype)

    given = [each for each in (input, linear_weight, linear_bias) if each is not None]
    wanted = [each for each in given if each.requires_grad]
    if not wanted or not grad_enabled() or reduction == "none":
        return loss(*given)
    copies = [each.detach().requires_grad_(each.requires_grad) for each in given]
    found = loss(*copies)
    slopes = gradients(found, [each for each in copies if each.requires_grad])
    found = found.detach()
    for each, slope in zip(wanted, slopes, strict=True):  # adds 0, and the way to the input
        found = found + ((each - each.detach()) * slope).sum()
    return found
