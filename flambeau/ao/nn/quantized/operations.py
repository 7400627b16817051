"""``torch.ops.quantized``: sums, products and activations of quantised tensors as functions, which
name the scale of the result. Stands on affine."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import flambeau
from flambeau.ao.nn.quantized import affine
from flambeau.ao.quantization.tensor import QTensor
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F

__all__ = ["OPERATIONS", "Packed"]


@dataclasses.dataclass
class Packed:
    """A quantised weight, its bias, and how a convolution with it steps."""

    weight: Any
    bias: Tensor | None
    options: dict[str, Any] = dataclasses.field(default_factory=dict)


def _weighted(name: str, relu: bool) -> Any:
    """A linear map or a convolution whose weight is packed."""
    axis = -1 if name == "linear" else -1 - int(name[4])

    def operation(qx: QTensor, packed: Packed, scale: Any, zero_point: Any) -> Any:
        compute = getattr(F, name)

        def multiply(x: Tensor, w: Tensor) -> Any:
            return compute(x, w, None, *packed.options.values())

        return affine.product(
            f"quantized::{name}", multiply, qx, packed.weight, packed.bias, float(scale),
            int(zero_point), relu, axis,
        )  # fmt: skip

    return operation


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
for _name in ("linear", "conv1d", "conv2d", "conv3d"):
    OPERATIONS[_name], OPERATIONS[f"{_name}_relu"] = _weighted(_name, False), _weighted(_name, True)
for _name, _operation in list(OPERATIONS.items()):
    if getattr(_operation, "__name__", "") in ("operation", "_cat", "_leaky_relu"):
        _operation.__name__ = _operation.__qualname__ = _name
        _operation.__module__ = "torch.ops.quantized"
