"""Softmax, its logarithm and their gradients along short last dimensions, as native functions.

The arrays are contiguous, a row has at most `LONGEST` numbers; a gradient may repeat one number.
Longer rows and other dimensions go to the NumPy form. Stands on views, smooth and jit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flambeau.core.kernels.jit.ir import Function, Module, Value
from flambeau.core.kernels.native import table
from flambeau.core.kernels.native.elementwise import repeating, same_shape
from flambeau.core.kernels.native.formulas import exp
from flambeau.core.kernels.native.geometry import SIGNATURE, end, require, whole, wrapped
from flambeau.core.kernels.native.objects import field, new_array, word
from flambeau.core.kernels.native.smooth import log

__all__ = ["lazily"]

LONGEST = 256
LARGEST = 1 << 15
"""Numbers at most: beyond, other cores help (``generate.softmax``)."""
TYPES = ("float", "double")

Row = Callable[[Function, str, list[Value], list[Value], Value, Value], None]
"""row(f, type, inputs, their steps, output, count) writes the code of one row."""


def _sum(f: Function, type: str, count: Value, term: Callable[[Value], Value]) -> Value:
    """The sum of ``term(i)``, kept in double precision: one after the other loses nothing then."""
    total = f.variable("double", 0.0)
    with f.loop(0, count) as i:
        total.set(total.get() + term(i).to("double"))
    return total.get().to(type)


def _largest(f: Function, type: str, x: Value, count: Value) -> Value:
    top = f.variable(type, f.load(type, x))
    with f.loop(1, count) as i:
        each = f.load(type, x, i)
        top.set(f.select(each.gt(top.get()), each, top.get()))
    return top.get()


def _exponentials(
    f: Function, type: str, x: Value, out: Value, count: Value
) -> tuple[Value, Value]:
    """``exp(x - max)`` into `out`; the maximum, and their sum."""
    top = _largest(f, type, x, count)
    with f.loop(0, count, independent=True) as i:
        f.store(exp(f, f.load(type, x, i) - top), out, i)
    return top, _sum(f, type, count, lambda i: f.load(type, out, i))


def _softmax(f: Function, type: str, given: Any, steps: Any, out: Value, count: Value) -> None:
    _, total = _exponentials(f, type, given[0], out, count)
    with f.loop(0, count, independent=True) as i:
        f.store(f.load(type, out, i) / total, out, i)


def _log_softmax(f: Function, type: str, given: Any, steps: Any, out: Value, count: Value) -> None:
    top, total = _exponentials(f, type, given[0], out, count)
    total = log(f, total)
    with f.loop(0, count, independent=True) as i:
        f.store(f.load(type, given[0], i) - top - total, out, i)


def _softmax_backward(
    f: Function, type: str, given: Any, steps: Any, out: Value, count: Value
) -> None:
    (g, y), (step, _) = given, steps
    total = _sum(f, type, count, lambda i: f.load(type, g, i * step) * f.load(type, y, i))
    with f.loop(0, count, independent=True) as i:
        each = f.load(type, y, i)
        f.store(f.load(type, g, i * step) * each - each * total, out, i)


def _log_softmax_backward(
    f: Function, type: str, given: Any, steps: Any, out: Value, count: Value
) -> None:
    (g, y), (step, _) = given, steps
    total = _sum(f, type, count, lambda i: f.load(type, g, i * step))
    with f.loop(0, count, independent=True) as i:
        f.store(f.load(type, g, i * step) - exp(f, f.load(type, y, i)) * total, out, i)


ROWS: dict[str, tuple[Row, int]] = {
    "softmax": (_softmax, 1),
    "log_softmax": (_log_softmax, 1),
    "softmax_backward": (_softmax_backward, 2),
    "log_softmax_backward": (_log_softmax_backward, 2),
}


def _row(made: Module, name: str, type: str) -> Function:
    """All rows of one array."""
    write, arity = ROWS[name]
    places = [("ptr", f"x{k}") for k in range(arity)]
    steps = [("i64", f"s{k}") for k in range(arity)]
    f = made.function(
        f"{name}_{type}", (*places, *steps, ("ptr", "out"), ("i64", "rows"), ("i64", "count")),
        internal=True, attributes="noinline",
    )  # fmt: skip
    count = f.argument["count"]
    with f.loop(0, f.argument["rows"]) as r:
        start = r * count
        own = [f.argument[f"s{k}"] for k in range(arity)]
        given = [f.at(f.argument[f"x{k}"], start * own[k], type) for k in range(arity)]
        write(f, type, given, own, f.at(f.argument["out"], start, type), count)
    return f


def module(name: str) -> Module:
    """name(array, ..., dim) for both dtypes."""
    made = Module(name, vectorize=True)
    shaped, repeats = same_shape(made), repeating(made)
    rows = {type: _row(made, name, type) for type in TYPES}
    arity = ROWS[name][1]
    f = made.function(name, SIGNATURE, "ptr")
    require(f, f.argument["n"].eq(arity + 1))
    args = [f.load("ptr", f.argument["args"], k) for k in range(arity + 1)]
    lead = args[arity - 1]
    kind = field(f, lead, table.DESCR, "ptr")
    require(f, field(f, lead, table.TYPE, "ptr").eq(word(f, "ndarray")))
    require(f, (field(f, lead, table.FLAGS, "i32") & table.C_CONTIGUOUS).ne(0))
    ndim = field(f, lead, table.NDIM, "i32").to("i64")
    require(f, ndim.gt(0))
    require(f, wrapped(f, whole(f, args[arity]), ndim).eq(ndim - 1))
    dims = field(f, lead, table.DIMS, "ptr")
    count = f.load("i64", dims, ndim - 1)
    require(f, count.gt(0) & count.le(LONGEST))
    steps = [f.variable("i64", 1) for _ in range(arity)]
    for k, x in enumerate(args[: arity - 1]):
        require(f, field(f, x, table.TYPE, "ptr").eq(word(f, "ndarray")))
        require(f, field(f, x, table.DESCR, "ptr").eq(kind))
        require(f, f.call(shaped, "i1", x, lead))
        with f.when((field(f, x, table.FLAGS, "i32") & table.C_CONTIGUOUS).eq(0)):
            require(f, f.call(repeats, "i1", x))
            steps[k].set(0)
    total = f.variable("i64", 1)
    with f.loop(0, ndim - 1) as i:
        total.set(total.get() * f.load("i64", dims, i))
    require(f, (total.get() * count).le(LARGEST))
    require(f, kind.eq(word(f, "float")) | kind.eq(word(f, "double")))
    null = f.value("ptr", 0)
    size = f.select(kind.eq(word(f, "float")), f.index(4), 8)
    out = new_array(f, kind, ndim.to("i32"), dims, total.get() * count * size)
    k = f.fresh()
    f.branch(out.eq(null), f"failed{k}", f"made{k}")
    f.label(f"failed{k}")
    f.ret(null)
    f.label(f"made{k}")
    places = [field(f, x, table.DATA, "ptr") for x in args[:arity]]
    for type in TYPES:
        with f.when(kind.eq(word(f, type))):
            f.call(
                rows[type], "void", *places, *[s.get() for s in steps],
                field(f, out, table.DATA, "ptr"), total.get(), count,
            )  # fmt: skip
    f.ret(out)
    end(f)
    return made


def lazily(name: str, numpy_form: Callable[..., Any]) -> Callable[..., Any]:
    """The function of that name in `ROWS`, native from its first call on; `numpy_form` takes what
    the native one does not.
    """
    return table.lazily(name, numpy_form, partial(module, name))
