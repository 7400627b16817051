"""Embedding tables and one-hot vectors under PyTorch's names. The operations are in
``core.ops.embedding``."""

from __future__ import annotations

from flambeau.core.declare import ops
from flambeau.core.errors import fail
from flambeau.core.state import restore, switch_grad
from flambeau.core.tensor import Tensor

__all__ = ["embedding", "embedding_bag", "one_hot"]


def one_hot(input: Tensor, num_classes: int = -1) -> Tensor:
    """Zeros with a 1 at every class number: (*, num_classes)."""
    return ops.one_hot(input, num_classes)


def _renormalised(weight: Tensor, input: Tensor, max_norm: float, norm_type: float) -> None:
    token = switch_grad(False)
    try:
        ops.embedding_renorm_(weight, input, max_norm, norm_type)
    finally:
        restore(token)


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The rows of ``weight`` (V, D) that ``input`` (*) names: (*, D).

    Args:
        padding_idx: a row that gets no gradient; negative ones count from the end.
        max_norm: rows whose norm exceeds it are scaled down to it first, in place.
        scale_grad_by_freq: divide gradients by how often a row is named.
        sparse: a sparse gradient.

    Raises:
        AssertionError: no such ``padding_idx``. IndexError: an index outside the table.
    """
    if padding_idx is None:
        padding_idx = -1
    else:
        rows = weight.size(0)
        if not -rows <= padding_idx < rows:
            raise fail(AssertionError, "embedding", "Padding_idx must be within num_embeddings")
        if padding_idx < 0:
            padding_idx += rows
    if max_norm is not None:
        input = input.contiguous()
        _renormalised(weight, input, max_norm, norm_type)
    return ops.embedding(weight, input, padding_idx, scale_grad_by_freq, sparse)


_MODES = {"sum": 0, "mean": 1, "max": 2}


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """Sums, means or maxima of bags of rows of ``weight`` (V, D).

    Args:
        input: (B, n), a bag a row; or (M) with ``offsets`` (B) where bags begin.
        mode: 'sum', 'mean' or 'max'.
        per_sample_weights: a factor for every row looked up, with 'sum' only.
        include_last_offset: ``offsets`` also has where the last bag ends.
        padding_idx: a row that does not count.

    Raises:
        ValueError: shapes, offsets or a mode that do not fit. RuntimeError: ``padding_idx`` out of
        range.
    """
    name = "embedding_bag"
    if (
        weight.dtype.is_floating_point is False
        and not weight.dtype.is_complex
        and input.dtype.is_floating_point
    ):
        input, weight = weight, input  # the old order of arguments
    if per_sample_weights is not None and tuple(input.shape) != tuple(per_sample_weights.shape):
        raise fail(
            ValueError,
            name,
            f"If per_sample_weights ({list(per_sample_weights.shape)}) is not None, then it must "
            "have the same shape as the "
            f"input ({list(input.shape)})",
        )
    if weight.dim() != 2:
        raise fail(
            ValueError,
            name,
            f"weight has to be a 2D Tensor, but got Tensor of dimension {weight.dim()}",
        )
    if input.dim() == 2:
        if offsets is not None:
            raise fail(
                ValueError,
                name,
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch "
                "of fixed length sequences.",
            )
        bags, length = input.shape
        offsets = (
            ops.arange(0, input.numel(), length, dtype=input.dtype)
            if length
            else ops.zeros(bags, dtype=input.dtype)
        )
        input = input.reshape(-1)
        if per_sample_weights is not None:
            per_sample_weights = per_sample_weights.reshape(-1)
    elif input.dim() == 1:
        if offsets is None:
            raise fail(ValueError, name, "offsets has to be a 1D Tensor but got None")
        if offsets.dim() != 1:
            raise fail(ValueError, name, "offsets has to be a 1D Tensor")
    else:
        raise fail(
            ValueError,
            name,
            f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.dim()}",
        )
    if mode not in _MODES:
        raise fail(ValueError, name, "mode has to be one of sum, mean or max")
    if mode == "max":
        if scale_grad_by_freq:
            raise fail(
                ValueError, name, "max mode does not support scaling the gradient by the frequency"
            )
        if sparse:
            raise fail(ValueError, name, "max mode does not support sparse weights")
    if max_norm is not None:
        _renormalised(weight, input, max_norm, norm_type)
    if per_sample_weights is not None and mode != "sum":
        raise fail(
            NotImplementedError,
            name,
            "per_sample_weights was not None. per_sample_weights is only supported for mode='sum' "
            "(got "
            f"mode='{mode}').",
        )
    return ops.embedding_bag(
        weight,
        input,
        offsets,
        scale_grad_by_freq,
        _MODES[mode],
        sparse,
        per_sample_weights,
        include_last_offset,
        padding_idx,
    )[0]
