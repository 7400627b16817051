"""Padding as operations: constant, reflecting, replicating, circular; all linear, all crop if
negative.

Amounts come as PyTorch writes them: (left, right) of the last dimension first. The copies are made
in ``core.kernels.pad`` and ``core.kernels.windows``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.declare import composite, ops, primitive
from flambeau.core.errors import fail
from flambeau.core.kernels import pad as borders
from flambeau.core.kernels.windows import channels_last, full
from flambeau.core.kernels.windows import pad as padded
from flambeau.core.numbers import number_for
from flambeau.core.ops.windowing import Ints, require_tensor
from flambeau.core.taken import refuse_dtype
from flambeau.core.tensor import Tensor

__all__ = ["border_pad", "constant_pad_nd", "pad"]


def _pairs(pad: Ints) -> list[tuple[int, int]]:
    """PyTorch's flat amounts as (low, high) per padded axis, first axis first."""
    return [(pad[i], pad[i + 1]) for i in range(len(pad) - 2, -1, -2)]


def _grown(op: str, shape: Ints, pad: Ints) -> Ints:
    """The padded shape.

    Raises:
        RuntimeError: an odd number of amounts, more of them than dimensions, or a negative size.
    """
    if len(pad) % 2:
        raise fail(
            RuntimeError, op, f"Length of pad must be even but instead it equals {len(pad)}."
        )
    first = len(shape) - len(pad) // 2
    if first < 0:
        raise fail(
            RuntimeError,
            op,
            "Length of pad should be no more than twice the number of dimensions of the input. "
            f"Pad length is {len(pad)} "
            f"while the input has {len(shape)} dimensions.",
        )
    grown = list(shape)
    for axis, (low, high) in enumerate(_pairs(pad), first):
        grown[axis] += low + high
        if grown[axis] < 0:
            raise fail(
                RuntimeError,
                op,
                f"The input size {shape[axis]}, plus negative padding {low} and {high} resulted "
                "in a negative output "
                f"size, which is invalid. Check dimension {axis} of your input.",
            )
    return tuple(grown)


@primitive(
    name="constant_pad_nd",
    vjp=lambda g, pad: ops.constant_pad_nd(g, tuple([-n for n in pad]), 0),
    infer=lambda input, pad, value=0: (_grown("constant_pad_nd", input.shape, pad), input.dtype),
)
def constant_pad_nd(input, pad: Ints, value: Any = 0):
    """``input`` with ``value`` around it: (left, right) of the last dimension, then of the one
    before.

    Example:
        >>> import flambeau as torch
        >>> torch.constant_pad_nd(torch.ones(2), (1, 2), 0).tolist()
        [0.0, 1.0, 1.0, 0.0, 0.0]
    """
    shape = _grown("constant_pad_nd", input.shape, pad)
    first = input.ndim - len(pad) // 2
    value = getattr(value, "_array", value)
    if input.dtype.kind in "iu" and isinstance(value, (int, float)):
        value = number_for("constant_pad_nd", float(value), input.dtype)  # PyTorch's is a double
    pairs = _pairs(pad)
    if any(
        low < 0 and -low > n or high < 0 and -high > n
        for n, (low, high) in zip(input.shape[first:], pairs, strict=True)
    ):
        return _overcropped(input, pairs, shape, first, value)
    result = padded(input, pairs, value, first)
    last = channels_last(input)
    if result.base is not None or result is input or (last and first != 2):
        copy = full(shape, value, input.dtype, last)
        copy[...] = result
        return copy
    return result


def _overcropped(
    input: np.ndarray, pairs: list[tuple[int, int]], shape: Ints, first: int, value: Any
) -> np.ndarray:
    """One side crops all there is, the other pads: nothing of that axis is left but the value."""
    result = np.full(shape, value, input.dtype)
    source, target = [slice(None)] * input.ndim, [slice(None)] * input.ndim
    for axis, (low, high) in enumerate(pairs, first):
        n = input.shape[axis]
        start, stop = max(-low, 0), n - max(-high, 0)
        source[axis] = slice(start, max(stop, start))
        begin = max(low, 0)
        target[axis] = slice(begin, begin + max(stop - start, 0))
    if all(s.stop is None or s.stop > s.start for s in source):
        result[tuple(target)] = input[tuple(source)]
    return result


@primitive(
    vjp=lambda g, input, pad, mode: ops.border_pad_backward(
        g, tuple(input.shape), channels_last(input._array), pad, mode
    ),
    infer=lambda input, pad, mode: (_checked_border(input, pad, mode), input.dtype),
    node=lambda node: _border_label(node),
    method=False,
    function=False,
)
def border_pad(input, pad: Ints, mode: str):
    """``input`` continued by its own elements, as ``mode`` (reflect, replicate, circular) says."""
    _checked_border(input, pad, mode)
    if mode != "circular":
        word = "reflection_pad" if mode == "reflect" else "replication_pad"
        refuse_dtype(f"{word}{len(pad) // 2}d", input.dtype, "fciu")
    return borders.border(input, _pairs(pad), mode)


def _border_label(node: Any) -> str:
    params = node.params or (None, (0, 0), "reflect")
    kind = {"reflect": "Reflection", "replicate": "Replication", "circular": "Circular"}[params[2]]
    return f"{kind}Pad{len(params[1]) // 2}DBackward0"


def _checked_border(input: Any, pad: Ints, mode: str) -> Ints:
    op = {"reflect": "reflection_pad", "replicate": "replication_pad", "circular": "circular_pad"}[
        mode
    ]
    op = f"{op}{len(pad) // 2}d"
    shape = _grown(op, input.shape, pad)
    first = input.ndim - len(pad) // 2
    if 0 in input.shape[1 if first == 2 else 0 :]:
        raise fail(
            RuntimeError,
            op,
            "Expected input with possibly 0 batch size and other non-zero dimensions, but got "
            f"{list(input.shape)}.",
        )
    for axis, (low, high) in enumerate(_pairs(pad), first):
        n = input.shape[axis]
        if mode == "reflect" and (low >= n or high >= n):
            raise fail(
                RuntimeError,
                op,
                "Padding size should be less than the corresponding input dimension, but got: "
                f"padding ({low}, {high}) "
                f"at dimension {axis} of input {list(input.shape)}. Use mode='replicate' for more.",
            )
        if mode == "circular" and (low > n or high > n):
            raise fail(
                RuntimeError,
                op,
                f"Padding value causes wrapping around more than once: padding ({low}, {high}) at "
                f"dimension {axis} of "
                f"input {list(input.shape)}.",
            )
        if shape[axis] < 1:
            raise fail(
                RuntimeError,
                op,
                f"input (size {n} at dimension {axis}) is too small: the calculated output size "
                f"is {shape[axis]}.",
            )
    return shape


@primitive(
    vjp=lambda g, pad, mode: ops.border_pad(g, pad, mode),
    infer=lambda grad, size, last, pad, mode: (size, grad.dtype),
    method=False,
    function=False,
)
def border_pad_backward(grad, size: Ints, last: bool, pad: Ints, mode: str):
    """The gradient of :func:`border_pad`: what was repeated is added where it came from."""
    return borders.border_gradient(grad, size, _pairs(pad), mode, last)


@composite(function=False)
def pad(input: Tensor, pad: Any, mode: str = "constant", value: float | None = None) -> Tensor:
    """``input`` padded: (left, right) of the last dimension first, then of the dimension before.

    Args:
        mode: 'constant' (any number of dimensions), or 'reflect', 'replicate', 'circular' (the last
            1, 2 or 3 dimensions of an input with one or two more).
        value: what 'constant' fills in (default 0).

    Raises:
        NotImplementedError: an unknown mode, or a number of dimensions that it does not know.
        RuntimeError: amounts that do not fit the input.
    """
    require_tensor("pad", "input", input)
    amounts = tuple([int(n) for n in pad])
    if mode == "constant":
        return ops.constant_pad_nd(input, amounts, 0 if value is None else value)
    if mode not in ("reflect", "replicate", "circular"):
        raise fail(
            NotImplementedError,
            "pad",
            f"Unrecognised padding mode {mode}. Use 'constant', 'reflect', 'replicate' or "
            "'circular'.",
        )
    if value is not None and value != 0:
        raise fail(
            RuntimeError,
            "pad",
            f'Padding mode "{mode}" doesn\'t take in value argument.',
        )
    count = len(amounts) // 2
    if len(amounts) % 2 or not 1 <= count <= 3 or input.ndim - count not in (1, 2):
        raise fail(
            NotImplementedError,
            "pad",
            f"Padding size {len(amounts)} is not supported for {input.ndim}D input tensor. With "
            f"mode='{mode}' the last "
            "1, 2 or 3 dimensions of an input with one or two more can be padded: 2, 4 or 6 "
            "amounts.",
        )
    return ops.border_pad(input, amounts, mode)
