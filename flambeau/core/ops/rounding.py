"""Rounding, remainders, signs and neighbours: floor, round, remainder, sign, copysign, nextafter,
nan_to_num.

Step functions have the gradient 0, not none. Stands on declare and either.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.declare import composite, elementwise, ops
from flambeau.core.dtypes import NUMBER, REAL_FLOAT, Rule
from flambeau.core.errors import fail
from flambeau.core.kernels.complex_numbers import joined
from flambeau.core.kernels.native.choose import lazily
from flambeau.core.kernels.product import widen
from flambeau.core.ops.either import keep, numbered, underived, vanish
from flambeau.core.silence import refusing_zero
from flambeau.core.tensor import Tensor

__all__: list[str] = []

_ROUND = Rule("ROUND", refuses=frozenset({"bool", "complex", "float8"}))
_FLOATS = Rule("FLOATS", refuses=frozenset({"bool", "int", "complex", "float8"}))
_SIGN = Rule("SIGN", refuses=frozenset({"complex", "float8"}))
_SIGNBIT = Rule("SIGNBIT", result="bool", refuses=frozenset({"complex", "float8"}))
_STEP = Rule("STEP", refuses=frozenset({"complex", "float8"}), error=RuntimeError)


def _whole(ufunc: Any) -> Any:
    """The ufunc for floats; whole numbers are themselves."""

    def kernel(input):
        return input.copy() if input.dtype.kind in "iu" else ufunc(input)

    return kernel


@elementwise(types=_ROUND, kernel=_whole(np.floor), inplace_function=True, vjp=lambda g: vanish(g))
def floor(input):
    """The largest whole number not above input."""
    return np.floor(input)


@elementwise(types=_ROUND, kernel=_whole(np.ceil), inplace_function=True, vjp=lambda g: vanish(g))
def ceil(input):
    """The smallest whole number not below input."""
    return np.ceil(input)


@elementwise(
    types=_ROUND,
    kernel=_whole(np.trunc),
    alias=("fix",),
    inplace_function=True,
    vjp=lambda g: vanish(g),
)
def trunc(input):
    """The whole number next to input towards 0."""
    return np.trunc(input)


@elementwise(
    types=_ROUND,
    kernel=_whole(np.rint),
    name="_round",
    node="Round",
    function=False,
    method=False,
    vjp=lambda g: vanish(g),
)
def _round(input):
    """The nearest whole number, halves to even."""
    return np.rint(input)


def _to_places_by_numpy(input: Any, ten: float) -> Any:
    ten = input.dtype.type(ten)
    return np.rint(input * ten) / ten


_to_places = lazily("rounded_up_to", _to_places_by_numpy)


@elementwise(
    types=_FLOATS,
    name="_round_decimals",
    node=lambda node: "RoundBackward1",
    function=False,
    method=False,
    upcast=True,
    vjp=lambda g: vanish(g),
)
def _round_decimals(input, decimals: int):
    """Rounded to a number of decimals."""
    if 0 < decimals < 30:
        return _to_places(input, 10.0**decimals)
    if decimals == 0:
        return np.rint(input)
    ten = input.dtype.type(10.0 ** np.abs(decimals))
    return np.rint(input * ten) / ten if decimals > 0 else np.rint(input / ten) * ten


@composite(method=True)
def round(input: Tensor, *, decimals: int | None = None, out: Tensor | None = None) -> Tensor:
    """The nearest whole number, halves to even; to `decimals` places (of tens, where negative).

    Raises:
        NotImplementedError: `decimals` given, even as 0, and no floats.
    """
    if decimals is None:
        return ops._round(input, out=out)
    return ops._round_decimals(input, decimals, out=out)


@composite(method=True)
def round_(input: Tensor, *, decimals: int | None = None) -> Tensor:
    """`round` in place."""
    return ops._round_(input) if decimals is None else ops._round_decimals_(input, decimals)


@elementwise(types=_FLOATS, inplace_function=True, vjp=lambda g: g)
def frac(input):
    """``input - trunc(input)``: what follows the point, with input's sign."""
    return input - np.trunc(input)


def whole_division(name: str, ufunc: Any, input: Any, other: Any) -> Any:
    """A division of whole numbers.

    Raises:
        RuntimeError: by zero.
    """
    try:
        return refusing_zero(ufunc, input, other)
    except FloatingPointError:
        raise fail(
            RuntimeError,
            name,
            "ZeroDivisionError: an integer was divided by zero. Mask the zeros, or divide floats.",
        ) from None


def _remainder(input, other):
    if input.dtype.kind in "iu":
        return whole_division("remainder", np.remainder, input, other)
    found = np.fmod(input, other)
    # C's remainder has the dividend's sign; np.remainder would also turn -0 into 0 and is 3 times
    # slower.
    return np.where((found != 0) & ((other < 0) != (found < 0)), found + other, found)


@elementwise(
    types=_ROUND,
    kernel=_remainder,
    dunder="mod",
    upcast=True,
    numbers="rounded",
    node=numbered("Remainder"),
    seen={"RemainderBackward0": (0,)},
    vjp={
        "input": lambda g: g,
        "other": lambda g, input, other: -g * ops.div(input, other, rounding_mode="floor"),
    },
)
def remainder(input, other):
    """``input - floor(input / other) * other``: Python's ``%``, with the sign of `other`.

    Raises:
        RuntimeError: an integer divided by zero.
    """
    return _remainder(input, other)


def _fmod(input, other):
    if input.dtype.kind in "iu":
        return whole_division("fmod", np.fmod, input, other)
    return np.fmod(input, other)


@elementwise(
    operands="first",
    types=_ROUND,
    kernel=_fmod,
    node=numbered("Fmod"),
    seen={"FmodBackward0": (0,)},
    vjp={
        "input": lambda g: g,
        "other": lambda g, input, other: -g * ops.div(input, other, rounding_mode="trunc"),
    },
)
def fmod(input, other):
    """``input - trunc(input / other) * other``: C's fmod, with the sign of `input`.

    Raises:
        RuntimeError: an integer divided by zero.
    """
    return _fmod(input, other)


def _sign(input):
    if input.dtype.kind == "W":
        return _sign(widen(input)).astype(input.dtype)
    if input.dtype.kind == "c":
        size = np.abs(input)
        return np.where(size == 0, input.dtype.type(0), input / size)
    if input.dtype.kind == "b":
        return input.copy()
    found = np.subtract(input > 0, input < 0, dtype=np.int8)  # NaN has the sign 0
    return found.astype(input.dtype)


@elementwise(types=_SIGN, kernel=_sign, vjp=lambda g: vanish(g))
def sign(input):
    """1, 0 or -1 with the sign of input; 0 for NaN."""
    return _sign(input)


def _sgn_grad(g, input, out):
    if not input.is_complex():
        return vanish(g)
    size = ops.abs(input)
    along = ops.real(g * ops.conj_physical(out))
    return keep((g - along * out) / size, size != 0)


@elementwise(types=NUMBER, kernel=_sign, holomorphic=False, vjp=_sgn_grad)
def sgn(input):
    """`sign` for real numbers, ``input / |input|`` for complex ones (0 at 0)."""
    return _sign(input)


@elementwise(types=_SIGNBIT, inplace=False)
def signbit(input):
    """Whether the sign bit is set: True for -0."""
    return np.signbit(input) if input.dtype.kind in "fV" else input < 0


def _copysign_grad(g, input, out):
    return keep(g * (out / input), input != 0)


@elementwise(
    operands="first",
    types=REAL_FLOAT,
    kernel=np.copysign,
    node=lambda node: f"CopysignBackward{int(node.edges[1] is None)}",
    seen={"CopysignBackward1": (0,)},
    vjp={"input": _copysign_grad, "other": lambda g: vanish(g)},
)
def copysign(input, other):
    """The magnitude of `input` with the sign of `other`; the sign of -0 counts."""
    return np.copysign(input, other)


@elementwise(
    operands="tensors",
    types=_FLOATS,
    kernel=np.nextafter,
    vjp={"input": lambda g, input, other: keep(g, input != other), "other": lambda g: vanish(g)},
)
def nextafter(input, other):
    """The next representable number after `input` towards `other`."""
    return np.nextafter(input, other)


@elementwise(
    types=_STEP, name="_heaviside", function=False, method=False, upcast=True,
    **underived("heaviside", "input", "values"),
)  # fmt: skip
def _heaviside(input, values):
    """0 below 0, 1 above, `values` at 0."""
    if input.dtype.kind == "b":
        return input | values
    one, zero = input.dtype.type(1), input.dtype.type(0)
    return np.where(input == 0, values, np.where(input > 0, one, zero))


def _one_dtype(name: str, input: Tensor, values: Any) -> None:
    for label, value in (("input", input), ("values", values)):
        if not isinstance(value, Tensor):
            raise fail(
                TypeError, name, f"argument '{label}' must be Tensor, not {type(value).__name__}"
            )
    if input.dtype is not values.dtype:
        raise fail(
            RuntimeError,
            name,
            f"input is {input.dtype}, values {values.dtype}: give tensors of one dtype.",
        )


@composite(method=True)
def heaviside(input: Tensor, values: Tensor, *, out: Tensor | None = None) -> Tensor:
    """0 where input is below 0, 1 where above, `values` where it is 0.

    Raises:
        RuntimeError: dtypes that differ, complex ones.
    """
    _one_dtype("heaviside", input, values)
    return ops._heaviside(input, values, out=out)


@composite(method=True, function=False)
def heaviside_(input: Tensor, values: Tensor) -> Tensor:
    """`heaviside` in place."""
    _one_dtype("heaviside_", input, values)
    return ops._heaviside_(input, values)


def _nan_to_num(input, nan, posinf, neginf):
    if input.dtype.kind not in "fVc":
        return input.copy()
    if input.dtype.kind == "c":
        parts = (np.array(part) for part in (input.real, input.imag))
        return joined(*(_nan_to_num(part, nan, posinf, neginf) for part in parts))
    from flambeau.core.dtypes import finfo, of

    limits = LIMITS.get(input.dtype)
    if limits is None:
        known = finfo(of(input.dtype))
        limits = LIMITS[input.dtype] = (known.max, known.min)
    high, low = limits
    return _replaced_by_numpy(
        input,
        0.0 if nan is None else nan,
        high if posinf is None else posinf,
        low if neginf is None else neginf,
    )


def _replaced_by_numpy(input, nan, high, low):
    kind = input.dtype.type
    found = np.where(np.isnan(input), kind(nan), input)
    found = np.where(input == kind(np.inf), kind(high), found)
    return np.where(input == kind(-np.inf), kind(low), found)


LIMITS: dict[Any, tuple[float, float]] = {}
"""The largest and the smallest number of a dtype."""


@elementwise(
    types=Rule("NAN_TO_NUM"),
    kernel=_nan_to_num,
    inplace_function=True,
    vjp=lambda g, input: keep(g, ops.isfinite(input)),
)
def nan_to_num(
    input, nan: float | None = 0.0, posinf: float | None = None, neginf: float | None = None
):
    """NaN replaced by `nan`, infinities by `posinf` and `neginf` (the dtype's largest numbers by
    default)."""
    return _nan_to_num(input, nan, posinf, neginf)
