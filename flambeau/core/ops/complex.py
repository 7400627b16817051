"""Complex numbers: parts as views, conjugate, angle, polar form. Conjugation is computed at once.

Stands on declare and view.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from flambeau.core.declare import composite, elementwise, ops, primitive
from flambeau.core.declare import view as declare_view
from flambeau.core.dtypes import NUMBER, Rule, of
from flambeau.core.entry import at_first, looking
from flambeau.core.errors import fail
from flambeau.core.ir.abstract import Abstract
from flambeau.core.kernels.order import room
from flambeau.core.methods import bind
from flambeau.core.ops.either import keep, vanish
from flambeau.core.ops.view import strided
from flambeau.core.output import write_one
from flambeau.core.tensor import Tensor

__all__: list[str] = []


def _parts(input):
    """A complex array seen as pairs of real numbers in a new last dimension."""
    plain = type(input) is np.ndarray and input.dtype.kind == "c"
    if plain and input.ndim and input.flags.c_contiguous:
        return input.view(input.real.dtype).reshape(*input.shape, 2)
    kind = of(input.dtype).to_real().numpy
    if type(input) is Abstract:
        return Abstract((*input.shape, 2), kind, (*input.strides, kind.itemsize))
    first = input.real if input.dtype.kind == "c" else input.getfield(kind)
    return strided(first, (*input.shape, 2), (*input.strides, kind.itemsize))


@declare_view(
    name="_view_as_real",
    node="ViewAsReal",
    function=False,
    method=False,
    holomorphic=False,
    vjp=lambda g: ops._view_as_complex(g.contiguous()),
)
def _view_as_real(input):
    """A complex tensor as pairs of real numbers."""
    return _parts(input)


@declare_view(
    name="_view_as_complex",
    node="ViewAsComplex",
    function=False,
    method=False,
    holomorphic=False,
    vjp=lambda g: ops._view_as_real(g),
)
def _view_as_complex(input):
    """Pairs of real numbers as a complex tensor."""
    kind = of(input.dtype).to_complex().numpy
    if type(input) is Abstract:
        return Abstract(input.shape[:-1], kind, input.strides[:-1])
    if input.flags.c_contiguous:
        return input.view(kind)[..., 0]
    pairs = np.lib.stride_tricks.as_strided(input, (*input.shape[:-1], 2), input.strides)
    return pairs.view(kind)[..., 0]


HALVES = {np.dtype("c8"): np.dtype("f4"), np.dtype("c16"): np.dtype("f8")}
TWICE = {half: whole for whole, half in HALVES.items()}
_in_pairs: Callable[..., Any] = at_first(
    globals(), "_in_pairs", lambda: looking(ops._view_as_real.operation, "pairs")
)
_joined: Callable[..., Any] = at_first(
    globals(), "_joined", lambda: looking(ops._view_as_complex.operation, "joined")
)


@composite(method=False)
def view_as_real(input: Tensor) -> Tensor:
    """A complex tensor seen as real pairs ``(..., 2)``.

    Raises:
        RuntimeError: not complex.
    """
    found = _in_pairs(input, HALVES.get(input._array.dtype))
    if found is not None:
        return found  # type: ignore[no-any-return]
    if not input.is_complex():
        raise fail(
            RuntimeError,
            "view_as_real",
            "view_as_real is only supported for complex tensors: this one is " + str(input.dtype),
        )
    return ops._view_as_real(input)


@composite(method=False)
def view_as_complex(input: Tensor) -> Tensor:
    """Real pairs ``(..., 2)`` seen as a complex tensor ``(...)``.

    Raises:
        RuntimeError: not floating, the last dimension is not 2, or its stride (or another) does
        not fit.
    """
    found = _joined(input, TWICE.get(input._array.dtype))
    if found is not None:
        return found  # type: ignore[no-any-return]
    if input.dtype.name not in ("float16", "float32", "float64"):
        raise fail(
            RuntimeError,
            "view_as_complex",
            f"view_as_complex is only supported for half, float and double tensors, but got "
            f"{input.dtype}",
        )
    shape, steps = input.shape, input.stride()
    if not shape:
        raise fail(RuntimeError, "view_as_complex", "Input tensor must have one or more dimensions")
    if shape[-1] != 2:
        raise fail(
            RuntimeError,
            "view_as_complex",
            f"Tensor must have a last dimension of size 2, it has {shape[-1]}",
        )
    if steps[-1] != 1:
        raise fail(
            RuntimeError,
            "view_as_complex",
            "Tensor must have a last dimension with stride 1: call contiguous() first",
        )
    if any(step % 2 for step in steps[:-1]):
        raise fail(
            RuntimeError,
            "view_as_complex",
            "Tensor must have a stride divisible by 2 for all but last dimension",
        )
    return ops._view_as_complex(input)


@composite(method=False)
def real(input: Tensor) -> Tensor:
    """The real part, a view; a real tensor itself.

    Raises:
        TypeError: it is no tensor.
    """
    try:
        kind = input._array.dtype.kind
    except AttributeError:
        raise fail(
            TypeError, "real", f"argument 'input' must be Tensor, not {type(input).__name__}"
        ) from None
    if kind not in "cW":
        return input
    return ops.select(view_as_real(input), -1, 0)


@composite(method=False)
def imag(input: Tensor) -> Tensor:
    """The imaginary part, a view.

    Raises:
        RuntimeError: the tensor is real.
    """
    if input._array.dtype.kind not in "cW":
        raise fail(
            RuntimeError, "imag", "imag is not implemented for tensors with non-complex dtypes."
        )
    return ops.select(view_as_real(input), -1, 1)


def _write_real(self: Tensor, value: Tensor) -> None:
    real(self).copy_(value)


def _write_imag(self: Tensor, value: Tensor) -> None:
    imag(self).copy_(value)


bind(
    real=property(real, _write_real, doc="The real part, a view; a real tensor itself."),
    imag=property(imag, _write_imag, doc="The imaginary part, a view."),
)


@elementwise(
    types=NUMBER,
    kernel=np.conjugate,
    name="_conj",
    function=False,
    method=False,
    holomorphic=False,
    vjp=lambda g: ops.conj(g),
)
def _conj(input):
    """The complex conjugate."""
    return np.conjugate(input)


@composite(method=True)
def conj(input: Tensor) -> Tensor:
    """The complex conjugate; a real tensor itself."""
    return ops._conj(input) if input.is_complex() else input


@elementwise(
    types=NUMBER,
    kernel=np.conjugate,
    name="_conj_physical",
    node="ConjPhysical",
    function=False,
    method=False,
    holomorphic=False,
    vjp=lambda g: ops.conj_physical(g),
)
def _conj_physical(input):
    """The complex conjugate."""
    return np.conjugate(input)


@composite(method=True)
def conj_physical(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The complex conjugate, computed at once; a real tensor itself."""
    if input.is_complex() or out is not None:
        return ops._conj_physical(input, out=out)
    return input


@composite(method=True)
def conj_physical_(input: Tensor) -> Tensor:
    """The complex conjugate in place."""
    return ops._conj_physical_(input) if input.is_complex() else input


def _angle(input):
    if input.dtype.kind == "c":
        return np.arctan2(input.imag, input.real)
    kind = input.dtype.type
    return np.where(np.isnan(input), input, np.where(input < 0, kind(np.pi), kind(0)))


def _angle_grad(g, input):
    if not input.is_complex():
        return vanish(g)
    size = ops.abs(input)
    return keep(g * input * 1j / (size * size), size != 0)


@elementwise(
    types=Rule("ANGLE", result="real", ints_to_float=True),
    kernel=_angle,
    holomorphic=False,
    inplace=False,
    vjp=_angle_grad,
)
def angle(input):
    """The angle of a complex number; 0 or pi for real ones, NaN for NaN."""
    return _angle(input)


def _polar(abs, angle):
    kind = of(abs.dtype).to_complex().numpy
    found = room((abs, angle), kind)
    found.real = abs * np.cos(angle)
    found.imag = abs * np.sin(angle)
    return found


def _polar_grad(g, abs, angle, out):
    back = ops.conj(g)
    return ops.real(back * ops.sgn(out)), ops.real(back * (out * 1j))


@primitive(
    name="_polar",
    node="Polar",
    function=False,
    method=False,
    holomorphic=False,
    vjp={("abs", "angle"): _polar_grad},
    infer=lambda abs, angle: (
        np.broadcast_shapes(abs.shape, angle.shape),
        of(abs.dtype).to_complex().numpy,
    ),
)
def _polar_of(abs, angle):
    """``abs * (cos(angle) + i sin(angle))``."""
    return _polar(abs, angle)


@composite()
def polar(abs: Tensor, angle: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``abs * (cos(angle) + i sin(angle))``.

    Raises:
        RuntimeError: dtypes that differ or are not float32 or float64.
        NotImplementedError: both are float16.
    """
    _check_parts("polar", abs, angle)
    return _written("polar", ops._polar(abs, angle), out)


def _join(real, imag):
    kind = of(real.dtype).to_complex().numpy
    found = room((real, imag), kind if kind.kind == "c" else np.complex64)
    found.real = real
    found.imag = imag
    return found.astype(kind, copy=False)


@primitive(
    name="_complex",
    node="Complex",
    function=False,
    method=False,
    holomorphic=False,
    vjp={"real": lambda g: ops.real(g), "imag": lambda g: ops.imag(g)},
    infer=lambda real, imag: (
        np.broadcast_shapes(real.shape, imag.shape),
        of(real.dtype).to_complex().numpy,
    ),
)
def _complex(real, imag):
    """``real + i * imag``."""
    return _join(real, imag)


def _check_parts(name: str, first: Tensor, second: Tensor) -> None:
    if type(first) is type(second) is Tensor:
        a, b = first._array, second._array
        if a.dtype is b.dtype and a.dtype in TWICE and a.shape == b.shape:
            return
    for label, value in zip(
        ("real", "imag") if name == "complex" else ("abs", "angle"), (first, second), strict=True
    ):
        if not isinstance(value, Tensor):
            raise fail(
                TypeError, name, f"argument '{label}' must be Tensor, not {type(value).__name__}"
            )
    allowed = ("float16", "float32", "float64") if name == "complex" else ("float32", "float64")
    if name == "polar" and first.dtype.name == second.dtype.name == "float16":
        raise fail(
            NotImplementedError,
            name,
            "\"polar_cpu\" not implemented for 'Half'. Convert both inputs with .float() first.",
        )
    if first.dtype.name not in allowed or second.dtype.name not in allowed:
        raise fail(
            RuntimeError,
            name,
            f"Expected both inputs to be of {', '.join(allowed)} but got {first.dtype} and "
            f"{second.dtype}",
        )
    if first.dtype is not second.dtype:
        raise fail(
            RuntimeError,
            name,
            f"Expected object of scalar type {first.dtype} but got {second.dtype} for the second "
            f"argument",
        )
    try:
        np.broadcast_shapes(first.shape, second.shape)
    except ValueError:
        raise fail(
            RuntimeError,
            name,
            f"the parts' shapes {list(first.shape)} and {list(second.shape)} do not broadcast: "
            "dimensions, counted from the right, must be equal or 1.",
        ) from None


def _written(name: str, found: Tensor, out: Tensor | None) -> Tensor:
    return found if out is None else write_one(name, found, out)


@composite()
def complex(real: Tensor, imag: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``real + i * imag``.

    Raises:
        RuntimeError: dtypes that differ, or are not floating.
    """
    _check_parts("complex", real, imag)
    return _written("complex", ops._complex(real, imag), out)


@composite()
def resolve_conj(input: Tensor) -> Tensor:
    """The tensor itself: conjugation is computed at once."""
    return input


@composite()
def resolve_neg(input: Tensor) -> Tensor:
    """The tensor itself: negation is computed at once."""
    return input
