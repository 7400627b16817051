"""Fake quantisation: numbers rounded to what integers could say, still as floating point, with a
gradient that passes where nothing was clipped (the straight-through estimator).

Reference: Y. Bengio, N. Léonard, A. Courville, "Estimating or Propagating Gradients Through
Stochastic Neurons for Conditional Computation", 2013, arXiv 1308.3432.
"""

from __future__ import annotations

from typing import Any

import flambeau
from flambeau.ao.quantization.tensor import choose_qparams
from flambeau.autograd import Function
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor

__all__ = [
    "fake_quantize_per_channel_affine",
    "fake_quantize_per_tensor_affine",
    "fused_moving_avg_obs_fake_quant",
]


class FakeQuantize(Function):
    """Round to ``(q - zero_point) * scale`` with q from `low` to `high`."""

    @staticmethod
    def forward(
        ctx: Any, input: Tensor, scale: Any, zero_point: Any, low: int, high: int
    ) -> Tensor:
        """The rounded numbers."""
        scale = flambeau.as_tensor(scale, dtype=flambeau.float32)
        steps = input.to(flambeau.float32) * (1 / scale)
        if isinstance(zero_point, Tensor) and zero_point.is_floating_point():
            raw = (steps + zero_point).round()
        else:  # a whole number is added after rounding, so halves go to even multiples of the scale
            raw = steps.round() + zero_point
        ctx.save_for_backward((raw >= low) & (raw <= high))
        kept = flambeau.where(raw.isnan(), low, raw.clamp(low, high))
        return ((kept - zero_point) * scale).to(input.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        """The gradient where nothing was clipped."""
        (kept,) = ctx.saved_tensors
        return grad * kept, None, None, None, None


def _check(name: str, input: Tensor, zero_points: Any, quant_min: int, quant_max: int) -> None:
    if not input.is_floating_point():
        raise fail(NotImplementedError, name, f"not implemented for '{input.dtype.legacy}'.")
    if quant_min > quant_max:
        raise fail(RuntimeError, name, "`quant_min` should be less than or equal to `quant_max`.")
    least, greatest = zero_points or (quant_min, quant_max)
    if not (quant_min <= least and greatest <= quant_max):
        raise fail(RuntimeError, name, "`zero_point` must be between `quant_min` and `quant_max`.")


def fake_quantize_per_tensor_affine(
    input: Tensor, scale: Any, zero_point: Any, quant_min: int, quant_max: int
) -> Any:
    """The numbers an integer from `quant_min` to `quant_max` can say with one scale.

    Args:
        scale, zero_point: numbers, or tensors of one element.

    Raises:
        RuntimeError: the zero point lies outside the bounds.
    """
    zero = int(zero_point)
    _check("fake_quantize_per_tensor_affine", input, (zero, zero), quant_min, quant_max)
    return FakeQuantize.apply(input, float(scale), zero, quant_min, quant_max)


def fake_quantize_per_channel_affine(
    input: Tensor, scale: Tensor, zero_point: Tensor, axis: int, quant_min: int, quant_max: int
) -> Any:
    """`fake_quantize_per_tensor_affine` with a scale for each index along `axis`.

    Args:
        zero_point: int32; or float32 or float16, anywhere.

    Raises:
        RuntimeError: zero points of another dtype, or whole ones outside the bounds.
    """
    if scale.dim() != 1 or len(scale) != input.shape[axis]:
        raise fail(
            RuntimeError,
            "fake_quantize_per_channel_affine",
            "dimensions of scale and zero-point are not consistent with the input's channels.",
        )
    if zero_point.dtype not in (flambeau.int32, flambeau.float32, flambeau.float16):
        raise fail(
            RuntimeError,
            "fake_quantize_per_channel_affine",
            f"Zero-point must be Int32, Float or Half, found {zero_point.dtype}.",
        )
    bounds = None
    if zero_point.dtype is flambeau.int32 and len(zero_point):
        bounds = int(zero_point.min()), int(zero_point.max())
    _check("fake_quantize_per_channel_affine", input, bounds, quant_min, quant_max)
    shape = [1] * input.dim()
    shape[axis] = -1
    return FakeQuantize.apply(
        input, scale.reshape(shape), zero_point.reshape(shape), quant_min, quant_max
    )


def fused_moving_avg_obs_fake_quant(
    input: Tensor,
    observer_on: Tensor,
    fake_quant_on: Tensor,
    running_min: Tensor,
    running_max: Tensor,
    scale: Tensor,
    zero_point: Tensor,
    averaging_const: float,
    quant_min: int,
    quant_max: int,
    ch_axis: int,
    per_row_fake_quant: bool = False,
    symmetric_quant: bool = False,
) -> Any:
    """Observe (moving extremes, the scale they need) and fake-quantise in one call; the tensors
    given are updated in place. An input without elements goes through as it is."""
    if not input.numel():
        return input.clone()
    if observer_on.item():
        with flambeau.no_grad():
            rows = input.movedim(ch_axis, 0).flatten(1) if per_row_fake_quant else None
            low, high = input.aminmax() if rows is None else rows.aminmax(dim=1)
            for running, new in ((running_min, low), (running_max, high)):
                if running.shape != new.shape:
                    running.resize_(new.shape).copy_(new)
                elif bool(running.isinf().any()):
                    running.copy_(new)
                else:
                    running.add_((new - running) * averaging_const)
            scales, zeros = _fused_parameters(
                running_min, running_max, quant_min, quant_max, symmetric_quant
            )
            for given, new in ((scale, scales), (zero_point, zeros)):
                if given.shape != new.shape:
                    given.resize_(new.shape)
                given.copy_(new)
    if not fake_quant_on.item():
        return input
    if per_row_fake_quant:
        return fake_quantize_per_channel_affine(
            input, scale, zero_point, ch_axis, quant_min, quant_max
        )
    return fake_quantize_per_tensor_affine(input, scale, zero_point, quant_min, quant_max)


def _fused_parameters(
    low: Tensor, high: Tensor, least: int, greatest: int, symmetric: bool
) -> tuple[Tensor, Tensor]:
    """Scales and zero points; symmetric ones clip neither side."""
    scales, zeros = [], []
    half = (greatest - least) // 2
    pairs = zip(low.reshape(-1).tolist(), high.reshape(-1).tolist(), strict=True)
    for lowest, highest in pairs:
        if symmetric and lowest < 0 < highest:
            reach = max(abs(lowest / (half + 1)), abs(highest / half))
            lowest, highest = -reach * (half + 1), reach * half
        scale, zero = choose_qparams(lowest, highest, least, greatest)
        scales.append(scale)
        zeros.append(zero)
    return flambeau.tensor(scales), flambeau.tensor(zeros, dtype=flambeau.int32)
