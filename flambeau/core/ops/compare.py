"""Comparisons, the larger and the smaller of two, clamping, and questions about NaN and infinity.

maximum shares its gradient at a tie, clamp passes it at the bounds. Not here: max and min over
dimensions (reduce).
Stands on declare and either.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.declare import composite, elementwise, ops, primitive
from flambeau.core.dtypes import COMPARE, FLOATING_KINDS, ORDER, Rule, default
from flambeau.core.errors import fail
from flambeau.core.inplace import check_inplace, inplace, write_result
from flambeau.core.ir.abstract import Abstract
from flambeau.core.kernels.native.choose import lazily
from flambeau.core.kernels.product import widen
from flambeau.core.numbers import number_for
from flambeau.core.ops.either import keep, numbered, tie
from flambeau.core.ops.windowing import require_tensor
from flambeau.core.rules import with_arrays
from flambeau.core.state import grad_enabled
from flambeau.core.tensor import Tensor, edge_of

nd = np.ndarray
asarray = np.asarray

__all__: list[str] = []

_EXTREME = Rule("EXTREME", refuses=frozenset({"complex", "float8"}), error=RuntimeError)
_CLAMP = Rule("CLAMP", refuses=frozenset({"complex", "float8"}))
_FINITE = Rule("FINITE", result="bool", refuses=frozenset())
_SIGNED = Rule("SIGNED", result="bool", refuses=frozenset({"complex"}), error=RuntimeError)


LARGE = 1 << 31
"""Whole numbers from here on are none of int32, some of int64."""


def _wrapping(compare: Any) -> Any:
    """The comparison; a number that the dtype cannot hold is not compared as it is: the long way
    wraps it.
    """

    def kernel(input, other):
        if type(other) is int and not -LARGE <= other < LARGE:
            raise OverflowError
        return compare(input, other)

    return kernel


def _written(op: Any, args: Any) -> Tensor:
    """A comparison's in-place form: where it records, its answers replace the history."""
    input, other = args
    if not isinstance(input, Tensor) or input._array.dtype.kind not in FLOATING_KINDS:
        return inplace(op, args)
    tensor = other if isinstance(other, Tensor) else None
    recorded = edge_of(input) is not None or (tensor is not None and edge_of(tensor) is not None)
    if not recorded or not grad_enabled():
        return inplace(op, args)
    title = op.name + "_"
    check_inplace(title, input, True)
    found = getattr(ops, op.name)(input, other)._array.astype(input._array.dtype)
    label = f"{op.name.title()}Backward{int(tensor is not None)}"
    write_result(title, input, ops._compared(input, tensor, found, label))
    return input


@elementwise(
    operands="first",
    types=COMPARE,
    kernel=_wrapping(np.equal),
    dunder="eq",
    answers=_written,
)
def eq(input, other):
    """``input == other``, elementwise."""
    return np.equal(input, other)


@elementwise(
    operands="first",
    types=COMPARE,
    kernel=_wrapping(np.not_equal),
    dunder="ne",
    alias=("not_equal",),
    answers=_written,
)
def ne(input, other):
    """``input != other``, elementwise."""
    return np.not_equal(input, other)


@elementwise(
    operands="first",
    types=ORDER,
    kernel=_wrapping(np.less),
    dunder="lt",
    alias=("less",),
    answers=_written,
)
def lt(input, other):
    """``input < other``, elementwise."""
    return np.less(input, other)


@elementwise(
    operands="first",
    types=ORDER,
    kernel=_wrapping(np.less_equal),
    dunder="le",
    alias=("less_equal",),
    answers=_written,
)
def le(input, other):
    """``input <= other``, elementwise."""
    return np.less_equal(input, other)


@elementwise(
    operands="first",
    types=ORDER,
    kernel=_wrapping(np.greater),
    dunder="gt",
    alias=("greater",),
    answers=_written,
)
def gt(input, other):
    """``input > other``, elementwise."""
    return np.greater(input, other)


@elementwise(
    operands="first",
    types=ORDER,
    kernel=_wrapping(np.greater_equal),
    dunder="ge",
    alias=("greater_equal",),
    answers=_written,
)
def ge(input, other):
    """``input >= other``, elementwise."""
    return np.greater_equal(input, other)


@primitive(
    name="_compared",
    function=False,
    method=False,
    node=lambda node: node.params[3],
    vjp={
        "input": lambda g, label: g * 0,
        "other": lambda g, other, label: ops.zeros_like(other),
    },
)
def _compared(input, other=None, found: Any = None, label: str = ""):
    """The answers of a comparison as numbers, which no longer depend on what was compared."""
    return found


@elementwise(
    operands="tensors",
    types=_EXTREME,
    kernel=np.maximum,
    inplace=False,
    vjp={
        "input": lambda g, input, other: tie(g, input, other),
        "other": lambda g, input, other: tie(g, other, input),
    },
)
def maximum(input, other):
    """The larger of two; NaN where either is. The gradient is halved at a tie."""
    return np.maximum(input, other)


@elementwise(
    operands="tensors",
    types=_EXTREME,
    kernel=np.minimum,
    inplace=False,
    vjp={
        "input": lambda g, input, other: tie(g, -input, -other),
        "other": lambda g, input, other: tie(g, -other, -input),
    },
)
def minimum(input, other):
    """The smaller of two; NaN where either is. The gradient is halved at a tie."""
    return np.minimum(input, other)


@elementwise(
    operands="tensors",
    types=_EXTREME,
    kernel=np.fmax,
    inplace=False,
    vjp={
        "input": lambda g, input, other: keep(g, (input >= other) | (other != other)),
        "other": lambda g, input, other: keep(g, ((input >= other) | (other != other)) == 0),
    },
)
def fmax(input, other):
    """The larger of two; a NaN loses against a number."""
    return np.fmax(input, other)


@elementwise(
    operands="tensors",
    types=_EXTREME,
    kernel=np.fmin,
    inplace=False,
    vjp={
        "input": lambda g, input, other: keep(g, (input <= other) | (other != other)),
        "other": lambda g, input, other: keep(g, ((input <= other) | (other != other)) == 0),
    },
)
def fmin(input, other):
    """The smaller of two; a NaN loses against a number."""
    return np.fmin(input, other)


@elementwise(
    operands="first",
    types=_CLAMP,
    kernel=np.maximum,
    name="_clamp_min",
    function=False,
    method=False,
    node=numbered("ClampMin"),
    seen={"ClampMinBackward0": (0,)},
    vjp={
        "input": lambda g, input, min: keep(g, input >= min),
        "min": lambda g, input, min: keep(g, input < min),
    },
)
def _clamp_min(input, min):
    """``max(input, min)``."""
    return np.maximum(input, min)


@elementwise(
    operands="first",
    types=_CLAMP,
    kernel=np.minimum,
    name="_clamp_max",
    function=False,
    method=False,
    node=numbered("ClampMax"),
    seen={"ClampMaxBackward0": (0,)},
    vjp={
        "input": lambda g, input, max: keep(g, input <= max),
        "max": lambda g, input, max: keep(g, input > max),
    },
)
def _clamp_max(input, max):
    """``min(input, max)``."""
    return np.minimum(input, max)


AT_LEAST = lazily("maximum", np.maximum)
AT_MOST = lazily("minimum", np.minimum)


def _clamp_kernel(input, min, max):
    if max is None:
        return AT_LEAST(input, min)
    return AT_MOST(input if min is None else AT_LEAST(input, min), max)


def _inside(g, input, min, max):
    if min is None:
        return keep(g, input <= max)
    if max is None:
        return keep(g, input >= min)
    return keep(g, (input >= min) & (input <= max))


INSIDE = lazily(
    "inside_backward",
    lambda g, x, low, high: np.where((x >= low) & (x <= high), g, g.dtype.type(0)),
)
NUMBERS = frozenset((int, float))


def _inside_arrays(g, input, min, max):
    if type(min) in NUMBERS and type(max) in NUMBERS:
        return INSIDE(g, input, min, max)
    return _inside(g, input, min, max)


def _below(g, input, min, max):
    return keep(g, input < min if max is None else (input < min) & (min < max))


def _above(g, input, min, max):
    return keep(g, input > max if min is None else (input > max) | (max < min))


def _clamp_name(node: Any) -> str:
    tensors = any(edge is not None for edge in node.edges[1:])
    saved = node.saved
    bounds = saved[1:3] if isinstance(saved, (tuple, list)) else ()
    tensors = tensors or any(hasattr(bound, "dtype") for bound in bounds)
    return "ClampBackward0" if tensors else "ClampBackward1"


@elementwise(
    types=_CLAMP,
    kernel=_clamp_kernel,
    name="_clamp",
    function=False,
    method=False,
    node=_clamp_name,
    seen={"ClampBackward1": (0,)},
    vjp={"input": with_arrays(_inside_arrays)(_inside), "min": _below, "max": _above},
)
def _clamp(input, min=None, max=None):
    """``min(max(input, min), max)``."""
    return _clamp_kernel(input, min, max)


def _check_bounds(name: str, input: Any, min: Any, max: Any) -> None:
    """Whether there is a bound; whole ones must be numbers of a whole dtype.

    Raises:
        RuntimeError: there is none, or one does not fit.
    """
    if min is None and max is None:
        raise fail(
            RuntimeError, name, "At least one of 'min' or 'max' must not be None: give a bound."
        )
    given = [bound for bound in (min, max) if bound is not None]
    if isinstance(input, Tensor) and input._array.dtype.kind == "b":
        tensors = [x for x in given if isinstance(x, Tensor) and x._array.dtype.kind == "b"]
        if all(type(bound) is bool for bound in given) or len(tensors) == 2:
            raise fail(
                NotImplementedError,
                name,
                f"\"{name}\" is not implemented for 'Bool' between bools: use & and |.",
            )
    for bound in given:
        if type(bound) is int and not -128 <= bound < 128 and isinstance(input, Tensor):
            number_for(name, bound, input._array.dtype)


@composite(method=True, alias=("clip",))
def clamp(input: Tensor, min: Any = None, max: Any = None, *, out: Tensor | None = None) -> Tensor:
    """``min(max(input, min), max)``, elementwise; the bounds are numbers or tensors, either may be
    left out.

    The gradient passes at the bounds. Where ``min > max`` the result is `max`; a NaN bound gives
    NaN.

    Raises:
        RuntimeError: no bound is given.
    """
    _check_bounds("clamp", input, min, max)
    return ops._clamp(input, min, max, out=out)


@composite(method=True, alias=("clip_",))
def clamp_(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """`clamp` in place."""
    _check_bounds("clamp_", input, min, max)
    return ops._clamp_(input, min, max)


@composite(method=True)
def clamp_min(input: Tensor, min: Any, *, out: Tensor | None = None) -> Tensor:
    """``max(input, min)``; the gradient passes at the bound."""
    _check_bounds("clamp_min", input, min, None)
    return ops._clamp_min(input, min, out=out)


@composite(method=True)
def clamp_min_(input: Tensor, min: Any) -> Tensor:
    """`clamp_min` in place."""
    _check_bounds("clamp_min_", input, min, None)
    return ops._clamp_min_(input, min)


@composite(method=True)
def clamp_max(input: Tensor, max: Any, *, out: Tensor | None = None) -> Tensor:
    """``min(input, max)``; the gradient passes at the bound."""
    _check_bounds("clamp_max", input, None, max)
    return ops._clamp_max(input, max, out=out)


@composite(method=True)
def clamp_max_(input: Tensor, max: Any) -> Tensor:
    """`clamp_max` in place."""
    _check_bounds("clamp_max_", input, None, max)
    return ops._clamp_max_(input, max)


@elementwise(types=_FINITE, kernel=np.isnan, inplace=False, out=False)
def isnan(input):
    """Whether it is NaN (either part, for complex)."""
    return np.isnan(input)


@elementwise(types=_FINITE, kernel=np.isinf, inplace=False, out=False)
def isinf(input):
    """Whether it is infinite (either part, for complex)."""
    return np.isinf(input)


@elementwise(types=_FINITE, kernel=np.isfinite, inplace=False, out=False)
def isfinite(input):
    """Whether it is neither infinite nor NaN."""
    return np.isfinite(input)


@elementwise(types=_SIGNED, inplace=False)
def isposinf(input):
    """Whether it is positive infinity."""
    return np.isinf(input) & (input > 0)


@elementwise(types=_SIGNED, inplace=False)
def isneginf(input):
    """Whether it is negative infinity."""
    return np.isinf(input) & (input < 0)


@elementwise(types=_FINITE, inplace=False, out=False)
def isreal(input):
    """Whether the imaginary part is 0."""
    if input.dtype.kind not in "cW":
        return np.ones_like(input, bool)
    return widen(input).imag == 0


def _same_dtype(name: str, input: Tensor, other: Any) -> None:
    for label, value in (("input", input), ("other", other)):
        if not isinstance(value, Tensor):
            raise fail(
                TypeError, name, f"argument '{label}' must be Tensor, not {type(value).__name__}"
            )
    if input.dtype is not other.dtype:
        raise fail(
            RuntimeError,
            name,
            f"{input.dtype} did not match {other.dtype}: convert one with .to(dtype).",
        )


@composite(method=True)
def isclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Tensor:
    """``|input - other| <= atol + rtol * |other|``, elementwise; infinities only equal themselves.

    Raises:
        RuntimeError: dtypes that differ, negative tolerances.
    """
    _same_dtype("isclose", input, other)
    for name, value in (("rtol", rtol), ("atol", atol)):
        if value < 0:
            raise fail(
                RuntimeError,
                "isclose",
                f"{name} must be greater than or equal to zero, but got {value}",
            )
    close = ops.eq(input, other)
    if equal_nan and (input.is_floating_point() or input.is_complex()):
        close = close | (ops.isnan(input) & ops.isnan(other))
    if rtol == 0 and atol == 0:
        return close
    input, other = input.detach(), other.detach()
    if not (input.is_floating_point() or input.is_complex()):
        input, other = input.to(default()), other.to(default())
    actual = ops.abs(ops.sub(input, other))
    return close | (ops.isfinite(actual) & (actual <= atol + ops.abs(ops.mul(other, rtol))))


@composite(method=True)
def allclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> bool:
    """Whether `isclose` holds everywhere."""
    return bool(np.all(isclose(input, other, rtol, atol, equal_nan)._array))


@composite(method=True)
def equal(input: Tensor, other: Tensor) -> bool:
    """Whether shapes and all elements are equal. NaN equals nothing.

    Raises:
        RuntimeError: meta tensors, which have no elements.
    """
    require_tensor("equal", "input", input)
    require_tensor("equal", "other", other)
    if not isinstance(other, Tensor):
        raise fail(
            TypeError,
            "equal",
            f"argument 'other' (position 2) must be Tensor, not {type(other).__name__}",
        )
    a, b = input._array, other._array
    if type(a) is Abstract or type(b) is Abstract:
        raise fail(NotImplementedError, "equal", "meta tensors have no elements to compare.")
    if a.shape != b.shape:
        return False
    return bool(ops.all(ops.eq(input, other))._array)


@composite(method=True)
def is_nonzero(input: Tensor) -> bool:
    """Whether a one-element tensor is not 0.

    Raises:
        RuntimeError: not exactly one element.
    """
    if input._array.size != 1:
        which = "more than one value" if input._array.size else "no values"
        raise fail(
            RuntimeError,
            "is_nonzero",
            f"Boolean value of Tensor with {which} is ambiguous. Use any() or all().",
        )
    return bool(input.item())
