"""ctc_loss: the loss of unaligned label sequences. The dynamic programme is in ``kernels.ctc``."""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.declare import composite, ops, primitive
from flambeau.core.errors import fail
from flambeau.core.kernels import ctc as kernels
from flambeau.core.ops.windowing import refuse_dtype
from flambeau.core.rules import both
from flambeau.core.sampling import each_on_its_own
from flambeau.core.tensor import Tensor, wrap

__all__: list[str] = []

nd = np.ndarray


@both
def _ctc_rule(
    g: Any,
    log_probs: Any,
    out: Any,
    alphas: Any,
    targets: Any,
    lengths: Any,
    sizes: Any,
    blank: int,
    zero_infinity: bool,
) -> Any:
    g = g[0] if isinstance(g, (tuple, list)) else g
    if g is None:
        return None
    if type(log_probs) is not nd:
        raise fail(
            NotImplementedError,
            "ctc_loss",
            "the derivative of its gradient is not implemented, as in PyTorch. Do not ask for "
            "create_graph here.",
        )
    return kernels.gradient(
        g, log_probs, targets, lengths, sizes, blank, out, alphas, zero_infinity
    )


@primitive(
    name="_ctc_loss",
    node="CtcLoss",
    function=False,
    method=False,
    outputs=("out", "alphas"),
    differentiable=("out",),
    vjp={"log_probs": _ctc_rule},
)
def _ctc_loss(log_probs, targets: Any, lengths: Any, sizes: Any, blank: int, zero_infinity: bool):
    """The loss of every sample of (T, N, C), and the forward variables."""
    refuse_dtype("ctc_loss", log_probs.dtype, "f")
    return kernels.alphas(log_probs, targets, lengths, sizes, blank)


def _numbers(name: str, value: Any) -> Any:
    """Lengths as a row of int64.

    Raises:
        RuntimeError: a tensor of another kind.
    """
    found = value._array if isinstance(value, Tensor) else np.asarray(value)
    if isinstance(value, Tensor) and found.dtype.kind not in "iu":
        raise fail(RuntimeError, "ctc_loss", f"{name} must be integral, but is {value.dtype}.")
    return found.astype("i8").reshape(-1)


def _padded(targets: Any, sizes: Any, batch: int) -> Any:
    """Targets as (N, S): rows as they are, or cut from a row of all of them."""
    width = int(sizes.max(initial=0))
    if targets.ndim == 2:
        found = targets[:, :width].astype("i8")
    else:
        found = np.zeros((batch, width), "i8")
        found[np.arange(width)[None, :] < sizes[:, None]] = targets
    return np.where(np.arange(width)[None, :] < sizes[:, None], found, -1)


def _check(log_probs: Any, targets: Any, lengths: Any, sizes: Any, blank: int) -> None:
    """Lengths that fit the batch and the time.

    Raises:
        RuntimeError: they do not.
    """
    name = "ctc_loss"
    T, N, C = log_probs.shape
    if not 0 <= blank < C:
        raise fail(
            RuntimeError, name, f"blank must be in label range: {blank} is not among {C} classes."
        )
    if lengths.size != N:
        raise fail(
            RuntimeError,
            name,
            f"input_lengths must be of size batch_size {N}, but has {lengths.size}.",
        )
    if sizes.size != N:
        raise fail(
            RuntimeError,
            name,
            f"target_lengths must be of size batch_size {N}, but has {sizes.size}.",
        )
    if lengths.size and (lengths.max() > T or lengths.min() < 0):
        raise fail(
            RuntimeError,
            name,
            f"Expected input_lengths to have value at most {T}, but got value "
            f"{int(lengths.max())}: there are {T} steps.",
        )
    if sizes.size and sizes.min() < 0:
        raise fail(RuntimeError, name, "Expected target_lengths to be non-negative.")
    if targets.ndim == 1 and targets.size != int(sizes.sum()):
        raise fail(
            RuntimeError,
            name,
            f"Expected {int(sizes.sum())} targets in a row, the sum of target_lengths, but got "
            f"{targets.size}.",
        )
    if targets.ndim == 2 and (
        targets.shape[0] != N or targets.shape[1] < int(sizes.max(initial=0))
    ):
        raise fail(
            RuntimeError,
            name,
            f"Expected tensor targets to have size at least {int(sizes.max(initial=0))} at "
            f"dimension 1 and {N} at 0, but got "
            f"{list(targets.shape)}.",
        )


@composite()
def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: int = 0,
    zero_infinity: bool = False,
) -> Tensor:
    """``-log p(targets | log_probs)``, summed over all alignments.

    Args:
        log_probs: (T, N, C) or (T, C).
        targets: (N, S), (S), or all targets in a row.
        reduction: 0 none, 1 mean over samples of loss / target length, 2 sum.

    Raises:
        RuntimeError: lengths that do not fit.

    Reference: Graves et al., Connectionist temporal classification, 2006.
    """
    batched = log_probs.dim() == 3
    logs = log_probs if batched else log_probs.unsqueeze(1)
    labels = targets._array
    if labels.dtype.kind not in "iu":
        raise fail(RuntimeError, "ctc_loss", "targets must be integral")
    if not batched and labels.ndim == 1:
        labels = labels[None]
    lengths = _numbers("input_lengths", input_lengths)
    sizes = _numbers("target_lengths", target_lengths)
    _check(logs._array, labels, lengths, sizes, blank)
    padded = _padded(labels, sizes, logs.shape[1])
    padded = np.where(padded < 0, blank, padded)
    loss = ops._ctc_loss(logs, padded, lengths, sizes, blank, zero_infinity)[0]
    if zero_infinity:
        loss = ops.where(loss == float("inf"), 0.0, loss)
    if reduction == 1:
        return (loss / wrap(np.maximum(sizes, 1).astype(loss._array.dtype))).mean()
    if reduction == 2:
        return loss.sum()
    return loss if batched else loss.squeeze(0)


each_on_its_own("ctc_loss")
