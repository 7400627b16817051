"""A basic index as a native function: ints, slices, None and Ellipsis give one view in one step.

Stands on geometry and jit.
"""

from __future__ import annotations

from collections.abc import Callable

from flambeau.core.kernels.jit.ir import Function, Module, Value
from flambeau.core.kernels.native import table
from flambeau.core.kernels.native.geometry import (
    MOST,
    begin,
    end,
    geometry,
    give,
    item,
    items_of,
    require,
    whole,
    wrapped,
)
from flambeau.core.kernels.native.objects import field, word

__all__ = ["index"]


def _bounds(f: Function, part: Value, size: Value) -> tuple[Value, Value, Value]:
    """The start, the length and the step of a slice of a dimension; an empty one, or one that steps
    backwards, goes the other way.
    """
    none = word(f, "none")
    found = []
    for at, default in ((table.START, f.index(0)), (table.STOP, size)):
        bound, given = f.variable("i64", default), field(f, part, at, "ptr")
        with f.when(given.ne(none)):
            value = whole(f, given)
            value = f.select(value.lt(0), value + size, value)
            bound.set(f.intrinsic("smin", f.intrinsic("smax", value, f.index(0)), size))
        found.append(bound.get())
    step, given = f.variable("i64", 1), field(f, part, table.STEP, "ptr")
    with f.when(given.ne(none)):
        step.set(whole(f, given))
    first, last = found
    stride = step.get()
    require(f, stride.gt(0) & first.lt(last))
    return first, (last - first - 1) // stride + 1, stride


def _keep_new(
    f: Function, array: Value, ndim: Value, at: Value, keep: Callable[[Value, Value], None]
) -> None:
    """A dimension of size 1 before dimension `at` of the array."""
    dims, steps = geometry(f, array)
    step = f.variable("i64", item(f, array))
    with f.when(at.lt(ndim)):
        step.set(f.load("i64", dims, at) * f.load("i64", steps, at))
    keep(f.index(1), step.get())


def index(made: Module) -> None:
    """index(array, index): a basic index of ints, slices with a positive step, None and Ellipsis,
    alone or in a tuple; a new dimension has the stride of one more that lay there.
    """
    f, (array, index), ndim, room = begin(made, "index", 2)
    alone = f.memory("ptr", 1)
    f.store(index, alone)
    count, items = f.variable("i64", 1), f.variable("ptr", alone)
    with f.when(field(f, index, table.TYPE, "ptr").eq(word(f, "py_tuple"))):
        size, given = items_of(f, index)
        count.set(size)
        items.set(given)
    named, dots = f.variable("i64", 0), f.variable("i64", 0)
    with f.loop(0, count.get()) as i:
        part = f.load("ptr", items.get(), i)
        dotted = part.eq(word(f, "ellipsis"))
        dots.set(dots.get() + dotted.to("i64"))
        takes = part.ne(word(f, "none")) & dotted.eq(False)
        named.set(named.get() + takes.to("i64"))
    require(f, named.get().le(ndim) & dots.get().le(1))
    dims, steps = geometry(f, array)
    at, to, offset = f.variable("i64", 0), f.variable("i64", 0), f.variable("i64", 0)

    def keep(size: Value, step: Value) -> None:
        require(f, to.get().lt(MOST - 1))
        f.store(size, room, to.get())
        f.store(step, room, to.get() + MOST)
        to.set(to.get() + 1)

    def keep_whole(until: Value) -> None:
        with f.loop(at.get(), until) as d:
            keep(f.load("i64", dims, d), f.load("i64", steps, d))
        at.set(until)

    with f.loop(0, count.get()) as i:
        part = f.load("ptr", items.get(), i)
        kind = field(f, part, table.TYPE, "ptr")
        k = f.fresh()
        f.branch(kind.eq(word(f, "py_int")), f"int{k}", f"slice{k}")
        f.label(f"int{k}")
        where = wrapped(f, whole(f, part), f.load("i64", dims, at.get()))
        offset.set(offset.get() + where * f.load("i64", steps, at.get()))
        at.set(at.get() + 1)
        f.jump(f"next{k}")
        f.label(f"slice{k}")
        f.branch(kind.eq(word(f, "py_slice")), f"range{k}", f"none{k}")
        f.label(f"range{k}")
        own = f.load("i64", steps, at.get())
        first, length, step = _bounds(f, part, f.load("i64", dims, at.get()))
        offset.set(offset.get() + first * own)
        keep(length, own * step)
        at.set(at.get() + 1)
        f.jump(f"next{k}")
        f.label(f"none{k}")
        f.branch(part.eq(word(f, "none")), f"new{k}", f"dots{k}")
        f.label(f"new{k}")
        _keep_new(f, array, ndim, at.get(), keep)
        f.jump(f"next{k}")
        f.label(f"dots{k}")
        require(f, part.eq(word(f, "ellipsis")))
        keep_whole(ndim - named.get() + at.get())
        f.label(f"next{k}")
    keep_whole(ndim)
    give(f, array, to.get(), room, offset.get())
    end(f)
