"""Halves of few numbers, one gated by the other, as native functions: ``glu(array, dim)`` and
``glu_backward(g, array, dim)``.

Arrays are contiguous, float32 or float64. What does not fit goes to the NumPy form, which takes the
same formulas to both halves. Stands on formulas, geometry and jit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flambeau.core.kernels.jit.ir import SIZES, Function, Module, Value
from flambeau.core.kernels.native import table
from flambeau.core.kernels.native.formulas import gated_backward, sigmoid
from flambeau.core.kernels.native.geometry import (
    MOST,
    SIGNATURE,
    around,
    contiguous,
    end,
    require,
    whole,
    wrapped,
)
from flambeau.core.kernels.native.objects import field, made_array, word

__all__ = ["module", "native"]

LARGEST = 1 << 12
"""Numbers from which on the call no longer counts."""
TYPES = ("float", "double")
Sizes = tuple[Value, Value, Value]


def native(name: str, numpy_form: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel of the operation `name`, with `numpy_form` for what it does not take."""
    return table.native(name, numpy_form, module) if name == "glu" else numpy_form


def module() -> Module:
    """Both."""
    made = Module("small_gates", vectorize=True)
    _glu(made)
    _glu_backward(made)
    return made


def _glu(made: Module) -> None:
    f = made.function("glu", SIGNATURE, "ptr")
    require(f, f.argument["n"].eq(2))
    x, dim = (f.load("ptr", f.argument["args"], k) for k in range(2))
    kind, dim, (outer, half, inner) = _halved(f, x, dim)
    ndim, dims, room = _shape(f, x)
    with f.loop(0, ndim) as k:
        f.store(f.select(k.eq(dim), half, f.load("i64", dims, k)), room, k)

    def write(type: str, out: Value) -> None:
        source = field(f, x, table.DATA, "ptr")
        with f.loop(0, outer) as o, f.loop(0, half * inner, independent=True) as i:
            at = o * (half * inner * 2) + i
            a, b = f.load(type, source, at), f.load(type, source, at + half * inner)
            f.store(a * sigmoid(f, b), out, o * (half * inner) + i)

    _by_type(f, kind, ndim, room, outer * half * inner, write)


def _glu_backward(made: Module) -> None:
    f = made.function("glu_backward", SIGNATURE, "ptr")
    require(f, f.argument["n"].eq(3))
    g, x, dim = (f.load("ptr", f.argument["args"], k) for k in range(3))
    kind, dim, (outer, half, inner) = _halved(f, x, dim)
    require(f, contiguous(f, g).eq(kind))
    ndim, dims, room = _shape(f, x)
    own, have = field(f, g, table.DIMS, "ptr"), field(f, g, table.NDIM, "i32").to("i64")
    require(f, have.eq(ndim))
    with f.loop(0, ndim) as k:
        size = f.load("i64", dims, k)
        require(f, f.load("i64", own, k).eq(f.select(k.eq(dim), half, size)))
        f.store(size, room, k)

    def write(type: str, out: Value) -> None:
        source, given = (field(f, each, table.DATA, "ptr") for each in (x, g))
        with f.loop(0, outer) as o, f.loop(0, half * inner, independent=True) as i:
            at, behind = o * (half * inner * 2) + i, half * inner
            a, b = f.load(type, source, at), f.load(type, source, at + behind)
            slope = f.load(type, given, o * behind + i)
            f.store(slope * sigmoid(f, b), out, at)
            f.store(gated_backward(f, slope, a, b), out, at + behind)

    _by_type(f, kind, ndim, room, outer * half * inner * 2, write)


def _halved(f: Function, x: Value, dim: Value) -> tuple[Value, Value, Sizes]:
    """The dtype, the dimension, and how many blocks, slices of a half and elements in a slice."""
    kind, ndim = contiguous(f, x), field(f, x, table.NDIM, "i32").to("i64")
    require(f, ndim.gt(0) & ndim.lt(MOST))
    dim = wrapped(f, whole(f, dim), ndim)
    outer, size, inner = around(f, x, dim)
    require(f, (size & 1).eq(0))
    total = outer * size * inner
    require(f, total.gt(0) & total.lt(LARGEST))
    return kind, dim, (outer, size / 2, inner)


def _shape(f: Function, x: Value) -> tuple[Value, Value, Value]:
    """The rank, the dimensions, and room for as many."""
    ndim = field(f, x, table.NDIM, "i32").to("i64")
    return ndim, field(f, x, table.DIMS, "ptr"), f.memory("i64", MOST)


def _by_type(
    f: Function, kind: Value, ndim: Value, dims: Value, total: Value,
    write: Callable[[str, Value], None],
) -> None:  # fmt: skip
    """Make the result, ``write(type, data)`` it, and return."""
    for type in TYPES:
        k = f.fresh()
        f.branch(kind.eq(word(f, type)), f"is{k}", f"not{k}")
        f.label(f"is{k}")
        out = made_array(f, kind, ndim, dims, total * SIZES[type])
        write(type, field(f, out, table.DATA, "ptr"))
        f.ret(out)
        f.label(f"not{k}")
    f.jump("other")
    end(f)
