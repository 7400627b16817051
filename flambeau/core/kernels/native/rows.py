"""Softmax, its logarithm and their gradients along short dimensions, as native functions.

The arrays are contiguous, a row has at most `LONGEST` numbers; a gradient may repeat one number.
Longer rows, and other dimensions of larger arrays, go to the NumPy form. Stands on views, smooth
and jit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flambeau.core.kernels.jit.ir import Function, Module, Value
from flambeau.core.kernels.native import table
from flambeau.core.kernels.native.elementwise import repeating, same_shape
from flambeau.core.kernels.native.formulas import exp
from flambeau.core.kernels.native.geometry import (
    SIGNATURE,
    contiguous,
    end,
    require,
    whole,
    wrapped,
)
from flambeau.core.kernels.native.objects import field, made_array, word
from flambeau.core.kernels.native.smooth import log

__all__ = ["lazily"]

LONGEST = 256
LARGEST = 1 << 15
"""Numbers at most: beyond, other cores help (``generate.softmax``)."""
ACROSS = 1 << 10
"""Numbers at most of an array that is not walked along its last dimension."""
TYPES = ("float", "double")


class Numbers:
    """The numbers of a row, which lie side by side or `apart`."""

    def __init__(self, f: Function, type: str, first: Value, apart: Value | None) -> None:
        self.f, self.type, self.first, self.apart = f, type, first, apart

    def _at(self, i: Any) -> Any:
        return i if self.apart is None else i * self.apart

    def __getitem__(self, i: Any) -> Value:
        return self.f.load(self.type, self.first, self._at(i))

    def __setitem__(self, i: Any, value: Value) -> None:
        self.f.store(value, self.first, self._at(i))


Row = Callable[[Function, str, list[Numbers], Numbers, Value], None]
"""row(f, type, inputs, output, count) writes the code of one row."""


def _sum(f: Function, type: str, count: Value, term: Callable[[Value], Value]) -> Value:
    """The sum of ``term(i)``, kept in double precision: one after the other loses nothing then."""
    total = f.variable("double", 0.0)
    with f.loop(0, count) as i:
        total.set(total.get() + term(i).to("double"))
    return total.get().to(type)


def _largest(f: Function, type: str, x: Numbers, count: Value) -> Value:
    top = f.variable(type, x[f.index(0)])
    with f.loop(1, count) as i:
        each = x[i]
        top.set(f.select(each.gt(top.get()), each, top.get()))
    return top.get()


def _exponentials(
    f: Function, type: str, x: Numbers, out: Numbers, count: Value
) -> tuple[Value, Value]:
    """``exp(x - max)`` into `out`; the maximum, and their sum."""
    top = _largest(f, type, x, count)
    with f.loop(0, count, independent=True) as i:
        out[i] = exp(f, x[i] - top)
    return top, _sum(f, type, count, lambda i: out[i])


def _softmax(f: Function, type: str, given: Any, out: Numbers, count: Value) -> None:
    _, total = _exponentials(f, type, given[0], out, count)
    with f.loop(0, count, independent=True) as i:
        out[i] = out[i] / total


def _log_softmax(f: Function, type: str, given: Any, out: Numbers, count: Value) -> None:
    top, total = _exponentials(f, type, given[0], out, count)
    total = log(f, total)
    with f.loop(0, count, independent=True) as i:
        out[i] = given[0][i] - top - total


def _softmax_backward(f: Function, type: str, given: Any, out: Numbers, count: Value) -> None:
    g, y = given
    total = _sum(f, type, count, lambda i: g[i] * y[i])
    with f.loop(0, count, independent=True) as i:
        each = y[i]
        out[i] = g[i] * each - each * total


def _log_softmax_backward(f: Function, type: str, given: Any, out: Numbers, count: Value) -> None:
    g, y = given
    total = _sum(f, type, count, lambda i: g[i])
    with f.loop(0, count, independent=True) as i:
        out[i] = g[i] - exp(f, y[i]) * total


ROWS: dict[str, tuple[Row, int]] = {
    "softmax": (_softmax, 1),
    "log_softmax": (_log_softmax, 1),
    "softmax_backward": (_softmax_backward, 2),
    "log_softmax_backward": (_log_softmax_backward, 2),
}


def _row(made: Module, name: str, type: str, across: bool) -> Function:
    """All rows of one array; `across`: their numbers lie `inner` apart."""
    write, arity = ROWS[name]
    places = [("ptr", f"x{k}") for k in range(arity)]
    steps = [("i64", f"s{k}") for k in range(arity)]
    sizes = [("i64", s) for s in ("rows", "count", "inner")]
    f = made.function(
        f"{name}_{type}{'_across' * across}", (*places, *steps, ("ptr", "out"), *sizes),
        internal=True, attributes="noinline",
    )  # fmt: skip
    count, inner = f.argument["count"], f.argument["inner"]
    with f.loop(0, f.argument["rows"]) as r:
        start = r / inner * inner * count + (r - r / inner * inner) if across else r * count

        def numbers(place: str, step: Value | None, start: Value = start) -> Numbers:
            """A row; of a gradient that repeats one number all steps are 0."""
            first, apart = f.argument[place], inner if across else None
            if step is None:
                return Numbers(f, type, f.at(first, start, type), apart)
            apart = step * inner if across else step
            return Numbers(f, type, f.at(first, start * step, type), apart)

        given = [
            numbers(f"x{k}", f.argument[f"s{k}"] if k < arity - 1 else None) for k in range(arity)
        ]
        write(f, type, given, numbers("out", None), count)
    return f


def module(name: str) -> Module:
    """name(array, ..., dim) for both dtypes."""
    made = Module(name, vectorize=True)
    shaped, repeats = same_shape(made), repeating(made)
    rows = {
        (type, across): _row(made, name, type, across) for type in TYPES for across in (False, True)
    }
    arity = ROWS[name][1]
    f = made.function(name, SIGNATURE, "ptr")
    require(f, f.argument["n"].eq(arity + 1))
    args = [f.load("ptr", f.argument["args"], k) for k in range(arity + 1)]
    lead = args[arity - 1]
    kind = contiguous(f, lead)
    ndim = field(f, lead, table.NDIM, "i32").to("i64")
    require(f, ndim.gt(0))
    dim = wrapped(f, whole(f, args[arity]), ndim)
    dims = field(f, lead, table.DIMS, "ptr")
    count, inner = f.load("i64", dims, dim), f.variable("i64", 1)
    with f.loop(dim + 1, ndim) as i:
        inner.set(inner.get() * f.load("i64", dims, i))
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
    with f.loop(0, ndim) as i:
        size = f.select(i.eq(dim), f.index(1), f.load("i64", dims, i))
        total.set(total.get() * size)
    most = f.select(inner.get().eq(1), f.index(LARGEST), ACROSS)
    require(f, inner.get().gt(0) & (total.get() * count).le(most))
    require(f, kind.eq(word(f, "float")) | kind.eq(word(f, "double")))
    size = f.select(kind.eq(word(f, "float")), f.index(4), 8)
    out = made_array(f, kind, ndim, dims, total.get() * count * size)
    places = [field(f, x, table.DATA, "ptr") for x in args[:arity]]
    for (type, across), function in rows.items():
        with f.when(kind.eq(word(f, type)) & inner.get().ne(1).eq(across)):
            f.call(
                function, "void", *places, *[s.get() for s in steps],
                field(f, out, table.DATA, "ptr"), total.get(), count, inner.get(),
            )  # fmt: skip
    f.ret(out)
    end(f)
    return made


def lazily(name: str, numpy_form: Callable[..., Any]) -> Callable[..., Any]:
    """The function of that name in `ROWS`, native from its first call on; `numpy_form` takes what
    the native one does not.
    """
    return table.lazily(name, numpy_form, partial(module, name))
