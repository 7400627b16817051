"""Operations on three operands: lerp, addcmul, addcdiv. Elementwise, differentiable. Stands on
declare."""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.declare import composite, elementwise, ops
from flambeau.core.dtypes import Rule
from flambeau.core.entry import ternary
from flambeau.core.entry.several import Several
from flambeau.core.errors import fail
from flambeau.core.kernels.native.choose import fused, in_single, lazily
from flambeau.core.kernels.native.elementwise import Formula
from flambeau.core.numbers import number_for
from flambeau.core.ops.either import times
from flambeau.core.rules import both, with_arrays
from flambeau.core.tensor import Tensor

__all__: list[str] = []
nd = np.ndarray

_LERP = Rule("LERP", refuses=frozenset({"bool", "int", "float8"}))
_ADDCMUL = Rule("ADDCMUL", refuses=frozenset({"bool", "float8"}))
_ADDCDIV = Rule("ADDCDIV", refuses=frozenset({"bool", "int", "float8"}), error=RuntimeError)


def _lerp_kernel(input, end, weight):
    step = end - input
    # From the nearer end, so that weight 1 gives `end` exactly.
    if not weight.ndim:
        return input + weight * step if abs(weight.item()) < 0.5 else end - step * (1 - weight)
    return np.where(np.abs(weight) < 0.5, input + weight * step, end - step * (1 - weight))


_times = lazily(
    "times",
    in_single(lambda g, factor: g * factor),
    Formula(lambda f, g, factor: g * factor, 2, forms=("vs",)),
)
_times_rest = fused("vjp_lerp_input", lambda g, weight: g * (1 - weight))


def _rest(g: Any, weight: Any) -> Any:
    """``g (1 - weight)``; a number keeps its digits where the gradient has 16 bits."""
    return _times_rest(g, weight) if type(weight) is nd else _times(g, 1 - weight)


def _lerp_name(node: Any) -> str:
    saved = node.saved
    tensor = node.edges[2] is not None or (
        isinstance(saved, (tuple, list)) and hasattr(saved[2], "dtype")
    )
    return f"LerpBackward{int(tensor)}"


@elementwise(
    types=_LERP,
    kernel=_lerp_kernel,
    name="_lerp",
    node=_lerp_name,
    function=False,
    method=False,
    upcast=True,
    vjp={
        "input": with_arrays(_rest)(lambda g, weight: g * (1 - weight)),
        "end": lambda g, weight: g * weight,
        "weight": lambda g, input, end: g * (end - input),
    },
)
def _lerp(input, end, weight):
    """``input + weight * (end - input)``."""
    return _lerp_kernel(input, end, weight)


def _one_dtype(name: str, input: Tensor, **others: Any) -> None:
    for label, other in others.items():
        if not isinstance(other, Tensor):
            raise fail(
                TypeError, name, f"argument '{label}' must be Tensor, not {type(other).__name__}"
            )
        if other.dtype is not input.dtype and (label == "end" or other._array.ndim):
            raise fail(
                RuntimeError,
                name,
                f"expected dtype {input.dtype} for `{label}` but got dtype {other.dtype}: "
                f"convert it first.",
            )


def _lerp_args(name: str, input: Tensor, end: Tensor, weight: Any) -> Any:
    if isinstance(input, Tensor):
        _LERP.resolve(name, input._array.dtype)  # a floating weight must not promote whole numbers
    if not isinstance(weight, Tensor):
        _one_dtype(name, input, end=end)
        return weight
    _one_dtype(name, input, end=end, weight=weight)
    return weight if weight.dtype is input.dtype else weight.to(input.dtype)


def _lerp_checked(input: Tensor, end: Tensor, weight: Any, *, out: Tensor | None = None) -> Tensor:
    """``input + weight * (end - input)``: the way from `input` to `end`.

    Raises:
        RuntimeError: dtypes that differ.
        NotImplementedError: integers.
    """
    return ops._lerp(input, end, _lerp_args("lerp", input, end, weight), out=out)


lerp = ternary(ops._lerp.operation, _lerp_checked)
lerp.__name__ = lerp.__qualname__ = "lerp"
lerp.__doc__ = _lerp_checked.__doc__
lerp.__wrapped__ = _lerp_checked  # type: ignore[attr-defined]
composite(method=True)(lerp)


def _long_way(*arrays: Any) -> Any:
    raise NotImplementedError("the long way looks first")


_LERPED = Several("_lerp", "lerp_", "lerp", _long_way, numbers=4)


@composite(method=True, function=False)
def lerp_(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    """`lerp` in place."""
    found = _LERPED.written(input, end, weight)
    if found is not None:
        return found  # type: ignore[no-any-return]
    return ops._lerp_(input, end, _lerp_args("lerp_", input, end, weight))


def _scaled(value: Any, like: Any) -> Any:
    if like.dtype.kind in "iu":
        return like.dtype.type(number_for("addcmul", value, like.dtype))
    return like.dtype.type(value)


def _addcmul(input, tensor1, tensor2, value):
    return (
        input + _scaled(value, input) * tensor1 * tensor2
        if value != 1 or input.dtype.kind == "c"
        else input + tensor1 * tensor2
    )


@elementwise(
    types=_ADDCMUL,
    kernel=_addcmul,
    formula="addcmul_scaled",
    upcast=True,
    vjp={
        "input": lambda g: g,
        "tensor1": lambda g, tensor2, value: g * times(tensor2, value),
        "tensor2": lambda g, tensor1, value: g * times(tensor1, value),
    },
)
def addcmul(input, tensor1, tensor2, *, value: Any = 1):
    """``input + value * tensor1 * tensor2``."""
    return _addcmul(input, tensor1, tensor2, value)


def _addcdiv(input, tensor1, tensor2, value):
    return (
        input + _scaled(value, input) * tensor1 / tensor2
        if value != 1 or input.dtype.kind == "c"
        else input + tensor1 / tensor2
    )


@both
def _dividend_rule(g, tensor2, value):
    if isinstance(tensor2, Tensor):  # `number / tensor` is (1 / tensor) * number: rounded twice
        value = ops.full_like(tensor2, value)
    elif type(value) in (int, float):
        value = np.asarray(value, tensor2.dtype)
    return g * (value / tensor2)


@elementwise(
    types=_ADDCDIV,
    kernel=_addcdiv,
    formula="addcdiv_scaled",
    upcast=True,
    vjp={
        "input": lambda g: g,
        "tensor1": _dividend_rule,
        "tensor2": lambda g, tensor1, tensor2, value: (
            -g * (times(tensor1, value) / (tensor2 * tensor2))
        ),
    },
)
def addcdiv(input, tensor1, tensor2, *, value: Any = 1):
    """``input + value * tensor1 / tensor2``.

    Raises:
        RuntimeError: all operands are integers.
    """
    return _addcdiv(input, tensor1, tensor2, value)
