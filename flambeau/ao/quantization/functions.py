"""The functions of quantised tensors: what a tensor is asked, and tensors made of integers that are
there or that nobody wrote. Stands on tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flambeau
from flambeau.ao.quantization import schemes
from flambeau.ao.quantization.elements import check_dtype, of_dtype
from flambeau.ao.quantization.schemes import STORED
from flambeau.ao.quantization.tensor import QTensor, by_channel, of_integers
from flambeau.core.tensor import Tensor

__all__ = [
    "dequantize",
    "empty_affine",
    "empty_per_channel",
    "int_repr",
    "make_per_channel",
    "make_per_tensor",
    "q_per_channel_axis",
    "q_per_channel_scales",
    "q_per_channel_zero_points",
    "q_scale",
    "q_zero_point",
]


def empty_affine(
    size: Any, *, scale: float = 1.0, zero_point: int = 0, dtype: Any, **options: Any
) -> Any:
    """A tensor of one scale whose elements nobody wrote.

    Raises:
        RuntimeError: the dtype is not quantised.
    """
    check_dtype(dtype)
    whole = flambeau.empty(size, dtype=getattr(flambeau, STORED[dtype]), **options)
    return of_integers(whole, dtype, schemes.per_tensor_affine, float(scale), int(zero_point))


def empty_per_channel(
    size: Any, *, scales: Tensor, zero_points: Tensor, axis: int, dtype: Any, **options: Any
) -> Any:
    """A tensor with a scale for each index along `axis`, whose elements nobody wrote.

    Raises:
        RuntimeError: the dtype is not quantised.
    """
    check_dtype(dtype)
    whole = flambeau.empty(size, dtype=getattr(flambeau, STORED[dtype]), **options)
    return by_channel(whole, dtype, scales, zero_points, axis)


def make_per_tensor(input: Tensor, scale: float, zero_point: int) -> Any:
    """The quantised tensor of integers and a scale.

    Raises:
        RuntimeError: the integers are not uint8, int8 or int32.
    """
    dtype = of_dtype(input)
    return of_integers(
        input.clone(), dtype, schemes.per_tensor_affine, float(scale), int(zero_point)
    )


def make_per_channel(input: Tensor, scale: Tensor, zero_point: Tensor, axis: int) -> Any:
    """The quantised tensor of integers and a scale for each index along `axis`.

    Raises:
        RuntimeError: the integers are not uint8, int8 or int32.
    """
    return by_channel(input.clone(), of_dtype(input), scale, zero_point, axis)


def dequantize(input: Any) -> Any:
    """The numbers of a quantised tensor, or of several."""
    if isinstance(input, Sequence):
        return tuple(dequantize(each) for each in input)
    return input.dequantize()


def int_repr(input: QTensor) -> Tensor:
    """The integers of a quantised tensor."""
    return input.int_repr()


def q_scale(input: QTensor) -> float:
    """The scale of a quantised tensor."""
    return input.q_scale()


def q_zero_point(input: QTensor) -> int:
    """The zero point of a quantised tensor."""
    return input.q_zero_point()


def q_per_channel_scales(input: QTensor) -> Tensor:
    """The scales of a tensor quantised by channel."""
    return input.q_per_channel_scales()


def q_per_channel_zero_points(input: QTensor) -> Tensor:
    """The zero points of a tensor quantised by channel."""
    return input.q_per_channel_zero_points()


def q_per_channel_axis(input: QTensor) -> int:
    """The channels' dimension of a tensor quantised by channel."""
    return input.q_per_channel_axis()


_empty_affine_quantized = empty_affine
_empty_per_channel_affine_quantized = empty_per_channel
_make_per_channel_quantized_tensor = make_per_channel
_make_per_tensor_quantized_tensor = make_per_tensor
