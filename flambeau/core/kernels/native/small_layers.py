"""Layer normalisation of few numbers as a native function: ``layer(input, shape, weight, bias,
eps)`` gives the result, the rows' means and 1 / deviations.

Arrays are contiguous and of one dtype, float32 or float64; rows are the dimensions in `shape`. Sums
are kept in double precision. What does not fit goes to the NumPy form, larger arrays to
``generate.layer``. Stands on geometry and jit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flambeau.core.kernels.jit.ir import SIZES, Function, Module
from flambeau.core.kernels.native import table
from flambeau.core.kernels.native.geometry import (
    MOST,
    SIGNATURE,
    contiguous,
    end,
    items_of,
    require,
    whole,
)
from flambeau.core.kernels.native.objects import field, made_array, python_number, tuple_of, word

__all__ = ["native"]

LARGEST = 1 << 11
"""Numbers from which on the call no longer counts."""
TYPES = ("float", "double")


def native(name: str, numpy_form: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel of the operation `name`, with `numpy_form` for what it does not take."""
    if name != "_native_layer_norm":
        return numpy_form
    return table.native("layer", numpy_form, module)


def module() -> Module:
    """The function."""
    made = Module("small_layer", vectorize=True)
    loops = {type: _rows(made, type) for type in TYPES}
    f = made.function("layer", SIGNATURE, "ptr")
    require(f, f.argument["n"].eq(5))
    x, shape, weight, bias, eps = (f.load("ptr", f.argument["args"], k) for k in range(5))
    kind, none = contiguous(f, x), word(f, "none")
    ndim, dims = field(f, x, table.NDIM, "i32").to("i64"), field(f, x, table.DIMS, "ptr")
    require(f, ndim.lt(MOST))
    count, sizes = items_of(f, shape)
    require(f, count.gt(0) & count.le(ndim))
    rows, width = f.variable("i64", 1), f.variable("i64", 1)
    room = f.memory("i64", MOST)
    with f.loop(0, ndim - count) as k:
        size = f.load("i64", dims, k)
        rows.set(rows.get() * size)
        f.store(size, room, k)
    with f.loop(0, count) as k:
        size = f.load("i64", dims, ndim - count + k)
        require(f, whole(f, f.load("ptr", sizes, k)).eq(size))
        width.set(width.get() * size)
        f.store(f.index(1), room, ndim - count + k)
    total = rows.get() * width.get()
    require(f, total.gt(0) & total.lt(LARGEST))
    places = []
    for parameter in (weight, bias):
        place = f.variable("ptr", f.value("ptr", 0))
        with f.when(parameter.ne(none)):
            require(f, contiguous(f, parameter).eq(kind))
            require(f, field(f, parameter, table.NDIM, "i32").to("i64").eq(count))
            own = field(f, parameter, table.DIMS, "ptr")
            with f.loop(0, count) as k:
                require(f, f.load("i64", own, k).eq(f.load("i64", dims, ndim - count + k)))
            place.set(field(f, parameter, table.DATA, "ptr"))
        places.append(place.get())
    _, number, _ = python_number(f, eps)
    for type in TYPES:
        way = f.fresh()
        f.branch(kind.eq(word(f, type)), f"is{way}", f"not{way}")
        f.label(f"is{way}")
        item = SIZES[type]
        results = [
            made_array(f, kind, ndim, sizes, size * item)
            for sizes, size in ((dims, total), (room, rows.get()), (room, rows.get()))
        ]
        data = [field(f, r, table.DATA, "ptr") for r in results]
        f.call(
            loops[type], "void", field(f, x, table.DATA, "ptr"), *places, *data, rows.get(),
            width.get(), number.get(),
        )  # fmt: skip
        f.ret(tuple_of(f, *results))
        f.label(f"not{way}")
    f.jump("other")
    end(f)
    return made


def _rows(made: Module, type: str) -> Function:
    """All rows; weight and bias may be null."""
    pointers = [("ptr", p) for p in ("x", "weight", "bias", "out", "means", "scales")]
    f = made.function(
        f"rows_{type}", (*pointers, ("i64", "rows"), ("i64", "width"), ("double", "eps")),
        internal=True, attributes="noinline",
    )  # fmt: skip
    a = f.argument
    width, count = a["width"], a["width"].to("double")
    with f.loop(0, a["rows"]) as r:
        x, out = (f.at(a[p], r * width, type) for p in ("x", "out"))
        total = f.variable("double", 0.0)
        with f.loop(0, width) as i:
            total.set(total.get() + f.load(type, x, i).to("double"))
        mean = total.get() / count
        squares = f.variable("double", 0.0)
        with f.loop(0, width) as i:
            away = f.load(type, x, i).to("double") - mean
            squares.set(squares.get() + away * away)
        deviation = f.intrinsic("sqrt", squares.get() / count + a["eps"])
        scale, centre = (f.value("double", 1.0) / deviation).to(type), mean.to(type)
        f.store(centre, a["means"], r)
        f.store(scale, a["scales"], r)
        with f.loop(0, width, independent=True) as i:
            f.store((f.load(type, x, i) - centre) * scale, out, i)
        with f.when(a["weight"].ne(0)), f.loop(0, width, independent=True) as i:
            f.store(f.load(type, out, i) * f.load(type, a["weight"], i), out, i)
        with f.when(a["bias"].ne(0)), f.loop(0, width, independent=True) as i:
            f.store(f.load(type, out, i) + f.load(type, a["bias"], i), out, i)
    return f
