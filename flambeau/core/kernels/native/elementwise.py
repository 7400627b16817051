"""Elementwise functions of one to three operands: checks, a new array, one loop.

An operand is an array of the function's dtype, contiguous and of the common shape, or one number:
a Python number, or an array that repeats one element. Everything else goes to the NumPy form. The
loop is scalar code that LLVM turns into vectors. Stands on table and jit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from flambeau.core.kernels.jit.ir import SIZES, Function, Module, Value
from flambeau.core.kernels.native import complexes, table, walk
from flambeau.core.kernels.native.broadcast import FORMS, KINDS, SPEC, TYPE_WORDS
from flambeau.core.kernels.native.complexes import COMPLEX, Pair
from flambeau.core.kernels.native.narrow import (
    CARRIERS,
    HALVES,
    WORKING,
    Stepwise,
    holds,
    load,
    rounded,
    stored,
)
from flambeau.core.kernels.native.objects import field, new_array, python_number, word
from flambeau.core.kernels.native.walk import LOOP, MOST

__all__ = ["absence", "FLOATS", "Far", "Formula", "module", "repeating", "same_shape"]

FLOATS = ("float", "double")
QUICK = 1 << 13
"""Elements below which arrays of one layout go the quick way, with the interpreter's lock."""


class Far(NamedTuple):
    """What a formula of one operand leaves to another."""

    reach: dict[str, float]
    """The largest size that the formula itself takes, by type; NaN is beyond it, too."""
    write: Callable[[Function, Value], Value]
    """The same function of what is larger: scalar code, and rarely run."""


class Formula(NamedTuple):
    """What a native elementwise function computes."""

    write: Callable[..., Value]
    """write(f, x, ...) -> the result's value, from one element of each operand."""
    arity: int
    types: tuple[str, ...] = FLOATS
    result: str = ""
    """The result's type; "" for the operands'."""
    forms: tuple[str, ...] = ()
    """Which operands may be one number, as "vs"; () for every form that has an array."""
    condition: int | None = None
    """The operand that is of truth values."""
    absent: tuple[tuple[int, float | dict[str, float]], ...] = ()
    """Operands that may be None, with the number that this means, for each type or for all."""
    far: Far | None = None
    """What takes large operands, where another must."""
    narrow: tuple[str, ...] = ()
    """Types beyond the usual ones, which get a function of their own at their first use."""
    stepwise: tuple[str, ...] = ()
    """16-bit floats that are rounded after each of the formula's steps."""
    tail: Callable[..., Value] | None = None
    """The formula of 16-bit floats beyond the last 32 in a row, with every step rounded: PyTorch
    takes those one by one."""
    divisor: int | None = None
    """The operand by which whole numbers are divided: no zero may be in it."""
    rounded: int = 0
    """Bits: operands that have a 16-bit float's digits first where they are Python numbers."""

    @property
    def all_forms(self) -> tuple[str, ...]:
        """The forms that get a loop."""
        if self.forms:
            return self.forms
        return {1: ("v",), 2: ("vv", "vs", "sv"), 3: ("vvv", "vvs", "vsv")}[self.arity]


def same_shape(made: Module) -> Function:
    """Whether two arrays have one shape."""
    f = made.function(
        "same_shape", (("ptr", "a"), ("ptr", "b")), "i1", internal=True, attributes="noinline"
    )
    a, b = f.argument["a"], f.argument["b"]
    count = field(f, a, table.NDIM, "i32")
    f.branch(count.eq(field(f, b, table.NDIM, "i32")), "dims", "no")
    f.label("dims")
    left, right = field(f, a, table.DIMS, "ptr"), field(f, b, table.DIMS, "ptr")
    with f.loop(0, count.to("i64")) as i:
        k = f.fresh()
        f.branch(f.load("i64", left, i).eq(f.load("i64", right, i)), f"same{k}", "no")
        f.label(f"same{k}")
    f.ret(True)
    f.label("no")
    f.ret(False)
    return f


def repeating(made: Module) -> Function:
    """Whether an array repeats one element: all its strides are zero."""
    f = made.function("repeats", (("ptr", "a"),), "i1", internal=True, attributes="noinline")
    a = f.argument["a"]
    steps = field(f, a, table.STRIDES, "ptr")
    with f.loop(0, field(f, a, table.NDIM, "i32").to("i64")) as i:
        k = f.fresh()
        f.branch(f.load("i64", steps, i).eq(0), f"zero{k}", "no")
        f.label(f"zero{k}")
    f.ret(True)
    f.label("no")
    f.ret(False)
    return f


def _size(type: str) -> int:
    """The bytes of an element."""
    if type in COMPLEX:
        return 2 * SIZES[COMPLEX[type]]
    return SIZES[CARRIERS.get(type, type)]


def _count(made: Module) -> Function:
    """How many elements an array has."""
    f = made.function("count", (("ptr", "a"),), "i64", internal=True, attributes="noinline")
    dims = field(f, f.argument["a"], table.DIMS, "ptr")
    total = f.variable("i64", 1)
    with f.loop(0, field(f, f.argument["a"], table.NDIM, "i32").to("i64")) as i:
        total.set(total.get() * f.load("i64", dims, i))
    f.ret(total.get())
    return f


def module(name: str, formula: Formula) -> Module:
    """One function, for every dtype and form of the formula."""
    assert formula.arity <= MOST
    made = Module(name, vectorize=True)
    helpers = (same_shape(made), repeating(made), _count(made))
    loops = {
        (type, form): _loop(made, formula, type, form)
        for type in formula.types
        for form in formula.all_forms
    }
    f = made.function(name, (("ptr", "self"), ("ptr", "args"), ("i64", "n")), "ptr")
    _enter(f, formula, helpers, loops)
    return made


def _loop(made: Module, formula: Formula, type: str, form: str) -> Function:
    """The loop over elements: addresses of arrays and numbers in, the result's array last."""
    f = made.function(f"loop_{type}_{form}", LOOP, internal=True, attributes="noinline")
    f.element = type
    places = [f.load("ptr", f.argument["places"], k) for k in range(formula.arity)]
    result = formula.result or type

    def read(k: int, i: Any) -> Any:
        if type in COMPLEX and k != formula.condition:
            return complexes.load(f, type, places[k], i)
        return load(f, "i1" if k == formula.condition else type, places[k], i)

    def number(k: int) -> Any:
        if k == formula.condition or type not in WORKING:
            return read(k, 0)
        return f.load(WORKING[type], places[k])

    fixed = {k: number(k) for k, kind in enumerate(form) if kind == "s"}

    def part(start: Any, stop: Any, write: Callable[..., Value], stepwise: bool) -> None:
        with f.loop(start, stop, independent=True) as i:
            values = [fixed[k] if k in fixed else read(k, i) for k in range(formula.arity)]
            if stepwise:
                values = [Stepwise(x, type) for x in values]
            found = write(f, *values)
            if isinstance(found, Pair):
                complexes.store(f, found, f.argument["out"], i)
            else:
                f.store(stored(f, found, result), f.argument["out"], i)

    def keep(i: Value, value: Value) -> None:
        f.store(stored(f, value, result), f.argument["out"], i)

    count = f.argument["count"]
    if formula.far is not None:
        _near_or_far(f, type, formula, count, lambda i: read(0, i), keep)
        return f
    if formula.tail is not None and type in HALVES:
        rows = count & ~31
        part(0, rows, formula.write, False)
        part(rows, count, formula.tail, True)
    else:
        part(0, count, formula.write, type in formula.stepwise and not _exact(formula, form))
    return f


def _exact(formula: Formula, form: str) -> bool:
    """Whether the second operand is a number that keeps its digits while others would not: then
    all is computed in float32.
    """
    return form[1:2] == "s" and formula.rounded not in (0, formula.rounded | 2)


LOOKED_AT = 2048
"""Elements whose sizes are looked at before they are computed: they stay in the first cache."""


def _near_or_far(
    f: Function, type: str, formula: Formula, count: Value, read: Callable[[Value], Value],
    keep: Callable[[Value, Value], None],
) -> None:  # fmt: skip
    """The loop of a formula of one operand that has a reach: pieces without large elements are
    computed as always, others one element after the other.
    """
    far, write = formula.far, formula.write
    assert far is not None

    def beyond(x: Value) -> Value:
        return ~f.intrinsic("fabs", x).le(far.reach[WORKING.get(type, type)])

    with f.loop(0, count, LOOKED_AT) as start:
        some = f.intrinsic("smin", count - start, f.index(LOOKED_AT))
        large = f.variable("i32", 0)
        with f.loop(0, some) as i:
            large.set(large.get() | beyond(read(start + i)).to("i32"))
        k = f.fresh()
        f.branch(large.get().eq(0), f"near{k}", f"far{k}")
        f.label(f"near{k}")
        with f.loop(0, some, independent=True) as i:
            keep(start + i, write(f, read(start + i)))
        f.jump(f"next{k}")
        f.label(f"far{k}")
        with f.loop(0, some) as i:
            x = read(start + i)
            j = f.fresh()
            f.branch(beyond(x), f"large{j}", f"small{j}")
            f.label(f"large{j}")
            keep(start + i, far.write(f, x))
            f.jump(f"stored{j}")
            f.label(f"small{j}")
            keep(start + i, write(f, x))
            f.label(f"stored{j}")
        f.label(f"next{k}")


def _enter(
    f: Function,
    formula: Formula,
    helpers: Sequence[Function],
    loops: dict[tuple[str, str], Function],
) -> None:
    """Arguments looked at, a type and a form chosen; otherwise the NumPy form is called."""
    args, n = f.argument["args"], f.argument["n"]
    arity = formula.arity
    f.branch(n.eq(arity) | n.eq(arity + 1), "given", "other")
    f.label("given")
    given = [f.load("ptr", f.at(args, k, "ptr")) for k in range(arity)]
    kinds = [field(f, x, table.TYPE, "ptr") for x in given]
    ndarray = word(f, "ndarray")
    # The first array of the first operand that carries the dtype decides; it may be the second.
    first, *others = [k for k in range(arity) if k != formula.condition]
    leading = f.variable("ptr", given[first])
    for second in others[:1]:
        with f.when(kinds[first].ne(ndarray)):
            leading.set(given[second])
    f.branch(field(f, leading.get(), table.TYPE, "ptr").eq(ndarray), "array", "other")
    f.label("array")
    # An array that repeats one element leads only where no other does.
    for second in others[:1]:
        lead = leading.get()
        both = kinds[first].eq(ndarray) & kinds[second].eq(ndarray)
        with f.when(both & ~_contiguous(f, lead)):
            leading.set(given[second])
    lead = leading.get()
    f.branch(_contiguous(f, lead), "dense", "other")
    f.label("dense")
    descr = field(f, lead, table.DESCR, "ptr")
    for type in formula.types:
        f.branch(descr.eq(word(f, type)), f"is_{type}", f"not_{type}")
        f.label(f"is_{type}")
        _typed(f, formula, type, given, kinds, lead, helpers, loops)
        f.label(f"not_{type}")
    f.label("other")
    null = f.value("ptr", 0)
    enter = word(f, "enter")
    found = f.call(enter, "ptr", f.argument["self"], args, n, _spec(f, formula, loops))
    f.branch(found.eq(null), "fallback", "found")
    f.label("found")
    f.ret(found)
    f.label("fallback")
    f.ret(f.call(word(f, "call"), "ptr", word(f, "fallback"), args, n, null))


def _spec(f: Function, formula: Formula, loops: dict[tuple[str, str], Function]) -> Value:
    """The formula's description for ``broadcast``."""
    width = len(TYPE_WORDS) + FORMS
    condition = -1 if formula.condition is None else formula.condition
    spec = f.memory("i64", len(SPEC) + len(formula.types) * width)
    divisor = -1 if formula.divisor is None else formula.divisor
    absent = sum(1 << k for k, _ in formula.absent)
    facts = (formula.arity, condition, len(formula.types), formula.rounded, divisor, absent)
    for k, number in enumerate(facts):
        f.store(f.index(number), spec, k)
    for t, type in enumerate(formula.types):
        result = formula.result or type
        kind = KINDS.index(type) if type in KINDS else len(KINDS)
        words: list[Value | int] = [word(f, type), _size(type), word(f, result), _size(result)]
        words += [kind, walk.OWN, *_absences(f, formula, type), *[0] * (1 << formula.arity)]
        for form in formula.all_forms:
            numbers = sum(1 << k for k, letter in enumerate(form) if letter == "s")
            loop = Value("ptr", f"@{loops[type, form].name}", f)
            words[len(TYPE_WORDS) + numbers] = loop
        for k, each in enumerate(words):
            f.store(
                each if isinstance(each, Value) else f.index(each), spec, len(SPEC) + t * width + k
            )
    return spec


def absence(given: float | dict[str, float], type: str) -> float:
    """The number that None means to an operand of the type."""
    if not isinstance(given, dict):
        return given
    return given.get(type, given.get(WORKING.get(type, type), 0))


def _absences(f: Function, formula: Formula, type: str) -> list[Value]:
    """What None means to each operand, as the bits of a number of what is computed in."""
    working = WORKING.get(type, type)
    found = [f.index(0)] * MOST
    for k, given in formula.absent:
        number = f.value(working, absence(given, type))
        if working in FLOATS:
            number = number.bits("i32" if working == "float" else "i64")
        found[k] = number.to("i64")
    return found


def _contiguous(f: Function, array: Value) -> Value:
    return (field(f, array, table.FLAGS, "i32") & table.C_CONTIGUOUS).ne(0)


def _typed(
    f: Function,
    formula: Formula,
    type: str,
    given: Sequence[Value],
    kinds: Sequence[Value],
    lead: Value,
    helpers: Sequence[Function],
    loops: dict[tuple[str, str], Function],
) -> None:
    same_shape, repeats, count = helpers
    arity = formula.arity
    places = [f.variable("ptr") for _ in given]
    single = [f.variable("i1") for _ in given]
    for k, x in enumerate(given):
        wanted = "i1" if k == formula.condition else type
        _operand(f, formula, k, type, wanted, x, kinds[k], lead, same_shape, repeats,
                 places[k], single[k])  # fmt: skip
    total = f.call(count, "i64", lead)
    k = f.fresh()
    f.branch(total.lt(QUICK), f"quick{k}", "other")
    f.label(f"quick{k}")
    if formula.divisor is not None and type not in (*FLOATS, *HALVES):
        _no_zero(f, type, places[formula.divisor], single[formula.divisor], total)
    result = formula.result or type
    out = f.variable("ptr")
    k = f.fresh()
    f.branch(f.argument["n"].eq(arity), f"fresh{k}", f"into{k}")
    f.label(f"into{k}")
    target = f.load("ptr", f.at(f.argument["args"], arity, "ptr"))
    fits = field(f, target, table.TYPE, "ptr").eq(word(f, "ndarray"))
    f.branch(fits, f"array{k}", "other")
    f.label(f"array{k}")
    wanted_flags = table.C_CONTIGUOUS | table.WRITEABLE
    flags = field(f, target, table.FLAGS, "i32") & wanted_flags
    fits = field(f, target, table.DESCR, "ptr").eq(word(f, result)) & flags.eq(wanted_flags)
    fits = fits & f.call(same_shape, "i1", target, lead)
    f.branch(fits, f"good{k}", "other")
    f.label(f"good{k}")
    # Written where it is read, or apart: what overlaps otherwise NumPy must see.
    begin = field(f, target, table.DATA, "ptr").to("i64")
    end = begin + total * _size(result)
    apart = f.variable("i1", True)
    for j in range(arity):
        wanted = "i1" if j == formula.condition else type
        here = places[j].get().to("i64")
        clear = here.eq(begin) & single[j].get().eq(False)
        clear = clear | here.ge(end) | (here + total * _size(wanted)).le(begin)
        apart.set(apart.get() & clear)
    f.branch(apart.get(), f"write{k}", "other")
    f.label(f"write{k}")
    f.call(word(f, "incref"), "void", target)
    out.set(target)
    f.jump(f"run{k}")
    f.label(f"fresh{k}")
    fresh = new_array(
        f, word(f, result), field(f, lead, table.NDIM, "i32"), field(f, lead, table.DIMS, "ptr"),
        total * _size(result),
    )  # fmt: skip
    out.set(fresh)
    f.branch(fresh.eq(0), f"failed{k}", f"run{k}")
    f.label(f"failed{k}")
    f.ret(fresh)
    f.label(f"run{k}")
    data = field(f, out.get(), table.DATA, "ptr")
    for form in formula.all_forms:
        match = f.value("i1", 1)
        for j, letter in enumerate(form):
            match = match & single[j].get().eq(letter == "s")
        m = f.fresh()
        f.branch(match, f"loop{m}", f"next{m}")
        f.label(f"loop{m}")
        rooms = f.memory("ptr", arity)
        for j, place in enumerate(places):
            f.store(place.get(), rooms, j)
        f.call(loops[type, form], "void", rooms, data, total)
        f.ret(out.get())
        f.label(f"next{m}")
    f.call(word(f, "decref"), "void", out.get())
    f.jump("other")


def _no_zero(f: Function, type: str, place: Any, single: Any, total: Value) -> None:
    """Leave where a divisor is zero: the NumPy form says so."""
    count = f.select(single.get(), f.index(1), total)
    wide = WORKING.get(type, type)
    k = f.fresh()
    with f.loop(0, count) as i:
        one = load(f, type, place.get(), i)
        with f.when(single.get()):  # a number lies there as what is computed in
            f.branch(f.load(wide, place.get()).eq(0), "other", f"number{k}")
            f.label(f"number{k}")
        f.branch(one.eq(0) & single.get().eq(False), "other", f"none{k}")
        f.label(f"none{k}")


def _operand(
    f: Function, formula: Formula, position: int, type: str, wanted: str, x: Value, kind: Value,
    lead: Value, same_shape: Function, repeats: Function, place: Any, single: Any,
) -> None:  # fmt: skip
    """Where an operand's elements lie, and whether it is one number."""
    k, absent = f.fresh(), dict(formula.absent).get(position)
    if absent is not None:
        absent = absence(absent, type)
    f.branch(kind.eq(word(f, "ndarray")), f"array{k}", f"number{k}")
    f.label(f"array{k}")
    f.branch(field(f, x, table.DESCR, "ptr").eq(word(f, wanted)), f"typed{k}", "other")
    f.label(f"typed{k}")
    data = field(f, x, table.DATA, "ptr")
    place.set(data)
    f.branch(f.call(same_shape, "i1", x, lead), f"shaped{k}", f"zero{k}")
    f.label(f"shaped{k}")
    single.set(False)
    f.branch(_contiguous(f, x), f"done{k}", f"spread{k}")
    f.label(f"spread{k}")
    single.set(True)
    f.branch(f.call(repeats, "i1", x), f"one{k}", "other")
    f.label(f"zero{k}")
    single.set(True)
    f.branch(field(f, x, table.NDIM, "i32").eq(0), f"one{k}", "other")
    f.label(f"one{k}")
    working = COMPLEX.get(wanted) or WORKING.get(wanted, CARRIERS.get(wanted, wanted))
    room = f.memory(working, 1 + (wanted in COMPLEX))
    if wanted in WORKING:
        f.store(load(f, wanted, data, 0), room)
        place.set(room)
    f.jump(f"done{k}")
    f.label(f"number{k}")
    single.set(True)
    place.set(room)
    if wanted == "i1":
        f.jump("other")
    else:
        if absent is not None:
            f.branch(x.eq(word(f, "none")), f"absent{k}", f"given{k}")
            f.label(f"absent{k}")
            f.store(f.value(working, absent), room)
            f.jump(f"done{k}")
            f.label(f"given{k}")
        real, number, whole = python_number(f, x)
        if working in FLOATS:
            found = number.get().to(working)
            kept = rounded(f, found, type) if formula.rounded & 1 << position else found
            f.store(kept, room)
            if wanted in COMPLEX:
                f.store(f.value(working, 0.0), room, 1)
        else:
            f.branch(real.get(), "other", f"whole{k}")
            f.label(f"whole{k}")
            f.branch(holds(f, type, whole.get()), f"held{k}", "other")
            f.label(f"held{k}")
            f.store(whole.get().to(working), room)
    f.label(f"done{k}")
