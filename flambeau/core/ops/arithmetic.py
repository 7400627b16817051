"""The four operations and their kin: add, sub, mul, div, remainder, pow, neg, abs, sign.
Elementwise, differentiable.

Not here: exp and log (math), comparisons (compare), bits (bitwise). Stands on declare.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.declare import OPERATIONS, composite, elementwise, ops
from flambeau.core.dtypes import ABS, FLOAT, NUMBER, NUMERIC, Rule, of
from flambeau.core.entry import operator
from flambeau.core.entry.several import Several
from flambeau.core.errors import fail
from flambeau.core.kernels import complex_numbers
from flambeau.core.methods import bind
from flambeau.core.numbers import number_for
from flambeau.core.ops.either import underived, vanish
from flambeau.core.ops.rounding import whole_division
from flambeau.core.promotion import result_dtype
from flambeau.core.tensor import Tensor

__all__: list[str] = []

_ROUNDED = Rule("ROUNDED", refuses=frozenset({"bool", "complex", "float8"}))


_SAME = {"V": "f", "W": "c"}  # what ml_dtypes' kinds are among NumPy's


def _kind(x: Any) -> str:
    if isinstance(x, Tensor):
        kind = x._array.dtype.kind
        return _SAME.get(kind, kind)
    return (
        "b"
        if isinstance(x, bool)
        else "i"
        if isinstance(x, (int, np.integer))
        else "c"
        if isinstance(x, complex)
        else "f"
    )


def _scale(name: str, input: Any, other: Any, alpha: Any) -> Any:
    """``alpha * other`` in the dtype of the sum, with PyTorch's checks of alpha.

    Raises:
        RuntimeError: a floating (or complex) alpha for integer (or real) tensors, a bool one for
        others, a difference of bools.
    """
    if name != "add":
        _no_masks(name, input, other)
    kinds = {_kind(input), _kind(other)}
    if isinstance(alpha, Tensor):
        alpha = alpha.item()
    elif isinstance(alpha, np.generic) and not isinstance(alpha, (float, complex)):
        alpha = int(alpha) if isinstance(alpha, np.integer) else float(alpha.real)
    if isinstance(alpha, bool) and kinds != {"b"}:
        raise fail(RuntimeError, name, "Boolean alpha only supported for Boolean results.")
    if kinds == {"b"} and isinstance(alpha, int):
        alpha = bool(alpha)
    if isinstance(alpha, float) and not kinds & {"f", "c"}:
        raise fail(
            RuntimeError,
            name,
            "For integral input tensors, argument alpha must not be a floating point number.",
        )
    if isinstance(alpha, complex) and "c" not in kinds:
        raise fail(
            RuntimeError,
            name,
            "For non-complex input tensors, argument alpha must not be a complex number.",
        )
    if kinds <= {"i", "u"}:
        dtype = (input if isinstance(input, Tensor) else other)._array.dtype
        if isinstance(input, Tensor) and isinstance(other, Tensor):
            dtype = result_dtype([(x._array.dtype, x._array.ndim) for x in (input, other)])
        number_for(name, alpha, dtype)
    if not isinstance(other, Tensor):
        return other and alpha if kinds == {"b"} else other * alpha
    if isinstance(input, Tensor) and input._array.dtype != other._array.dtype:
        both = (input._array, other._array)
        other = other.to(of(result_dtype([(a.dtype, a.ndim) for a in both])))
    return ops.mul(other, alpha)


def _declare_scaled(name: str, other: Any) -> Several:
    """`add` or `sub` with an alpha that is a number: one operation, rounded once."""

    def form(input: Any, other: Any, alpha: Any, out: Any = None) -> Any:
        raise NotImplementedError("the long way multiplies first")

    def body(input, other, alpha: Any):
        return form(input, other, alpha)

    elementwise(
        types=NUMBER, name=f"_{name}_scaled", node=name.capitalize(), function=False,
        method=False, inplace=False, vjp={"input": lambda g: g, "other": other},
    )(body)  # fmt: skip
    return Several(f"_{name}_scaled", f"{name}_", f"{name}_scaled", form)


@elementwise(
    types=NUMBER,
    kernel=np.add,
    bools=True,
    complex=complex_numbers.added,
    alone=True,
    dunder="add",
    alpha=_scale,
    scaled=_declare_scaled("add", lambda g, alpha: g * alpha),
    vjp={"input": lambda g: g, "other": lambda g: g},
)
def add(input, other):
    """``input + alpha * other``, with promotion and broadcasting."""
    return np.add(input, other)


def _no_masks(name: str, input: Any, other: Any) -> Tensor | None:
    """Subtraction is not for masks; but `1 - mask`, which inverted one of bytes, is understood.

    Raises:
        RuntimeError: bools on either side, a tensor of them or one.
    """
    kinds = [
        x._array.dtype.kind == "b" if isinstance(x, Tensor) else isinstance(x, bool)
        for x in (input, other)
    ]
    if not any(kinds):
        return None
    if name == "_rsub" and kinds[0] and type(other) is int and other == 1:
        from flambeau.compat import understood

        if understood("1 - mask", "subtraction with a bool tensor", "~mask"):
            return ops.logical_not(input)  # type: ignore[no-any-return]
    which = "two bool tensors" if all(kinds) else "a bool"
    mend = "^ or logical_xor()" if all(kinds) else "~ or logical_not() to invert a mask"
    raise fail(
        RuntimeError,
        name,
        f"Subtraction, the `-` operator, with {which} is not supported. Use {mend}, or convert "
        "with .to(dtype).",
    )


@elementwise(
    types=NUMERIC,
    kernel=np.subtract,
    complex=complex_numbers.subtracted,
    alone=True,
    first=_no_masks,
    dunder="sub",
    alias=("subtract",),
    alpha=_scale,
    scaled=_declare_scaled("sub", lambda g, alpha: -g * alpha),
    vjp={"input": lambda g: g, "other": lambda g: -g},
)
def sub(input, other):
    """``input - alpha * other``, with promotion and broadcasting."""
    return np.subtract(input, other)


def _rsub_name(node: Any) -> str:
    return f"RsubBackward{int(node.edges[1] is None)}"


@elementwise(
    types=NUMERIC,
    kernel=lambda input, other: np.subtract(other, input),
    complex=lambda input, other: complex_numbers.subtracted(other, input),
    first=_no_masks,
    name="_rsub",
    node=_rsub_name,
    function=False,
    method=False,
    inplace=False,
    vjp={"input": lambda g: -g, "other": lambda g: g},
)
def _rsub(input, other):
    """``other - input``."""
    return np.subtract(other, input)


@composite()
def rsub(input: Tensor, other: Any, alpha: Any = 1) -> Tensor:
    """``other - alpha * input``."""
    if not isinstance(input, Tensor):
        raise fail(
            TypeError,
            "rsub",
            f"argument 'input' (position 1) must be Tensor, not {type(input).__name__}",
        )
    if type(alpha) is int and alpha == 1:
        return ops._rsub(input, other)
    return ops._rsub(_scale("rsub", other, input, alpha), other)


def _divided(self: Tensor, other: Any) -> Any:
    """``(1 / self) * other``, as PyTorch divides; strangers answer themselves."""
    try:
        return self.reciprocal() * other  # type: ignore[attr-defined]
    except TypeError:
        return NotImplemented


bind(__rsub__=operator(OPERATIONS["_rsub"], ops._rsub))


@elementwise(
    types=NUMBER,
    kernel=np.multiply,
    bools=True,
    alone=True,
    dunder="mul",
    numbers="exact",
    alias=("multiply",),
    vjp={"input": lambda g, other: g * other, "other": lambda g, input: g * input},
)
def mul(input, other):
    """``input * other``, with promotion and broadcasting."""
    return np.multiply(input, other)


@elementwise(
    types=FLOAT,
    kernel=np.true_divide,
    name="_div",
    alone=True,
    node="Div",
    dunder="truediv",
    numbers="exact",
    method=False,
    vjp={
        "input": lambda g, other: g / other,
        "other": lambda g, input, other: -g * ((input / other) / other),
    },
)
def _div(input, other):
    """``input / other``."""
    return np.true_divide(input, other)


def _floor_divide_kernel(input: Any, other: Any) -> Any:
    if input.dtype.kind == "f":
        return _floor(input, other)
    return whole_division("floor_divide", np.floor_divide, input, other)


def _floor(a: Any, b: Any) -> Any:
    """Python's floor division with C++'s care for the rounding of a / b, and a / 0 = inf as
    PyTorch has it."""
    found = np.floor_divide(a, b)
    return np.where(b == 0, np.true_divide(a, b), found)


@elementwise(
    types=_ROUNDED,
    kernel=_floor_divide_kernel,
    alone=True,
    upcast=True,
    dunder="floordiv",
    **underived("floor_divide", "input", "other"),
)
def floor_divide(input, other):
    """``floor(input / other)``. Raises RuntimeError for integers divided by zero."""
    return np.floor_divide(input, other)


_ROUNDED_RULES = {"input": lambda g: vanish(g), "other": lambda g: vanish(g)}


@elementwise(
    types=_ROUNDED,
    kernel=_floor_divide_kernel,
    name="_div_floor",
    alone=True,
    node=lambda node: "DivBackward2",
    method=False,
    function=False,
    upcast=True,
    vjp=_ROUNDED_RULES,
)
def _div_floor(input, other):
    """``floor(input / other)``, with the gradient 0."""
    return np.floor_divide(input, other)


@elementwise(
    types=_ROUNDED,
    name="_div_trunc",
    alone=True,
    numbers="exact",
    node=lambda node: "DivBackward2",
    method=False,
    function=False,
    vjp=_ROUNDED_RULES,
)
def _div_trunc(input, other):
    """``trunc(input / other)``."""
    if input.dtype.kind in "iu":
        q = whole_division("div", np.floor_divide, input, other)
        return np.where((q < 0) & (q * other != input), q + 1, q)
    return np.trunc(np.true_divide(input, other))


@composite(method=True, alias=("divide",))
def div(input: Any, other: Any, *, rounding_mode: str | None = None, out: Any = None) -> Tensor:
    """``input / other``; `rounding_mode` "trunc" rounds to zero, "floor" down.

    Raises:
        RuntimeError: an unknown rounding mode, integers divided by zero.
    """
    if rounding_mode is None:
        return ops._div(input, other, out=out)
    return _rounded(rounding_mode)(input, other, out=out)


def _rounded(mode: str) -> Any:
    if mode == "floor":
        return ops._div_floor
    if mode == "trunc":
        return ops._div_trunc
    raise fail(
        RuntimeError,
        "div",
        f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{mode}'",
    )


@composite(method=True, function=False, alias=("divide_",))
def div_(input: Tensor, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """``input /= other``, in place."""
    if rounding_mode is None:
        return ops._div_(input, other)
    return (
        ops._div_floor_(input, other)
        if _rounded(rounding_mode) is ops._div_floor
        else ops._div_trunc_(input, other)
    )


@composite(method=True)
def true_divide(input: Any, other: Any, *, out: Any = None) -> Tensor:
    """``input / other``."""
    return ops._div(input, other, out=out)


@composite(method=True, function=False)
def true_divide_(input: Tensor, other: Any) -> Tensor:
    """``input /= other``, in place."""
    return ops._div_(input, other)


@elementwise(types=NUMERIC, kernel=np.negative, dunder="neg", alias=("negative",), vjp=lambda g: -g)
def neg(input):
    """``-input``. Raises RuntimeError for bool: use ``~``."""
    return np.negative(input)


@elementwise(
    types=ABS,
    kernel=np.absolute,
    dunder="abs",
    alias=("absolute",),
    holomorphic=False,
    vjp=lambda g, input: g * ops.sgn(input),
)
def abs(input):
    """The absolute value; the modulus of complex numbers. Its gradient at 0 is 0."""
    return np.absolute(input)


_abs_in_place = ops.abs_


@composite(method=True, alias=("absolute_",))
def abs_(input: Tensor) -> Tensor:
    """`abs` in place.

    Raises:
        RuntimeError: the tensor is complex, its absolute value is not.
    """
    if input._array.dtype.kind in "cW":
        raise fail(RuntimeError, "abs_", "In-place abs is not supported for complex tensors.")
    return _abs_in_place(input)


@composite(method=True)
def positive(input: Tensor) -> Tensor:
    """The tensor itself. Raises RuntimeError for bool."""
    if input._array.dtype.kind == "b":
        raise fail(RuntimeError, "positive", "The `+` operator, on a bool tensor is not supported.")
    return input


bind(__pos__=positive, __rdiv__=_divided, __rtruediv__=_divided)
