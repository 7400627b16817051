"""Convolution by generated code: its sum and its adjoints as correlations of planes.

Every function says whether it did the work; what it does not take (other dtypes, huge planes, tiny
ones that columns serve better) is left to the NumPy forms in ``conv``. The plans are in
``correlate``.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

import numpy as np

from flambeau.core.kernels import correlate as made
from flambeau.core.kernels import correlate_weight as weights
from flambeau.core.kernels.windows import Ints, Pairs

__all__ = ["convolve", "input_gradient", "weight_gradient"]

FAR = 1 << 30
"""Offsets within a plane are 32 bits wide."""


def convolve(
    input: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None,
    result: np.ndarray,
    stride: Ints,
    pads: Pairs,
    dilation: Ints,
    groups: int,
) -> bool:
    """Fill `result` with the convolution, as ``conv.convolve`` has it."""
    kernel = weight.shape[2:]
    if not _fits(input, result):
        return False
    if prod(kernel) == 1 and max(stride) == 1 and not any(map(any, pads)):
        if input.flags.c_contiguous and result.flags.c_contiguous:  # planes are rows
            input, result = (a.reshape(*a.shape[:2], prod(a.shape[2:])) for a in (input, result))
            kernel, stride, pads, dilation = (1,), (1,), [(0, 0)], (1,)
    taps = [
        tuple(range(-low, d * k - low, d))
        for k, d, (low, _) in zip(kernel, dilation, pads, strict=True)
    ]
    rows = np.ascontiguousarray(weight).reshape(len(weight), -1)
    if bias is not None:
        bias = np.ascontiguousarray(bias)
    return _correlate(input, rows, bias, result, taps, stride, groups)


def input_gradient(
    grad: np.ndarray,
    weight: np.ndarray,
    result: np.ndarray,
    stride: Ints,
    pads: Pairs,
    dilation: Ints,
    groups: int,
) -> bool:
    """Fill `result` with the adjoint of the convolution in its input: each phase of the strides is
    a correlation with the taps that reach it.
    """
    if not _fits(grad, result):
        return False
    features, channels = weight.shape[0] // groups, weight.shape[1]
    kernel = weight.shape[2:]
    turned = weight.reshape(groups, features, channels, *kernel).swapaxes(1, 2)
    size = result.shape[2:]
    work = []
    for phase in product(*(range(min(s, n)) for s, n in zip(stride, size, strict=True))):
        reaching: list[Any] = [
            [k for k in range(n) if (p + low - k * d) % s == 0]
            for n, p, s, d, (low, _) in zip(kernel, phase, stride, dilation, pads, strict=True)
        ]
        if all(reaching):
            work.append((phase, reaching))
    if len(work) < prod(min(s, n) for s, n in zip(stride, size, strict=True)):
        result[...] = 0
    for phase, reaching in work:
        taps = [
            tuple((p + low - k * d) // s for k in found)
            for p, s, d, (low, _), found in zip(
                phase, stride, dilation, pads, reaching, strict=True
            )
        ]
        found = np.ascontiguousarray(turned[:, :, :, *np.ix_(*reaching)])
        rows = found.reshape(groups * channels, -1)
        cut: Any = (slice(p, None, s) for p, s in zip(phase, stride, strict=True))
        target = result[:, :, *cut]
        if not _correlate(grad, rows, None, target, taps, (1,) * len(kernel), groups):
            return False
    return True


def weight_gradient(
    grad: np.ndarray,
    input: np.ndarray,
    result: np.ndarray,
    stride: Ints,
    pads: Pairs,
    dilation: Ints,
    groups: int,
) -> bool:
    """Fill `result` with the adjoint of the convolution in its weight."""
    if not _fits(grad, input) or not weights.available(input.dtype):
        return False
    kernel = result.shape[2:]
    grad = np.ascontiguousarray(grad)
    taps = [
        tuple(range(-low, d * k - low, d))
        for k, d, (low, _) in zip(kernel, dilation, pads, strict=True)
    ]
    more = 3 - len(taps)
    if more:
        at: Any = (slice(None), slice(None), *(None,) * more)
        input, grad = input[at], grad[at]
    plan = weights.geometry(
        input.dtype,
        len(input),
        input.shape[2:],
        input.shape[1] // groups,
        _steps(input),
        (((0,),) * more + tuple(taps)),
        (1,) * more + tuple(stride),
        grad.shape[2:],
    )
    if plan.share < made.LEAST and groups == 1 and len(input) > 1:
        return False
    result[...] = 0
    weights.weight_gradient(plan, grad, input, result.reshape(len(result), -1), groups)
    return True


def _fits(*arrays: np.ndarray) -> bool:
    dtype = arrays[0].dtype
    return made.available(dtype) and all(
        a.dtype is dtype
        and a.size > 0
        and a.flags.aligned
        and max(n * abs(s) for n, s in zip(a.shape[2:], a.strides[2:], strict=True)) < FAR
        for a in arrays
    )


def _correlate(
    input: np.ndarray,
    rows: np.ndarray,
    bias: np.ndarray | None,
    result: np.ndarray,
    taps: list[Ints],
    stride: Ints,
    groups: int,
) -> bool:
    more = 3 - len(taps)
    if more:  # to three spatial axes, the first ones of length 1
        at: Any = (slice(None), slice(None), *(None,) * more)
        input, result = input[at], result[at]
    plan = made.geometry(
        input.dtype,
        input.shape[2:],
        input.shape[1] // groups,
        _steps(input),
        (((0,),) * more + tuple(taps)),
        (1,) * more + tuple(stride),
        result.shape[2:],
        _steps(result),
    )
    if plan.share < made.LEAST and groups == 1 and len(input) > 1:
        return False
    made.correlate(plan, input, rows, bias, result, groups)
    return True


def _steps(array: np.ndarray) -> Ints:
    """Strides of (channel, *S) in elements; of an axis of length 1, that of dense rows."""
    size = array.itemsize
    found = [s // size for s in array.strides[1:]]
    for axis in (3, 2, 1):
        if array.shape[axis + 1] == 1:
            found[axis] = 1 if axis == 3 else found[axis + 1] * array.shape[axis + 2]
    return tuple(found)
