"""Losses that are one node: negative log-likelihood, cross entropy, and those of pairs of tensors.

The arguments of ``nn.functional`` (reduction words, legacy flags, warnings) are worked out there;
here a reduction is
0 none, 1 mean, 2 sum. CTC and the margin losses over classes have files of their own. Stands on
declare.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from flambeau.core.declare import composite, ops, primitive
from flambeau.core.dtypes import of
from flambeau.core.errors import fail
from flambeau.core.folds import LEAST
from flambeau.core.kernels import loss as kernels
from flambeau.core.kernels.generate import folds
from flambeau.core.kernels.native import choose
from flambeau.core.rules import both
from flambeau.core.taken import refuse_dtype
from flambeau.core.tensor import Tensor, wrap

__all__: list[str] = []

nd = np.ndarray


def _check_classes(op: str, input: Any, target: Any, weight: Any) -> None:
    """Shapes and dtypes of class losses.

    Raises:
        RuntimeError, ValueError: as PyTorch's, by what is wrong.
    """
    if input.ndim == 0:
        raise fail(
            ValueError if op == "nll_loss" else RuntimeError,
            op,
            f"Expected 1 or more dimensions (got {input.ndim})",
        )
    classes = input.shape[0] if input.ndim == 1 else input.shape[1]
    if input.ndim == 1:
        if target.ndim and not (target.ndim == 1 and target.shape[0] == 1):
            raise fail(
                ValueError if target.ndim == 1 and target.dtype.kind in "iu" else RuntimeError,
                op,
                "For 1D input, 1D target must have size 1, or be a scalar; input is "
                f"{list(input.shape)}, target {list(target.shape)}.",
            )
    elif target.ndim == 0 or input.shape[0] != target.shape[0]:
        raise fail(
            ValueError,
            op,
            f"Expected input batch_size ({input.shape[0]}) to match target batch_size "
            f"({target.shape[0] if target.ndim else 'a scalar'}).",
        )
    elif input.ndim == 2 and target.ndim > 1:
        raise fail(
            RuntimeError,
            op,
            "0D or 1D target tensor expected, multi-target not supported: target is "
            f"{list(target.shape)}.",
        )
    elif (input.shape[0], *input.shape[2:]) != target.shape:
        raise fail(
            RuntimeError,
            op,
            f"input {list(input.shape)} is (N, C, *), so target must be "
            f"{[input.shape[0], *input.shape[2:]]}, but is "
            f"{list(target.shape)}.",
        )
    if target.dtype.kind not in "iu" or target.dtype.itemsize not in (1, 8):
        raise fail(
            RuntimeError,
            op,
            f"expected scalar type Long but found {of(target.dtype).legacy}: target holds class "
            "numbers. Convert it with "
            ".long().",
        )
    if weight is not None and weight.shape != (classes,):
        raise fail(
            RuntimeError,
            op,
            f"weight tensor should be defined either for all {classes} classes or no classes but "
            "got weight tensor of "
            f"shape: {list(weight.shape)}",
        )
    refuse_dtype(op, input.dtype, "f")
    if weight is not None and weight.dtype != input.dtype:
        raise fail(
            RuntimeError,
            op,
            f"expected scalar type {of(input.dtype).legacy} but found {of(weight.dtype).legacy}: "
            "weight must have the "
            "input's dtype.",
        )


def _class_shape(input: Any, target: Any, reduction: int) -> Any:
    if reduction:
        return (), input.dtype
    return ((input.shape[0], *input.shape[2:]) if input.ndim > 1 else target.shape), input.dtype


@both
def _nll_rule(
    g: Any, input_shape: Any, target: Any, weight: Any, reduction: int, ignore_index: int
) -> Any:
    if type(g) is nd:
        return kernels.nll_backward(
            g, input_shape, _flat(input_shape, target), weight, reduction, ignore_index
        )
    return _nll_spread(g, input_shape, target, weight, reduction, ignore_index)


def _flat(shape: Any, target: Any) -> Any:
    """A target of one element for an input without batch is a scalar."""
    return target.reshape(()) if len(shape) == 1 and target.ndim else target


def _nll_spread(
    g: Any, shape: Any, target: Any, weight: Any, reduction: int, ignore_index: int
) -> Any:
    """The rule in operations: the gradient is a constant mask times g."""
    g = g if isinstance(g, Tensor) else ops.as_tensor(g)
    labels = target if isinstance(target, Tensor) else wrap(target)
    held = weight if weight is None or isinstance(weight, Tensor) else wrap(weight)
    mask = ops._class_shares(labels, held, tuple(shape), reduction, ignore_index)
    if reduction == kernels.NONE:
        g = g.reshape(()) if len(shape) == 1 else ops.unsqueeze(g, 1)
    return mask.to(g.dtype) * g


@primitive(name="_class_shares", function=False, method=False)
def _class_shares(
    target, weight=None, shape: Any = (), reduction: int = 1, ignore_index: int = -100
):
    """What every score counts in a class loss: zeros but at the targets, in float64."""
    wide = None if weight is None else weight.astype("f8")
    ones = np.ones((), "f8")
    return kernels.nll_backward(ones, shape, _flat(shape, target), wide, reduction, ignore_index)


def _nll_name(node: Any) -> str:
    return "NllLoss2DBackward0" if len(node.shapes[0]) > 2 else "NllLossBackward0"


@primitive(
    name="_nll_loss",
    function=False,
    method=False,
    node=_nll_name,
    vjp={"input": _nll_rule},
    infer=lambda input, target, weight, reduction, ignore_index: _class_shape(
        input, target, reduction
    ),
)
def _nll_loss(input, target, weight=None, reduction: int = 1, ignore_index: int = -100):
    """``-weight[t] input[n, t]`` for the class t of every sample, reduced."""
    _check_classes("nll_loss", input, target, weight)
    target = _flat(input.shape, target)
    return np.asarray(kernels.nll(input, target, weight, reduction, ignore_index))


def _fused_name(node: Any) -> str:
    return "NllLoss2DBackward0" if len(node.shape[1]) > 2 else "NllLossBackward0"


@both
def _cross_entropy_rule(g: Any, logs: Any, target: Any, reduction: int, ignore_index: int) -> Any:
    loss, through = g
    if type(logs) is nd:
        found = None
        if loss is not None:
            labels = _flat(logs.shape, target)
            found = kernels.cross_entropy_backward(loss, logs, labels, reduction, ignore_index)
        if through is not None:
            extra = through - np.exp(logs) * through.sum(1 if logs.ndim > 1 else 0, keepdims=True)
            found = extra if found is None else found + extra
        return found
    spread = (
        None
        if loss is None
        else _nll_spread(loss, tuple(logs.shape), target, None, reduction, ignore_index)
    )
    if through is not None:
        spread = through if spread is None else spread + through
    axis = 1 if logs.ndim > 1 else 0
    return spread - ops.exp(logs) * ops.sum(spread, axis, True)


@primitive(
    name="_cross_entropy",
    function=False,
    method=False,
    outputs=("out", "logs"),
    node=_fused_name,
    vjp={"input": _cross_entropy_rule},
    infer=lambda input, target, reduction, ignore_index: (
        _class_shape(input, target, reduction),
        (input.shape, input.dtype),
    ),
)
def _cross_entropy(input, target, reduction: int = 1, ignore_index: int = -100):
    """Log-softmax and negative log-likelihood in one: the loss, and the log-softmax for the way
    back."""
    if (
        input.ndim != 2
        or target.ndim != 1
        or input.shape[0] != target.shape[0]
        or target.dtype.kind != "i"
    ):
        _check_classes("cross_entropy", input, target, None)
        target = _flat(input.shape, target)
    elif input.dtype.kind != "f" or target.dtype.itemsize != 8:
        _check_classes("cross_entropy", input, target, None)
    loss, logs = kernels.cross_entropy(input, target, reduction, ignore_index)
    return np.asarray(loss), logs


@composite(function=False)
def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    reduction: int = 1,
    ignore_index: int = -100,
) -> Tensor:
    """Negative log-likelihood of log-probabilities (N, C, *) for class numbers (N, *)."""
    return ops._nll_loss(input, target, weight, reduction, ignore_index)


def pair_shape(input: Any, target: Any, reduction: int, *rest: Any) -> Any:
    """The abstract result of a loss of two tensors."""
    shape = () if reduction else np.broadcast_shapes(input.shape, target.shape)
    return shape, np.result_type(input.dtype, target.dtype)


def fold(found: Any, reduction: int) -> Any:
    """Sum or mean of an array of losses, as an array."""
    if reduction == 0:
        return found
    wide = found.astype("f4") if found.dtype.itemsize == 2 else found
    total = folds.fold("sum", wide, None, False)
    if total is None:
        total = np.add.reduce(wide, axis=None)
    if reduction == 1:
        total = total / wide.dtype.type(found.size)
    return np.asarray(total, found.dtype)


def share(shape: Any, reduction: int) -> float:
    """What one element's loss counts in the result."""
    return 1.0 / max(prod(shape), 1) if reduction == 1 else 1.0


def portion(g: Any, shape: Any, reduction: int) -> Any:
    """What one element's loss is worth: the gradient, over the count for a mean. Arrays and
    Tensors."""
    return g * share(shape, reduction) if reduction == 1 else g


def _squares(input: Any, target: Any) -> Any:
    found = input - target
    return found * found


def _twice_apart(g: Any, input: Any, target: Any, worth: float) -> Any:
    return input.dtype.type(worth) * (input - target) * g


_squared = choose.lazily("mse_loss", _squares)
_squared_back = choose.lazily("mse_loss_backward", _twice_apart)


@both
def _mse_rule(g: Any, input: Any, target: Any, reduction: int) -> Any:
    shape = input.shape
    if shape != target.shape:
        shape = np.broadcast_shapes(tuple(shape), tuple(target.shape))
    worth = 2.0 * share(shape, reduction)
    if type(input) is nd:
        return _squared_back(g, input, target, worth)
    return worth * (input - target) * g


@both
def _mse_other(g: Any, input: Any, target: Any, reduction: int) -> Any:
    return _mse_rule(g, target, input, reduction)


@primitive(
    promote=("input", "target"),
    function=False,
    method=False,
    infer=pair_shape,
    vjp={"input": _mse_rule, "target": _mse_other},
)
def mse_loss(input, target, reduction: int = 1):
    """``(input - target)^2``, reduced."""
    refuse_dtype("mse_loss", input.dtype, "f")
    if reduction and input.dtype.itemsize > 2 and input.size < LEAST:
        found = input - target
        flat = found.ravel()
        total = flat.dot(flat)
        return np.asarray(
            total / found.dtype.type(found.size) if reduction == 1 else total, found.dtype
        )
    return fold(_squared(input, target), reduction)
