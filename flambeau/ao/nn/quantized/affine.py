"""Products of integers with scales, and the way back to integers: what the layers here compute.

Sums of products are exact (float64 holds them); the scales come in float32, in the order in which
kernels for integers apply them. Stands on ao.quantization.tensor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flambeau
from flambeau.ao.quantization import schemes
from flambeau.ao.quantization.schemes import BOUNDS, STORED
from flambeau.ao.quantization.tensor import (
    QTensor,
    choose_qparams,
    of_integers,
    quantize_per_channel,
    quantize_per_tensor,
)
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor

__all__ = [
    "centred", "dynamic_product", "from_values", "moved", "observed_weight", "product",
    "scales_of", "stretched",
]  # fmt: skip

Product = Callable[[Tensor, Tensor], Any]
"""The layer's linear map of an input and a weight."""


def observed_weight(weight: Tensor, observer: Any) -> Any:
    """A weight quantised as its observer says."""
    if not isinstance(observer, flambeau.nn.Module):
        observer = observer()
    observer(weight)
    scale, zero = observer.calculate_qparams()
    with flambeau.no_grad():
        weight = weight.detach().float()
        if observer.qscheme in (schemes.per_tensor_affine, schemes.per_tensor_symmetric):
            return quantize_per_tensor(weight, float(scale), int(zero), observer.dtype)
        return quantize_per_channel(weight, scale, zero, observer.ch_axis, observer.dtype)


def centred(q: QTensor) -> Tensor:
    """The integers less their zero point."""
    values = q.int_repr().to(flambeau.float64)
    if q.qscheme() is schemes.per_tensor_affine:
        return values - q.q_zero_point()
    tall = [1] * values.dim()
    tall[q.q_per_channel_axis()] = -1
    return values - q.q_per_channel_zero_points().reshape(tall)


def scales_of(weight: QTensor) -> Tensor:
    """The weight's scale, or those of its channels, as float32."""
    if weight.qscheme() is schemes.per_tensor_affine:
        return flambeau.tensor([weight.q_scale()], dtype=flambeau.float32)
    return weight.q_per_channel_scales().to(flambeau.float32)


def _along(values: Tensor, ndim: int, axis: int) -> Tensor:
    wide = [1] * ndim
    wide[axis] = -1
    return values.reshape(wide)


def product(
    name: str, multiply: Product, input: Any, weight: QTensor, bias: Tensor | None, scale: float,
    zero_point: int, relu: bool = False, axis: int = -1,
) -> Any:  # fmt: skip
    """The quantised product of two quantised tensors.

    Args:
        axis: the output's channels.

    Raises:
        NotImplementedError: the input is not quantised.
    """
    if not isinstance(input, QTensor):
        raise fail(
            NotImplementedError,
            name,
            "Could not run with arguments from the 'CPU' backend: its input is quantised "
            "(torch.quantize_per_tensor, or a QuantStub before it).",
        )
    with flambeau.no_grad():
        sums = multiply(centred(input), centred(weight)).to(flambeau.float32)
        together = flambeau.tensor(input.q_scale(), dtype=flambeau.float32) * scales_of(weight)
        if bias is not None:
            sums = sums + _along(bias.detach() / together, sums.dim(), axis)
        sums = sums * _along(together / scale, sums.dim(), axis)
        return _rounded(sums, scale, zero_point, flambeau.quint8, relu)


def _rounded(steps: Tensor, scale: float, zero_point: int, dtype: Any, relu: bool = False) -> Any:
    """Numbers in steps of the scale as integers."""
    low, high = BOUNDS[dtype]
    found = steps.round() + zero_point
    found = found.clamp(zero_point if relu else low, high).to(getattr(flambeau, STORED[dtype]))
    return of_integers(found, dtype, schemes.per_tensor_affine, scale, zero_point, None)


def dynamic_product(
    multiply: Product, input: Tensor, weight: QTensor, bias: Tensor | None
) -> Tensor:
    """The product of numbers, quantised to seven bits as they come, and a quantised weight."""
    with flambeau.no_grad():
        low, high = (float(input.min()), float(input.max())) if input.numel() else (0.0, 0.0)
        scale, zero = choose_qparams(low, high, 0, 127)
        seen = (input.detach() * (1 / flambeau.tensor(scale, dtype=flambeau.float32))).round()
        steps = (seen + zero).clamp(0, 127).to(flambeau.float64) - zero
        sums = multiply(steps, centred(weight)).to(flambeau.float32)
        sums = sums * (flambeau.tensor(scale, dtype=flambeau.float32) * scales_of(weight))
        return sums if bias is None else sums + bias.detach()  # type: ignore[no-any-return]


def from_values(values: Tensor, like: Any, scale: Any, zero_point: Any) -> Any:
    """Numbers as integers of the dtype of another tensor."""
    return quantize_per_tensor(values, float(scale), int(zero_point), like.dtype)


def moved(q: QTensor, number: float) -> Any:
    """``q + number``: another zero point, and another scale where the integers end."""
    low, high = BOUNDS[q.dtype]
    scale = q.q_scale()
    zero = q.q_zero_point() - round(number / scale)
    if low <= zero <= high:
        return of_integers(q.int_repr(), q.dtype, schemes.per_tensor_affine, scale, zero, None)
    edge = low if zero < low else high
    wider = (high - zero if zero < low else zero - low) / (high - low) * scale
    steps = (q.int_repr().to(flambeau.float64) - zero) * (scale / wider)
    return _rounded(steps, wider, edge, q.dtype)


def stretched(q: QTensor, number: float) -> Any:
    """``q number``: another scale, the integers turned round where the number is negative."""
    low, high = BOUNDS[q.dtype]
    if number == 0:
        return _rounded(centred(q) * 0, 1.0, 0, q.dtype)
    scale, zero, integers = q.q_scale() * abs(number), q.q_zero_point(), q.int_repr()
    if number < 0:
        zero = low + high - zero
        integers = (low + high - integers.to(flambeau.int32)).to(integers.dtype)
    return of_integers(integers, q.dtype, schemes.per_tensor_affine, scale, zero, None)
