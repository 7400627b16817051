"""``torch.ops.quantized``: sums, products and activations of quantised tensors as functions, which
name the scale of the result. Stands on affine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import flambeau
from flambeau.ao.nn.quantized import affine
from flambeau.ao.quantization.tensor import QTensor
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F

__all__ = ["OPERATIONS"]


def _of_two(compute: Callable[[Tensor, Tensor], Tensor], scalar: Any, relu: bool = False) -> Any:
    """An operation of two tensors, or of a tensor and a number, which keeps the integers."""

    def operation(qa: QTensor, qb: Any, scale: Any = None, zero_point: Any = None) -> Any:
        if not isinstance(qb, Tensor):
            found = scalar(qa, qb)
            return found.relu() if relu else found
        found = compute(qa.dequantize(), qb.dequantize())  # type: ignore[attr-defined]
        return affine.from_values(found.relu() if relu else found, qa, scale, zero_point)

    return operation


def _of_one(compute: Callable[..., Tensor]) -> Any:
    def operation(qx: QTensor, output_scale: float, output_zero_point: int, *args: Any) -> Any:
        return affine.from_values(
            compute(qx.dequantize(), *args), qx, output_scale, output_zero_point
        )

    return operation


def _cat(qx: Sequence[QTensor], dim: int, scale: Any = None, zero_point: Any = None) -> Any:
    first = qx[0]
    scale = first.q_scale() if scale is None else scale
    zero_point = first.q_zero_point() if zero_point is None else zero_point
    return affine.from_values(
        flambeau.cat([q.dequantize() for q in qx], dim), first, scale, zero_point
    )


def _leaky_relu(
    qx: QTensor, negative_slope: float, inplace: bool, output_scale: float, output_zero_point: int
) -> Any:
    found = F.leaky_relu(qx.dequantize(), negative_slope)
    return affine.from_values(found, qx, output_scale, output_zero_point)


OPERATIONS: dict[str, Any] = {
    "add": _of_two(flambeau.add, affine.moved),
    "add_relu": _of_two(flambeau.add, affine.moved, relu=True),
    "add_scalar": affine.moved,
    "cat": _cat,
    "celu": _of_one(F.celu),
    "elu": _of_one(F.elu),
    "hardswish": _of_one(F.hardswish),
    "leaky_relu": _leaky_relu,
    "matmul": _of_two(flambeau.matmul, None),
    "mul": _of_two(flambeau.mul, affine.stretched),
    "mul_relu": _of_two(flambeau.mul, affine.stretched, relu=True),
    "mul_scalar": affine.stretched,
    "relu6": lambda qx, inplace=False: F.relu6(qx),
    "sigmoid": _of_one(flambeau.sigmoid),
}
