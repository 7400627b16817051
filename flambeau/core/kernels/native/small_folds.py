"""Reductions of small contiguous arrays as native functions: sums, extremes, places, truths,
spreads, Euclidean norms.

``fold(array, dim, keepdim, dtype)``, of which all but the array may be missing: over all elements
or over dimensions that stand side by side; spreads take a correction, norms their order too. Larger
arrays, other strides and errors are the NumPy form's, and so are large ones' generated kernels
(``generate.folds``). Stands on geometry and jit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from flambeau.core.kernels.jit.ir import SIZES, Function, Module, Value, Variable
from flambeau.core.kernels.native import table
from flambeau.core.kernels.native.geometry import (
    MOST,
    SIGNATURE,
    contiguous,
    end,
    items_of,
    require,
    whole,
    wrapped,
)
from flambeau.core.kernels.native.narrow import CARRIERS, HALVES, WORKING, load, served, stored
from flambeau.core.kernels.native.objects import field, made_array, python_number, tuple_of, word

__all__ = ["FOLDS", "native"]

LARGEST = 1 << 12
"""Elements from which on generated kernels take over."""
CHAINS = 8
"""Of terms that are folded side by side; few roundings follow each other in a sum, too."""
FLOATS = ("float", "double")
TYPES = (*FLOATS, "i64", "i32", *HALVES)
FLOATING = (*FLOATS, *HALVES)
WHOLE = ("i64", "i32", "i1")

Step = Callable[[Function, Value, Value], Value]


class Fold(NamedTuple):
    """A reduction: how two numbers become one, and what they are computed in."""

    step: Step
    types: tuple[str, ...] = TYPES
    start: float | None = None
    """What it begins with; None for the first element."""
    wide: tuple[str, ...] = ()
    """Types computed in a wider one: float in double, integers and truths in i64; 16-bit floats
    are always, in float, and rounded once."""
    result: str = ""
    """The result's type; "" for the operands', or what it is computed in where that is whole."""
    truth: bool = False
    """The elements are asked whether they are zero."""
    mean: bool = False
    single: bool = False
    """Over one dimension or all, never over several by number."""
    root: bool = False
    """Of the squares' sum the square root is taken."""
    dim_at: int = 1
    keep_at: int = 2
    correction_at: int = 0
    """The argument that is taken off the count of the squared differences from the mean."""
    order_at: int = 0
    """The argument that must be 2: of squares."""
    places: str = ""
    """The places of the extremes: "alone", or "too"."""


def _larger(f: Function, a: Value, x: Value) -> Value:
    keep = a.ge(x)
    return f.select(keep | a.isnan() if a.floating else keep, a, x)


def _smaller(f: Function, a: Value, x: Value) -> Value:
    keep = a.le(x)
    return f.select(keep | a.isnan() if a.floating else keep, a, x)


def _sum(f: Function, a: Value, x: Value) -> Value:
    return a + x


def _either(f: Function, a: Value, x: Value) -> Value:
    return a | x


def _both(f: Function, a: Value, x: Value) -> Value:
    return a & x


FOLDS: dict[str, Fold] = {
    "sum": Fold(_sum, (*TYPES, "i1"), 0, ("float", *WHOLE)),
    "mean": Fold(_sum, FLOATING, 0, ("float",), mean=True),
    "_var": Fold(_sum, FLOATING, 0, ("float",), correction_at=2, keep_at=3),
    "_std": Fold(_sum, FLOATING, 0, ("float",), root=True, correction_at=2, keep_at=3),
    "_vector_norm": Fold(_sum, FLOATING, 0, root=True, order_at=1, dim_at=2, keep_at=3),
    "prod": Fold(lambda f, a, x: a * x, (*FLOATS, "i64", "i32"), 1, WHOLE, single=True),
    "amax": Fold(_larger),
    "amin": Fold(_smaller),
    "_max_all": Fold(_larger),
    "_min_all": Fold(_smaller),
    "any": Fold(_either, (*TYPES, "i1"), False, result="i1", truth=True),
    "all": Fold(_both, (*TYPES, "i1"), True, result="i1", truth=True),
    "argmax": Fold(_larger, result="i64", single=True, places="alone"),
    "argmin": Fold(_smaller, result="i64", single=True, places="alone"),
    "_max_dim": Fold(_larger, single=True, places="too"),
    "_min_dim": Fold(_smaller, single=True, places="too"),
}
"""By the operation's name."""


def native(name: str, numpy_form: Callable[..., Any]) -> Callable[..., Any]:
    """The reduction of that name, with `numpy_form` for what it does not take; that form itself
    where there is none.
    """
    if name not in FOLDS:
        return numpy_form
    return table.native(f"fold{name}", numpy_form, lambda: _module(f"fold{name}", FOLDS[name]))


def _module(name: str, fold: Fold) -> Module:
    made = Module(name)
    f = made.function(name, SIGNATURE, "ptr")
    args, n = f.argument["args"], f.argument["n"]
    require(f, n.ge(1) & n.le(fold.keep_at + 2))
    x = f.load("ptr", args)
    contiguous(f, x)
    ndim = field(f, x, table.NDIM, "i32").to("i64")
    require(f, ndim.lt(MOST))
    dims = field(f, x, table.DIMS, "ptr")
    first, last = _reduced(f, args, n, ndim, fold)
    if fold.places == "too":  # over one dimension
        alone = last.get().eq(first.get() + 1) | ndim.eq(0)
        require(f, alone & f.load("ptr", args, 1).ne(word(f, "none")))
    keep = _kept(f, args, n, fold)
    correction = _numbers(f, args, n, fold)
    outer, count, inner = (f.variable("i64", 1) for _ in range(3))
    room, shown = f.memory("i64", MOST), f.variable("i64", 0)
    with f.loop(0, ndim) as i:
        size = f.load("i64", dims, i)
        inside = i.ge(first.get()) & i.lt(last.get())
        for part, here in (
            (outer, i.lt(first.get())), (count, inside), (inner, i.ge(last.get()))
        ):  # fmt: skip
            with f.when(here):
                part.set(part.get() * size)
        with f.when(keep | inside.eq(False)):
            f.store(f.select(inside, f.index(1), size), room, shown.get())
            shown.set(shown.get() + 1)
    total = outer.get() * count.get() * inner.get()
    require(f, total.gt(0) & total.lt(LARGEST))
    kind = field(f, x, table.DESCR, "ptr")
    sizes = outer.get(), count.get(), inner.get()
    left = count.get().to("double") - correction
    if fold.correction_at:
        require(f, left.gt(0))
    halves = served(HALVES)
    for type in fold.types:
        if type in HALVES and type not in halves:
            continue
        k = f.fresh()
        f.branch(kind.eq(word(f, type)), f"is{k}", f"not{k}")
        f.label(f"is{k}")
        _typed(f, fold, type, x, sizes, left, room, shown.get())
        f.label(f"not{k}")
    f.jump("other")
    end(f)
    return made


def _reduced(
    f: Function, args: Value, n: Value, ndim: Value, fold: Fold
) -> tuple[Variable, Variable]:
    """The first of the reduced dimensions and the one behind the last."""
    first, last = f.variable("i64", 0), f.variable("i64", ndim)
    rank = f.intrinsic("smax", ndim, f.index(1))  # one number may be reduced along itself
    f.branch(n.gt(fold.dim_at), "dim", "all")
    f.label("dim")
    dim = f.load("ptr", args, fold.dim_at)
    f.branch(dim.eq(word(f, "none")), "all", "some")
    f.label("some")
    kind = field(f, dim, table.TYPE, "ptr")
    f.branch(kind.eq(word(f, "py_int")), "one", "other" if fold.single else "several")
    f.label("one")
    first.set(wrapped(f, whole(f, dim), rank))
    last.set(first.get() + 1)
    f.jump("all")
    if fold.single:
        f.label("all")
        return first, last
    f.label("several")
    size, items = items_of(f, dim)
    f.branch(size.eq(0), "other" if fold.truth else "all", "listed")  # truths: of none
    f.label("listed")
    with f.loop(0, size) as i:
        each = f.load("ptr", items, i)
        k = wrapped(f, whole(f, each), rank)
        require(f, i.eq(0) | k.eq(last.get()))
        with f.when(i.eq(0)):
            first.set(k)
        last.set(k + 1)
    f.label("all")
    return first, last


def _numbers(f: Function, args: Value, n: Value, fold: Fold) -> Value:
    """The correction, 0 without one; an order that is not 2 goes the other way."""
    at = fold.correction_at or fold.order_at
    if not at:
        return f.value("double", 0.0)
    require(f, n.gt(at))
    _, number, _ = python_number(f, f.load("ptr", args, at))
    if fold.correction_at:
        return number.get()
    require(f, number.get().eq(2.0))
    return f.value("double", 0.0)


def _kept(f: Function, args: Value, n: Value, fold: Fold) -> Value:
    """Whether reduced dimensions stay, of size 1; a dtype goes the other way."""
    found = f.variable("i64", 0)
    with f.when(n.gt(fold.keep_at)):
        value = f.call(word(f, "as_long"), "i64", f.load("ptr", args, fold.keep_at))
        with f.when(value.eq(-1)):
            f.call(word(f, "clear"), "void")
            f.jump("other")
        found.set(value)
    with f.when(n.gt(fold.keep_at + 1)):
        require(f, f.load("ptr", args, fold.keep_at + 1).eq(word(f, "none")))
    return found.get().ne(0)


def _typed(
    f: Function, fold: Fold, type: str, x: Value, sizes: tuple[Value, ...], left: Value,
    room: Value, shown: Value,
) -> None:  # fmt: skip
    """The results' arrays, filled and returned."""
    outer, count, inner = sizes
    working = "i1" if fold.truth else type
    if type in fold.wide:
        working = "double" if type in FLOATS else "i64"
    elif type in HALVES and not fold.truth:
        working = "double" if fold.correction_at else "float"
    result = fold.result or ("i64" if working == "i64" else type)
    many = outer * inner

    def fresh(kind: str) -> Value:
        bytes = SIZES[CARRIERS.get(kind, kind)]
        return made_array(f, word(f, kind), shown, room, many * bytes)

    out = fresh(result)
    where = fresh("i64") if fold.places == "too" else out
    data = field(f, x, table.DATA, "ptr")
    target, places = field(f, out, table.DATA, "ptr"), field(f, where, table.DATA, "ptr")

    def element(i: Value) -> Value:
        found = load(f, type, data, i)
        return (found.ne(0) if fold.truth else found).to(working)

    with f.loop(0, outer) as o, f.loop(0, inner) as i:
        begin = o * count * inner + i
        at = o * inner + i
        found = _folded(f, fold, working, element, begin, count, inner)
        if fold.correction_at or fold.order_at:
            found = _squares(f, fold, working, element, begin, count, inner, found, left)
        if fold.places:
            f.store(_first(f, found, element, begin, inner), places, at)
        if fold.mean:
            found = found / count.to(working)
        if fold.places != "alone":
            f.store(stored(f, found.to(WORKING.get(result, found.type)), result), target, at)
    if fold.places == "too":
        f.ret(tuple_of(f, out, where))
    f.ret(out)


def _folded(
    f: Function, fold: Fold, working: str, element: Callable[[Value], Value], begin: Value,
    count: Value, inner: Value,
) -> Value:  # fmt: skip
    """One result: several chains of terms, which a processor follows at once, then what is left."""
    first = element(begin) if fold.start is None else f.value(working, fold.start)
    total = f.variable(working, first)
    whole = count / CHAINS * CHAINS
    with f.when(whole.gt(0)):
        chains = []
        for k in range(CHAINS):
            start = element(begin + inner * k) if fold.start is None else first
            chains.append(f.variable(working, start))
        with f.loop(CHAINS if fold.start is None else 0, whole, CHAINS) as j:
            for k, chain in enumerate(chains):
                chain.set(fold.step(f, chain.get(), element(begin + (j + k) * inner)))
        parts = [chain.get() for chain in chains]
        while len(parts) > 1:
            parts = [fold.step(f, x, y) for x, y in zip(parts[::2], parts[1::2], strict=True)]
        total.set(parts[0])
    rest = f.intrinsic("smax", whole, f.index(1)) if fold.start is None else whole
    with f.loop(rest, count) as j:
        total.set(fold.step(f, total.get(), element(begin + j * inner)))
    return total.get()


def _squares(
    f: Function, fold: Fold, working: str, element: Callable[[Value], Value], begin: Value,
    count: Value, inner: Value, total: Value, left: Value,
) -> Value:  # fmt: skip
    """The sum of squares, or the mean one of the differences from the mean, in a second pass."""
    mean = total / count.to(working) if fold.correction_at else f.value(working, 0)

    def square(i: Value) -> Value:
        difference = element(i) - mean
        return difference * difference

    found = _folded(f, fold, working, square, begin, count, inner)
    if fold.correction_at:
        found = found / left
    if fold.root:
        found = f.intrinsic("sqrt", found)
    if fold.order_at:  # of one number its size, whose square may be too large
        found = f.select(count.eq(1), f.intrinsic("fabs", element(begin)), found)
    return found


def _first(
    f: Function, best: Value, element: Callable[[Value], Value], begin: Value, inner: Value
) -> Value:
    """The first place of a number that is there."""
    place, k = f.variable("i64", 0), f.fresh()
    f.label(f"look{k}")
    one = element(begin + place.get() * inner)
    here = one.eq(best) | (one.isnan() & best.isnan()) if one.floating else one.eq(best)
    f.branch(here, f"here{k}", f"further{k}")
    f.label(f"further{k}")
    place.set(place.get() + 1)
    f.jump(f"look{k}")
    f.label(f"here{k}")
    return place.get()
