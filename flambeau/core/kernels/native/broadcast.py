"""The arguments of an elementwise function looked at: any strides, broadcasting, large results.

`enter` takes what a function's own quick way does not: it finds the common shape, makes the result,
and has the work done in shares (``walk``). A formula describes itself in a row of words. Stands on
walk, objects and jit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache as once

from flambeau.core.kernels.jit import build
from flambeau.core.kernels.jit.ir import Function, Module, Value, Variable
from flambeau.core.kernels.native import table, walk
from flambeau.core.kernels.native.narrow import HALVES, WORKING, holds, load, rounded
from flambeau.core.kernels.native.objects import field, new_array, python_number, word
from flambeau.core.kernels.native.walk import (
    ARRAY,
    DENSE,
    DIMS,
    MOST,
    NUMBER,
    STRIDED,
    WORK,
    in_shares,
    operand,
)

__all__ = ["FORMS", "KINDS", "SPEC", "TYPE_WORDS", "addresses", "module"]

SPEC = ("arity", "condition", "types", "rounded", "divisor", "absent")
"""What a formula tells (`condition`: the operand of truth values, -1 for none; `rounded`: its bits
of that name; `divisor`: the operand that whole numbers are divided by, -1 for none; `absent`: bits
of the operands that may be None), then TYPE_WORDS for each of its types, and a loop's address for
each set of operands that are one number, as bits; 0 where there is none.
"""
TYPE_WORDS = (
    "kind",
    "item",
    "result",
    "size",
    "number",
    "data",
    *[f"absent{k}" for k in range(MOST)],
)
KINDS = ("float", "double", "half", "bf16", "i64", "i32", "i16", "i8", "u8")
"""What `number` counts: the types that one number may be of. `data`: what a loop of NumPy's is
called with, OWN for the formula's own. `absent`: the bits of what None means."""
FORMS = 1 << MOST

Demand = Callable[[Value], None]


def module() -> Module:
    """`share` and ``enter(self, args, n, spec)``: the result, or null where it cannot."""
    made = Module("walk", vectorize=True)
    _enter(made, walk.share(made))
    return made


@once
def addresses() -> dict[str, int]:
    """Where they begin."""
    return build.load(module())


class _Operands:
    """The arguments of `enter` and what is kept about them on its stack."""

    def __init__(self, f: Function, demand: Demand) -> None:
        self.f, self.demand = f, demand
        spec = f.argument["spec"]
        self.arity = f.load("i64", spec)
        self.condition = f.load("i64", spec, SPEC.index("condition"))
        self.rounded = f.load("i64", spec, SPEC.index("rounded"))
        self.work = f.memory("i64", len(WORK) + MOST * len(ARRAY))
        self.dims, self.steps = f.memory("i64", DIMS), f.memory("i64", DIMS)
        self.aligned, self.order = f.memory("i64", DIMS * MOST), f.memory("i64", DIMS)
        self.laid, self.out = f.memory("i64", DIMS), f.memory("i64", DIMS)
        self.strides, self.numbers = f.memory("i64", DIMS * MOST), f.memory("i64", MOST)
        self.ndim, self.total = f.variable("i64", 0), f.variable("i64", 1)
        self.shown = f.variable("i64", 0)
        self.mask, self.strided = f.variable("i64", 0), f.variable("i1", False)

    def __getitem__(self, k: Value) -> Value:
        return self.f.load("ptr", self.f.argument["args"], k)

    def arrays(self, look: Callable[[Value, Value], None]) -> None:
        """``look(k, x)`` for each argument that is an array."""
        f = self.f
        with f.loop(0, self.arity) as k:
            x = self[k]
            with f.when(field(f, x, table.TYPE, "ptr").eq(word(f, "ndarray"))):
                look(k, x)

    def item(self, k: Value, item: Value) -> Value:
        """An operand's bytes: the condition's are truth values."""
        return self.f.select(k.eq(self.condition), self.f.index(1), item)

    def take(self, k: Value, data: Value, kind: Value | int, item: Value) -> None:
        """Note where an operand lies, and how."""
        f = self.f
        array = f.at(self.work, operand(k, "data"), "i64")
        strides = f.at(self.strides, k * DIMS, "i64")
        values = {"data": data, "item": item, "kind": f.index(kind), "strides": strides}
        for name, value in values.items():
            f.store(value, array, ARRAY.index(name))
        with f.when(f.index(kind).eq(NUMBER)):
            self.mask.set(self.mask.get() | f.index(1) << k)
        with f.when(f.index(kind).eq(STRIDED)):
            self.strided.set(True)


def _enter(made: Module, share: Function) -> None:
    slower = _slower(made)
    arguments = (("ptr", "self"), ("ptr", "args"), ("i64", "n"), ("ptr", "spec"))
    f = made.function("enter", arguments, "ptr")
    null = f.value("ptr", 0)

    def demand(condition: Value) -> None:
        k = f.fresh()
        f.branch(condition, f"good{k}", "other")
        f.label(f"good{k}")

    given = _Operands(f, demand)
    n, arity = f.argument["n"], given.arity
    demand(n.eq(arity) | n.eq(arity + 1))
    found = _type(f, given)
    item, size = (f.load("i64", found, TYPE_WORDS.index(key)) for key in ("item", "size"))
    result = f.load("ptr", found, TYPE_WORDS.index("result"))
    _shape(f, given)
    alike = _alike(f, given, item, size) & n.eq(arity)
    turned = _order(f, given, size, alike, slower)
    ndim = given.ndim.get()
    with f.loop(0, arity) as k:
        x = given[k]
        own, room = given.item(k, item), f.at(given.numbers, k, "i64")
        j = f.fresh()
        f.branch(field(f, x, table.TYPE, "ptr").eq(word(f, "ndarray")), f"is{j}", f"number{j}")
        f.label(f"number{j}")
        may = (f.load("i64", f.argument["spec"], SPEC.index("absent")) >> k) & 1
        f.branch(may.ne(0) & x.eq(word(f, "none")), f"absent{j}", f"given{j}")
        f.label(f"absent{j}")
        f.store(f.load("i64", found, k + TYPE_WORDS.index("absent0")), room)
        f.jump(f"told{j}")
        f.label(f"given{j}")
        _number(f, x, room, found, (given.rounded >> k) & 1, demand)
        f.label(f"told{j}")
        given.take(k, room, NUMBER, own)
        f.jump(f"taken{j}")
        f.label(f"is{j}")
        kind, data = f.variable("i64", DENSE), f.variable("ptr", field(f, x, table.DATA, "ptr"))
        f.branch(alike, f"alike{j}", f"apart{j}")
        f.label(f"alike{j}")
        with f.when(field(f, x, table.NDIM, "i32").eq(0)):
            kind.set(NUMBER)
        f.jump(f"known{j}")
        f.label(f"apart{j}")
        kind.set(_layout(f, k, given, own))
        f.label(f"known{j}")
        with f.when(kind.get().eq(NUMBER) & k.ne(given.condition)):
            _widened(f, found, data, room)
        given.take(k, data.get(), kind.get(), own)
        f.label(f"taken{j}")
    loop = f.load("i64", found, given.mask.get() + len(TYPE_WORDS))
    demand(loop.ne(0))
    _no_zero(f, given, found)
    total = given.total.get()
    out = f.variable("ptr")
    f.branch(n.eq(arity), "fresh", "into")
    f.label("into")
    target = f.load("ptr", f.argument["args"], arity)
    apart = f.variable("i1", False)
    apart.set(_target(f, given, target, result, size))
    f.call(word(f, "incref"), "void", target)
    out.set(target)
    f.jump("run")
    f.label("fresh")
    apart.set(False)
    steps = f.select(alike | turned, given.steps, null)
    out.set(new_array(f, result, given.shown.get().to("i32"), given.dims, total * size, steps))
    f.branch(out.get().eq(null), "failed", "run")
    f.label("failed")
    f.call(word(f, "clear"), "void")  # the NumPy form says it again
    f.jump("other")
    f.label("run")
    words = {
        "loop": loop, "arity": arity, "out": field(f, out.get(), table.DATA, "i64"),
        "size": size, "total": total, "steps": f.select(apart.get(), given.out, null).to("i64"),
        "data": f.load("i64", found, TYPE_WORDS.index("data")),
    }  # fmt: skip
    walk.work(f, given.work, words, given.strided.get(), ndim, given.laid)
    in_shares(f, Value("ptr", f"@{share.name}", f), given.work, total)
    f.ret(out.get())
    f.label("other")
    f.ret(null)


def _no_zero(f: Function, given: _Operands, type: Value) -> None:
    """Whole numbers are divided by what lies side by side and has no zero in it."""
    divisor = f.load("i64", f.argument["spec"], SPEC.index("divisor"))
    number = f.load("i64", type, TYPE_WORDS.index("number"))
    with f.when(divisor.ge(0) & number.ge(KINDS.index("i64"))):
        array = f.at(given.work, operand(divisor, "data"), "i64")
        kind, item = (f.load("i64", array, ARRAY.index(key)) for key in ("kind", "item"))
        data = f.load("ptr", array)
        given.demand(kind.ne(STRIDED))
        with f.when(kind.eq(NUMBER)):
            given.demand(f.load("i32", data).ne(0) | item.gt(4) & f.load("i32", data, 1).ne(0))
        with f.when(kind.eq(DENSE)):
            for size, carrier in ((1, "i8"), (2, "i16"), (4, "i32"), (8, "i64")):
                with f.when(item.eq(size)):
                    with f.loop(0, given.total.get()) as i:
                        given.demand(f.load(carrier, data, i).ne(0))


def _type(f: Function, given: _Operands) -> Value:
    """Where the words of the arguments' type stand in the spec: all arrays have it, but the
    condition, which is of truth values.
    """
    kind = f.variable("ptr", f.value("ptr", 0))

    def look(k: Value, x: Value) -> None:
        own = field(f, x, table.DESCR, "ptr")
        truth = k.eq(given.condition)
        wanted = f.select(truth, word(f, "i1"), kind.get())
        wanted = f.select(wanted.eq(0), own, wanted)
        given.demand(own.eq(wanted))
        with f.when(~truth):
            kind.set(own)

    given.arrays(look)
    found = f.variable("ptr", f.value("ptr", 0))
    spec = f.argument["spec"]
    with f.loop(0, f.load("i64", spec, SPEC.index("types"))) as t:
        place = f.at(spec, t * (len(TYPE_WORDS) + FORMS) + len(SPEC), "i64")
        with f.when(f.load("ptr", place).eq(kind.get())):
            found.set(place)
    given.demand(found.get().ne(0) & kind.get().ne(0))
    return found.get()


def _shape(f: Function, given: _Operands) -> None:
    """The common shape: of every dimension one size, or 1 in some."""

    def most(k: Value, x: Value) -> None:
        have = field(f, x, table.NDIM, "i32").to("i64")
        given.ndim.set(f.intrinsic("smax", given.ndim.get(), have))

    given.arrays(most)
    given.shown.set(given.ndim.get())
    given.ndim.set(f.intrinsic("smax", given.ndim.get(), f.index(1)))  # to walk on
    ndim = given.ndim.get()
    given.demand(ndim.le(DIMS))
    with f.loop(0, ndim) as j:
        f.store(f.index(1), given.dims, j)

    def join(k: Value, x: Value) -> None:
        have = field(f, x, table.NDIM, "i32").to("i64")
        extents = field(f, x, table.DIMS, "ptr")
        with f.loop(0, have) as j:
            size = f.load("i64", extents, j)
            place = f.at(given.dims, ndim - have + j, "i64")
            known = f.load("i64", place)
            given.demand(known.eq(1) | size.eq(1) | known.eq(size))
            f.store(f.select(known.eq(1), size, known), place)

    given.arrays(join)
    with f.loop(0, ndim) as j:
        given.total.set(given.total.get() * f.load("i64", given.dims, j))
    given.demand(given.total.get().gt(0))


def _alike(f: Function, given: _Operands, item: Value, size: Value) -> Value:
    """Whether all arrays lie in one way without gaps, their dimensions in another order than usual:
    the result, of whose strides `steps` is told, lies so too. Single numbers may be among them.
    """
    alike = f.variable("i1", True)
    leading = f.variable("ptr", f.value("ptr", 0))
    ndim = given.ndim.get()

    def look(k: Value, x: Value) -> None:
        have = field(f, x, table.NDIM, "i32").to("i64")
        with f.when(have.ne(0)):
            with f.when(leading.get().eq(0)):
                leading.set(x)
                usual = (field(f, x, table.FLAGS, "i32") & table.C_CONTIGUOUS).ne(0)
                alike.set(alike.get() & ~usual)
            alike.set(alike.get() & have.eq(ndim) & k.ne(given.condition))
            mine, lead = x, leading.get()
            with f.when(alike.get()):
                with f.loop(0, ndim) as j:
                    for part in (table.DIMS, table.STRIDES):
                        a = f.load("i64", field(f, mine, part, "ptr"), j)
                        b = f.load("i64", field(f, lead, part, "ptr"), j)
                        alike.set(alike.get() & a.eq(b))

    given.arrays(look)
    alike.set(alike.get() & leading.get().ne(0))
    # Without gaps: from the smallest stride on, each is the product of sizes below it.
    expected = f.variable("i64", item)
    with f.when(alike.get()):
        lead = leading.get()
        strides = field(f, lead, table.STRIDES, "ptr")
        with f.loop(0, ndim) as j:
            f.store(f.load("i64", strides, j) / item * size, given.steps, j)
        with f.loop(0, ndim):
            step = f.variable("i64", 1)
            with f.loop(0, ndim) as j:
                extent = f.load("i64", given.dims, j)
                fits = f.load("i64", strides, j).eq(expected.get()) & extent.ne(1)
                with f.when(fits & step.get().eq(1)):
                    step.set(extent)
            expected.set(expected.get() * step.get())
    return alike.get() & expected.get().eq(given.total.get() * item)


def _slower(made: Module) -> Function:
    """Whether one dimension is faster (-1) in memory than another or slower (1), by the first
    operand that tells; 0 where none does.
    """
    f = made.function(
        "slower",
        (("ptr", "aligned"), ("i64", "arity"), ("ptr", "dims"), ("i64", "one"), ("i64", "other")),
        "i64", internal=True, attributes="noinline",
    )  # fmt: skip
    one, other = f.argument["one"], f.argument["other"]
    larger = f.load("i64", f.argument["dims"], one).gt(f.load("i64", f.argument["dims"], other))
    with f.loop(0, f.argument["arity"]) as k:
        strides = f.at(f.argument["aligned"], k * DIMS, "i64")
        a, b = f.load("i64", strides, one), f.load("i64", strides, other)
        with f.when(a.ne(0) & b.ne(0) & (a.ne(b) | larger)):
            f.ret(f.select(a.lt(b), f.index(-1), 1))
    f.ret(0)
    return f


def _order(f: Function, given: _Operands, size: Value, alike: Value, slower: Function) -> Value:
    """In what order the dimensions are walked: that of the result, which is PyTorch's. Whether it
    is another than the usual one, with the result's strides in `steps`.

    By growing stride, as the first operand has it; one that is spread along a dimension tells
    nothing of it. An insertion sort, as in ``layout.iterated_strides``: that order is partial.
    """
    ndim, order, dims = given.ndim.get(), given.order, given.dims
    usual = f.variable("i1", True)
    with f.loop(0, ndim) as j:
        f.store(ndim - 1 - j, order, j)

    def align(k: Value, x: Value) -> None:
        have = field(f, x, table.NDIM, "i32").to("i64")
        extents, steps = field(f, x, table.DIMS, "ptr"), field(f, x, table.STRIDES, "ptr")
        least, length = f.variable("i64", 0), f.variable("i64", 0)
        with f.loop(0, ndim) as back:
            stride, at = f.variable("i64", 0), ndim - 1 - back
            extent = f.load("i64", dims, at)
            with f.when(back.lt(have)):
                own = have - 1 - back
                with f.when(f.load("i64", extents, own).eq(extent)):
                    stride.set(f.load("i64", steps, own))
            step = stride.get()
            given.demand(step.ge(0))
            f.store(step, f.at(given.aligned, k * DIMS, "i64"), at)
            with f.when(step.ne(0) & extent.ne(1)):
                grows = step.gt(least.get()) | step.eq(least.get()) & extent.ge(length.get())
                usual.set(usual.get() & grows)
                least.set(step)
                length.set(extent)

    with f.loop(0, given.arity * DIMS) as i:
        f.store(f.index(0), given.aligned, i)
    given.arrays(align)
    turned = ~(usual.get() | alike)
    f.branch(turned, "sort", "ordered")
    f.label("sort")
    with f.loop(1, ndim) as start:
        at, k = f.variable("i64", start), f.variable("i64", start - 1)
        f.label("insert")
        f.branch(k.get().ge(0), "compare", "inserted")
        f.label("compare")
        one, other = f.load("i64", order, k.get()), f.load("i64", order, at.get())
        verdict = f.call(slower, "i64", given.aligned, given.arity, dims, one, other)
        f.branch(verdict.lt(0), "inserted", "beyond")
        f.label("beyond")
        with f.when(verdict.gt(0)):
            f.store(other, order, k.get())
            f.store(one, order, at.get())
            at.set(k.get())
        k.set(k.get() - 1)
        f.jump("insert")
        f.label("inserted")
    step = f.variable("i64", size)
    with f.loop(0, ndim) as j:
        own = f.load("i64", order, j)
        f.store(step.get(), given.steps, own)
        step.set(step.get() * f.load("i64", dims, own))
    f.label("ordered")
    with f.loop(0, ndim) as j:
        f.store(f.load("i64", dims, f.load("i64", order, j)), given.laid, ndim - 1 - j)
    return turned


def _layout(f: Function, k: Value, given: _Operands, item: Value) -> Value:
    """An operand's strides in the order of the walk, and its kind."""
    ndim = given.ndim.get()
    aligned, strides = (f.at(x, k * DIMS, "i64") for x in (given.aligned, given.strides))
    dense, number = f.variable("i1", True), f.variable("i1", True)
    expected = f.variable("i64", item)
    with f.loop(0, ndim) as j:
        size = f.load("i64", given.laid, ndim - 1 - j)
        step = f.load("i64", aligned, f.load("i64", given.order, j))
        step = f.select(size.eq(1), f.index(0), step)
        f.store(step, strides, ndim - 1 - j)
        number.set(number.get() & step.eq(0))
        with f.when(size.ne(1)):
            dense.set(dense.get() & step.eq(expected.get()))
            expected.set(expected.get() * size)
    kind = f.select(dense.get(), f.index(DENSE), STRIDED)
    return f.select(number.get() & given.total.get().ne(1), NUMBER, kind)


def _target(
    f: Function, given: _Operands, target: Value, result: Value, size: Value
) -> Value:  # fmt: skip
    """An array to write into has the result's shape; operands lie in its very elements or apart
    from it. Whether its elements lie otherwise than those of a fresh result; then `out` has its
    strides in the order of the walk.
    """
    demand = given.demand
    demand(field(f, target, table.TYPE, "ptr").eq(word(f, "ndarray")))
    demand(field(f, target, table.DESCR, "ptr").eq(result))
    demand((field(f, target, table.FLAGS, "i32") & table.WRITEABLE).ne(0))
    ndim = given.ndim.get()
    shown = given.shown.get()
    demand(field(f, target, table.NDIM, "i32").to("i64").eq(shown))
    extents, steps = (field(f, target, part, "ptr") for part in (table.DIMS, table.STRIDES))
    begin = field(f, target, table.DATA, "i64")
    dense, expected = f.variable("i1", True), f.variable("i64", size)
    end = f.variable("i64", begin + size)
    with f.loop(0, ndim) as j:
        own = f.load("i64", given.order, j)
        extent, step = f.load("i64", given.dims, own), f.variable("i64", 0)
        with f.when(shown.ne(0)):
            demand(f.load("i64", extents, own).eq(extent))
        with f.when(extent.ne(1)):
            step.set(f.load("i64", steps, own))
            demand(step.get().gt(0))
            dense.set(dense.get() & step.get().eq(expected.get()))
            expected.set(expected.get() * extent)
        f.store(step.get(), given.out, ndim - 1 - j)
        end.set(end.get() + (extent - 1) * step.get())

    def look(k: Value, x: Value) -> None:
        array = f.at(given.work, operand(k, "data"), "i64")
        data, item, kind = (
            f.load("i64", array, ARRAY.index(key)) for key in ("data", "item", "kind")
        )
        last, same = f.variable("i64", data + item), f.variable("i1", data.eq(begin))
        same.set(same.get() & item.eq(size) & kind.ne(NUMBER))
        strides = f.load("ptr", array, ARRAY.index("strides"))
        with f.loop(0, ndim) as j:
            step = f.load("i64", strides, j)
            last.set(last.get() + (f.load("i64", given.laid, j) - 1) * step)
            same.set(same.get() & step.eq(f.load("i64", given.out, j)))
        demand(same.get() | data.ge(end.get()) | last.get().le(begin))

    given.arrays(look)
    return ~dense.get()


def _widened(f: Function, type: Value, data: Variable, room: Value) -> None:
    """An array's single element in `room` as what it is computed in, where that is another type."""
    number = f.load("i64", type, TYPE_WORDS.index("number"))
    for name in WORKING:
        with f.when(number.eq(KINDS.index(name))):
            f.store(load(f, name, data.get(), 0), room)
            data.set(room)


def _number(f: Function, x: Value, room: Value, type: Value, digits: Value, demand: Demand) -> None:
    """A Python number as what the type is computed in, with the type's own `digits` if so wanted;
    what does not fit goes to the NumPy form.
    """
    own = f.load("i64", type, TYPE_WORDS.index("number"))
    real, number, whole = python_number(f, x)
    demand(own.lt(KINDS.index("i64")) | real.get().eq(False) & own.lt(len(KINDS)))
    for kind, name in enumerate(KINDS):
        with f.when(own.eq(kind)):
            working = WORKING.get(name, name)
            if working in ("float", "double"):
                found = number.get().to(working)
                low = f.select(digits.ne(0), rounded(f, found, name), found)
                f.store(low if name in HALVES else found, room)
            else:
                demand(holds(f, name, whole.get()))
                f.store(whole.get(), room)
