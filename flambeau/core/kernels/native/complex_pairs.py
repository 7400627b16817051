"""Sums, differences and products of complex numbers as native functions: ``add(a, b[, out])``.

Two contiguous arrays of one shape and dtype, or one with a single number; the array to write is
one of them or lies apart. What does not fit is the fallback's. As PyTorch computes:
``a + 1 * b``, whose product makes a NaN beside an infinite part. Stands on elementwise and jit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from flambeau.core.kernels.jit.build import Unavailable, load
from flambeau.core.kernels.jit.ir import SIZES, Function, Module, Value
from flambeau.core.kernels.native import table
from flambeau.core.kernels.native.elementwise import same_shape
from flambeau.core.kernels.native.geometry import SIGNATURE, count_of, end, require
from flambeau.core.kernels.native.objects import field, new_array, word

__all__ = ["KINDS", "PAIRS", "native"]

LARGEST = 1 << 12
KINDS: frozenset[np.dtype[Any]] = frozenset((np.dtype("c8"), np.dtype("c16")))
PARTS = {"c8": "float", "c16": "double"}
Number = tuple[Value, Value]


def _alone(b: Number) -> Number:
    """``1 * b``."""
    re, im = b
    return re - im * 0.0, im + re * 0.0


def _add(a: Number, b: Number) -> Number:
    b = _alone(b)
    return a[0] + b[0], a[1] + b[1]


def _sub(a: Number, b: Number) -> Number:
    b = _alone(b)
    return a[0] - b[0], a[1] - b[1]


def _mul(a: Number, b: Number) -> Number:
    return a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]


PAIRS = {"add": _add, "sub": _sub, "mul": _mul}
"""By the operation's name."""


def native(name: str, otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """The function of that name, with `otherwise` for what it does not take; that itself where
    there is none.
    """
    if name not in PAIRS or not table.trusted():
        return otherwise
    more = {kind: id(np.dtype(kind)) for kind in PARTS}
    try:
        address = load(_module(name))[f"complex_{name}"]
        return table.builtin(f"complex_{name}", address, otherwise, more)
    except Unavailable:
        return otherwise


def _kind(f: Function, name: str) -> Value:
    place = table.BYTES_VALUE + 8 * (len(table.WORDS) + list(PARTS).index(name))
    return f.load("ptr", f.at(f.argument["self"], place, "i8"))


def _module(name: str) -> Module:
    made = Module(f"complex_{name}", vectorize=True)
    shaped = same_shape(made)
    loops = {type: _loop(made, name, type) for type in PARTS.values()}
    f = made.function(f"complex_{name}", SIGNATURE, "ptr")
    args, n = f.argument["args"], f.argument["n"]
    require(f, n.eq(2) | n.eq(3))
    a, b = f.load("ptr", args), f.load("ptr", args, 1)
    for x in (a, b):
        require(f, field(f, x, table.TYPE, "ptr").eq(word(f, "ndarray")))
        require(f, (field(f, x, table.FLAGS, "i32") & table.C_CONTIGUOUS).ne(0))
    kind = field(f, a, table.DESCR, "ptr")
    require(f, field(f, b, table.DESCR, "ptr").eq(kind))
    lead, steps = f.variable("ptr", a), [f.variable("i64", 1) for _ in range(2)]
    k = f.fresh()
    f.branch(f.call(shaped, "i1", a, b), f"alike{k}", f"other{k}")
    f.label(f"other{k}")
    for x, other, step in ((a, b, steps[0]), (b, a, steps[1])):
        with f.when(field(f, x, table.NDIM, "i32").eq(0)):
            step.set(0)
            lead.set(other)
    require(f, (steps[0].get() + steps[1].get()).eq(1))
    f.label(f"alike{k}")
    total = count_of(f, lead.get())
    require(f, total.gt(0) & total.lt(LARGEST))
    for way, type in PARTS.items():
        j = f.fresh()
        f.branch(kind.eq(_kind(f, way)), f"is{j}", f"not{j}")
        f.label(f"is{j}")
        size = total * (2 * SIZES[type])
        out = _target(f, shaped, lead.get(), kind, a, b, total, size)
        data = [field(f, x, table.DATA, "ptr") for x in (a, b, out)]
        f.call(loops[type], "void", *data, *[s.get() for s in steps], total)
        f.ret(out)
        f.label(f"not{j}")
    f.jump("other")
    end(f)
    return made


def _target(
    f: Function, shaped: Function, lead: Value, kind: Value, a: Value, b: Value, total: Value,
    size: Value,
) -> Value:  # fmt: skip
    """A new array, or the one that is given."""
    found, k = f.variable("ptr"), f.fresh()
    f.branch(f.argument["n"].eq(2), f"fresh{k}", f"into{k}")
    f.label(f"into{k}")
    out = f.load("ptr", f.argument["args"], 2)
    flags = table.C_CONTIGUOUS | table.WRITEABLE
    require(f, field(f, out, table.TYPE, "ptr").eq(word(f, "ndarray")))
    require(f, (field(f, out, table.FLAGS, "i32") & flags).eq(flags))
    require(f, field(f, out, table.DESCR, "ptr").eq(kind) & f.call(shaped, "i1", out, lead))
    begin = field(f, out, table.DATA, "ptr").to("i64")
    for x in (a, b):
        here = field(f, x, table.DATA, "ptr").to("i64")
        same = here.eq(begin) & f.call(shaped, "i1", x, out)
        require(f, same | here.ge(begin + size) | (here + size).le(begin))
    f.call(word(f, "incref"), "void", out)
    found.set(out)
    f.jump(f"ready{k}")
    f.label(f"fresh{k}")
    ndim, dims = field(f, lead, table.NDIM, "i32"), field(f, lead, table.DIMS, "ptr")
    made = new_array(f, kind, ndim, dims, size)
    found.set(made)
    f.branch(made.eq(0), f"failed{k}", f"ready{k}")
    f.label(f"failed{k}")
    f.ret(made)
    f.label(f"ready{k}")
    return found.get()


def _loop(made: Module, name: str, type: str) -> Function:
    pointers = [("ptr", p) for p in ("a", "b", "out")]
    numbers = [("i64", n) for n in ("sa", "sb", "count")]
    f = made.function(f"loop_{type}", (*pointers, *numbers), internal=True, attributes="noinline")
    given = f.argument

    def number(pointer: str, step: str, i: Value) -> Number:
        at = i * given[step] * 2
        return f.load(type, given[pointer], at), f.load(type, given[pointer], at + 1)

    with f.loop(0, given["count"], independent=True) as i:
        re, im = PAIRS[name](number("a", "sa", i), number("b", "sb", i))
        f.store(re, given["out"], i * 2)
        f.store(im, given["out"], i * 2 + 1)
    return f
