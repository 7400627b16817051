"""Powers: pow, float_power, square, ldexp, frexp. Elementwise, differentiable.

A number as exponent takes NumPy's short ways (square, sqrt, reciprocal) where PyTorch does. Stands
on declare and either.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.declare import composite, elementwise, ops, primitive
from flambeau.core.dtypes import FLOAT, Rule, bfloat16, complex128, float64
from flambeau.core.errors import fail
from flambeau.core.kernels.complex_numbers import power as complex_power
from flambeau.core.kernels.native.choose import by_numpy, fused, lazily
from flambeau.core.kernels.order import in_order, ordered
from flambeau.core.numbers import number_for
from flambeau.core.ops.either import keep
from flambeau.core.tensor import Tensor

__all__: list[str] = []

nd = np.ndarray
_POWER = Rule("POWER", refuses=frozenset({"bool", "float8"}))

SHORT = {
    0.5: lazily("sqrt", np.sqrt),
    1: np.positive,
    2: lazily("square", np.square),
    3: fused("cube", lambda x: x * x * x),
    -0.5: lazily("rsqrt", lambda x: 1 / np.sqrt(x)),
    -1: lazily("reciprocal", np.reciprocal),
    -2: fused("over_square", lambda x: 1 / (x * x)),
}
"""Exponents that need no power function; of one operand NumPy keeps the order as PyTorch does."""


def _power(input, exponent):
    """``input ** exponent``; the exponent is a number, an array, or a number made a 0-d array."""
    if type(input) is not nd:
        if exponent.dtype == np.float32:
            return _rounded_power(input, exponent)
        if exponent.dtype.kind == "i":
            return np.power(input, exponent)  # refuses what the long way computes: 2 ** -1
        input = np.asarray(input, exponent.dtype)
    kind = input.dtype.kind
    if kind in "iu":
        if type(exponent) is int:
            return np.square(input) if exponent == 2 else np.power(input, exponent)
        return _whole_power(input, exponent)
    short = None
    if type(exponent) is not nd:
        short = SHORT.get(exponent)
    elif not exponent.ndim and not (kind == "c" and exponent.imag):
        short = SHORT.get(exponent.item().real)
    if short is not None:
        return short(input)
    if kind == "f" and input.dtype.itemsize == 4:
        return _rounded_power(input, exponent)
    return (_complex_power if kind == "c" else _plain_power)(input, exponent)


_whole_power = lazily("whole_power", ordered(lambda *given: _integer_power(*given)))
_plain_power, _complex_power = by_numpy(np.power), ordered(complex_power)
_rounded_power = lazily(
    "power_of",
    ordered(lambda input, exponent: np.power(input, exponent, dtype=np.float64).astype("f4")),
)
"""float32 powers rounded once: NumPy's own are off by a unit where PyTorch's are not, and cost as
much."""


def _integer_power(input, exponent):
    if input.dtype.kind == "i" and np.any(exponent < 0):
        odd = np.where(exponent % 2 == 0, 1, input).astype(input.dtype)
        fraction = np.where(np.abs(input) == 1, odd, input.dtype.type(0))
        return np.where(exponent < 0, fraction, np.power(input, np.maximum(exponent, 0)))
    return np.power(input, exponent)


def _check_exponent(name: str, input: Any, exponent: Any) -> Tensor | None:
    """Whether integers may be raised to that number. Bools have two powers: that of True, which is
    what they are, and that of False.

    Raises:
        RuntimeError: it is negative, or none of the dtype.
    """
    if type(exponent) is bool and isinstance(input, Tensor) and input._array.dtype.kind == "b":
        return ops.clone(input) if exponent else ops.ones_like(input)  # type: ignore[no-any-return]
    if type(exponent) is int and isinstance(input, Tensor) and input._array.dtype.kind in "iu":
        if exponent < 0:
            raise fail(
                RuntimeError,
                "pow",
                "Integers to negative integer powers are not allowed: the results are fractions. "
                "Convert to float first.",
            )
        number_for("pow", exponent, input._array.dtype)
    if type(exponent) in (int, float) and exponent in _STEPS and isinstance(input, Tensor):
        if input.dtype is bfloat16 and type(input._array) is nd:
            return ops._pow_in_steps(input, exponent)  # type: ignore[no-any-return]
    return None


def _base_grad(g, input, exponent):
    if isinstance(exponent, (int, float, complex)):
        if exponent == 0:
            return ops.zeros_like(g)
        if exponent == 2:
            return g * (exponent * input)
        return g * (exponent * ops.pow(input, exponent - 1))
    return keep(g * (exponent * ops.pow(input, exponent - 1)), exponent != 0)


def _exponent_grad(g, input, exponent, out):
    if isinstance(input, (int, float, complex)):
        if input == 0:
            at_zero = exponent.real >= 0 if exponent.is_complex() else exponent >= 0
            return keep(g * (out * float("-inf")), at_zero == 0)
        return g * (
            out * complex(np.log(complex(input)))
            if isinstance(input, complex)
            else out * float(np.log(float(input)))
        )
    real = exponent.real if exponent.is_complex() else exponent
    return keep(g * (out * ops.log(input)), ((input == 0) & (real >= 0)) == 0)


def _node_name(node: Any) -> str:
    base, exponent = node.edges
    saved = node.saved if isinstance(node.saved, (tuple, list)) else (None, None)
    if base is None and saved[0] is not None and not hasattr(saved[0], "dtype"):
        return "PowBackward2"
    return "PowBackward0" if exponent is None and not hasattr(saved[1], "dtype") else "PowBackward1"


def _inverse_root(x):
    """``1 / sqrt(x)``, rounded once in PyTorch's runs of 64 numbers, at each step behind them."""
    flat = x.reshape(-1)
    found = 1 / np.sqrt(flat)
    whole = flat.size // 64 * 64
    found[:whole] = 1 / np.sqrt(flat[:whole].astype("f4"))
    return found.reshape(x.shape)


_STEPS: dict[float, Any] = {
    3: lambda x: x * x * x,
    -0.5: lambda x: _inverse_root(x),
    -2: lambda x: 1 / (x * x),
}
"""Powers of bfloat16 that are rounded at every step, as PyTorch computes them by whole vectors."""


@elementwise(
    types=_POWER,
    name="_pow_in_steps",
    function=False,
    method=False,
    inplace=False,
    node="Pow",
    vjp=_base_grad,
)
def _pow_in_steps(input, exponent: Any):
    """``input ** exponent`` of bfloat16, for the exponents of few steps."""
    return _STEPS[exponent](input)


@elementwise(
    types=_POWER,
    kernel=_power,
    ordered=True,
    first=_check_exponent,
    name="_pow",
    dunder="pow",
    function=False,
    method=False,
    upcast=True,
    numbers="rounded",
    node=_node_name,
    seen={"PowBackward0": (0,)},
    vjp={"input": _base_grad, "exponent": _exponent_grad},
)
def _pow(input, exponent):
    """``input ** exponent``."""
    return _power(input, exponent)


@composite(method=True)
def pow(input: Any, exponent: Any, *, out: Tensor | None = None) -> Tensor:
    """``input ** exponent``, elementwise; either may be a number.

    Raises:
        RuntimeError: integers to a negative number.
        NotImplementedError: bool to the power of bool.
    """
    return ops._pow(input, exponent, out=out)


@composite(method=True, function=False)
def pow_(input: Tensor, exponent: Any) -> Tensor:
    """``input **= exponent``, in place."""
    return ops._pow_(input, exponent)


@composite(method=True)
def square(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``input ** 2``."""
    if input._array.dtype.kind == "b":
        return ops._pow(input, 2, out=out)
    return ops._square(input, out=out)


@composite(method=True)
def square_(input: Tensor) -> Tensor:
    """``input ** 2``, in place."""
    return ops._pow_(input, 2)


def _doubled(value: Any, kind: Any) -> Any:
    return value.to(kind) if isinstance(value, Tensor) else value


def _is_complex(value: Any) -> bool:
    return value.is_complex() if isinstance(value, Tensor) else isinstance(value, complex)


@composite(method=True)
def float_power(input: Any, exponent: Any, *, out: Tensor | None = None) -> Tensor:
    """``input ** exponent`` in float64 (complex128 where either is complex)."""
    kind = complex128 if _is_complex(input) or _is_complex(exponent) else float64
    if isinstance(out, Tensor) and out.dtype is not kind:
        raise fail(
            RuntimeError,
            "float_power",
            f"the output given to float_power has dtype {out.dtype} but the operation's result "
            f"requires dtype {kind}",
        )
    return ops._pow(_doubled(input, kind), _doubled(exponent, kind), out=out)


@composite(method=True, function=False)
def float_power_(input: Tensor, exponent: Any) -> Tensor:
    """`float_power` in place; the tensor must be float64 or complex128 already."""
    kind = complex128 if _is_complex(input) or _is_complex(exponent) else float64
    if input.dtype is not kind:
        raise fail(
            RuntimeError,
            "float_power_",
            f"the base given to float_power_ has dtype {input.dtype} but the operation's result "
            f"requires dtype {kind}",
        )
    return ops._pow_(input, _doubled(exponent, kind))


@elementwise(
    operands="tensors",
    types=FLOAT,
    inplace_function=True,
    vjp={
        "input": lambda g, other: g * ops._pow(2.0, other),
        "other": lambda g, out: g * out * 0.6931471805599453,
    },
)
def ldexp(input, other):
    """``input * 2 ** other``."""
    return input * _power(np.asarray(2, input.dtype), other)


@primitive(
    outputs=("mantissa", "exponent"),
    differentiable=("mantissa",),
    upcast=True,
    types=Rule(
        "FREXP", refuses=frozenset({"bool", "int", "complex", "float8"}), error=RuntimeError
    ),
    vjp=lambda g, exponent: g[0] / ops._pow(2.0, exponent),
    infer=lambda input: ((input.shape, input.dtype), (input.shape, np.dtype("i4"))),
)
def frexp(input):
    """The mantissa in [0.5, 1) and the integer exponent with ``input = mantissa * 2 **
    exponent``."""
    mantissa, exponent = np.frexp(input)
    found = np.asarray(mantissa), np.asarray(exponent).astype(np.int32)
    return tuple(in_order(result, (input,)) for result in found)
