"""Views of arrays as native functions: another geometry on an array's memory in 0.1 us, where
NumPy's constructor takes 0.3 and indexing builds tuples first.

Sizes and strides are checked by the callers where they are not checked here; whatever is not plain
(subclasses, odd arguments, errors to word) goes to the NumPy form. Stands on table and jit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flambeau.core.kernels.jit.ir import Function, Module, Value
from flambeau.core.kernels.native import table
from flambeau.core.kernels.native.objects import field, word

__all__ = ["SIGNATURE", "end", "lazily", "native", "require", "whole", "wrapped"]

MOST = 32
"""Dimensions at most; NumPy allows 64, more than 32 go its way."""

SIGNATURE = (("ptr", "self"), ("ptr", "args"), ("i64", "n"))


def _begin(made: Module, name: str, count: int) -> tuple[Function, list[Value], Value, Value]:
    """A function of an array and more: the arguments, the array's dimensions, room for the view's
    geometry (sizes, then strides).
    """
    f = made.function(name, SIGNATURE, "ptr")
    f.branch(f.argument["n"].eq(count), "given", "other")
    f.label("given")
    args = [f.load("ptr", f.argument["args"], k) for k in range(count)]
    f.branch(field(f, args[0], table.TYPE, "ptr").eq(word(f, "ndarray")), "array", "other")
    f.label("array")
    ndim = field(f, args[0], table.NDIM, "i32").to("i64")
    f.branch(ndim.lt(MOST), "low", "other")
    f.label("low")
    return f, args, ndim, f.memory("i64", 2 * MOST)


def end(f: Function) -> None:
    """Where the function does not serve."""
    f.label("other")
    args, n, null = f.argument["args"], f.argument["n"], f.value("ptr", 0)
    f.ret(f.call(word(f, "call"), "ptr", word(f, "fallback"), args, n, null))


def require(f: Function, condition: Value) -> None:
    """Go on where it holds; else the other way, which `end` writes."""
    k = f.fresh()
    f.branch(condition, f"on{k}", "other")
    f.label(f"on{k}")


def whole(f: Function, x: Value) -> Value:
    """A Python int, read; bools and what does not fit go the other way."""
    require(f, field(f, x, table.TYPE, "ptr").eq(word(f, "py_int")))
    value = f.call(word(f, "as_long"), "i64", x)
    k = f.fresh()
    f.branch(value.ne(-1), f"fits{k}", f"doubt{k}")
    f.label(f"doubt{k}")
    f.branch(f.call(word(f, "occurred"), "ptr").eq(0), f"fits{k}", f"large{k}")
    f.label(f"large{k}")
    f.call(word(f, "clear"), "void")
    f.jump("other")
    f.label(f"fits{k}")
    return value


def wrapped(f: Function, dim: Value, count: Value) -> Value:
    """A dimension counted from the front; one that is out of range goes the other way."""
    dim = f.select(dim.lt(0), dim + count, dim)
    require(f, dim.ge(0) & dim.lt(count))
    return dim


def _tuple(f: Function, x: Value) -> tuple[Value, Value]:
    """The length of a tuple, and where its items lie."""
    require(f, field(f, x, table.TYPE, "ptr").eq(word(f, "py_tuple")))
    size = field(f, x, table.TUPLE_SIZE, "i64")
    require(f, size.le(MOST))
    return size, f.at(x, word(f, "tuple_items").to("i64"), "i8")


def _geometry(f: Function, array: Value) -> tuple[Value, Value]:
    return field(f, array, table.DIMS, "ptr"), field(f, array, table.STRIDES, "ptr")


def _give(f: Function, array: Value, ndim: Value, room: Value, offset: Value) -> None:
    """Return the view with the geometry in `room`, `offset` bytes into the array."""
    kind, null = field(f, array, table.DESCR, "ptr"), f.value("ptr", 0)
    f.call(word(f, "incref"), "void", kind)
    data = f.at(field(f, array, table.DATA, "ptr"), offset, "i8")
    flags = field(f, array, table.FLAGS, "i32") & table.WRITEABLE
    steps = f.at(room, MOST, "i64")
    made = f.call(
        word(f, "new"), "ptr", word(f, "ndarray"), kind, ndim.to("i32"), room, steps, data, flags,
        null,
    )  # fmt: skip
    k = f.fresh()
    f.branch(made.eq(null), f"failed{k}", f"based{k}")
    f.label(f"failed{k}")
    f.ret(null)
    f.label(f"based{k}")
    f.call(word(f, "incref"), "void", array)
    f.branch(f.call(word(f, "set_base"), "i32", made, array).lt(0), f"lost{k}", f"good{k}")
    f.label(f"lost{k}")
    f.call(word(f, "decref"), "void", made)
    f.ret(null)
    f.label(f"good{k}")
    f.ret(made)


def _restride(made: Module) -> None:
    """restride(array, sizes, strides, offset): the geometry as it is given, in bytes."""
    f, (array, sizes, steps, offset), _, room = _begin(made, "restride", 4)
    count, size = _tuple(f, sizes)
    others, step = _tuple(f, steps)
    require(f, count.eq(others))
    with f.loop(0, count) as i:
        f.store(whole(f, f.load("ptr", size, i)), room, i)
        f.store(whole(f, f.load("ptr", step, i)), room, i + MOST)
    _give(f, array, count, room, whole(f, offset))
    end(f)


def _copy_around(f: Function, array: Value, ndim: Value, room: Value) -> tuple[Value, Value]:
    """The array's own geometry into `room`."""
    dims, steps = _geometry(f, array)
    with f.loop(0, ndim) as i:
        f.store(f.load("i64", dims, i), room, i)
        f.store(f.load("i64", steps, i), room, i + MOST)
    return dims, steps


def _swap(made: Module) -> None:
    """swap(array, dim0, dim1)."""
    f, (array, one, two), ndim, room = _begin(made, "swap", 3)
    first = wrapped(f, whole(f, one), ndim)
    second = wrapped(f, whole(f, two), ndim)
    dims, steps = _copy_around(f, array, ndim, room)
    for here, there in ((first, second), (second, first)):
        f.store(f.load("i64", dims, there), room, here)
        f.store(f.load("i64", steps, there), room, here + MOST)
    _give(f, array, ndim, room, f.index(0))
    end(f)


def _insert(made: Module) -> None:
    """insert(array, dim): a dimension of size 1, with the stride of one more that lay there."""
    f, (array, dim), ndim, room = _begin(made, "insert", 2)
    at = wrapped(f, whole(f, dim), ndim + 1)
    dims, steps = _geometry(f, array)
    with f.loop(0, ndim) as i:
        to = f.select(i.ge(at), i + 1, i)
        f.store(f.load("i64", dims, i), room, to)
        f.store(f.load("i64", steps, i), room, to + MOST)
    f.store(f.index(1), room, at)
    step = f.variable("i64", 0)
    f.branch(at.eq(ndim), "last", "within")
    f.label("last")
    step.set(_item(f, array))
    f.jump("set")
    f.label("within")
    step.set(f.load("i64", dims, at) * f.load("i64", steps, at))
    f.label("set")
    f.store(step.get(), room, at + MOST)
    _give(f, array, ndim + 1, room, f.index(0))
    end(f)


def _item(f: Function, array: Value) -> Value:
    """The size of an element in bytes: of the types the table knows; others go the other way."""
    kind = field(f, array, table.DESCR, "ptr")
    size = f.index(0)
    for name, bytes in (("float", 4), ("double", 8), ("i64", 8), ("i1", 1)):
        size = f.select(kind.eq(word(f, name)), bytes, size)
    require(f, size.ne(0))
    return size


def _expand(made: Module) -> None:
    """expand(array, sizes): dimensions of size 1 repeat, new ones stand in front."""
    f, (array, sizes), ndim, room = _begin(made, "expand", 2)
    count, size = _tuple(f, sizes)
    lead = count - ndim
    require(f, lead.ge(0))
    dims, steps = _geometry(f, array)
    with f.loop(0, count) as i:
        asked = whole(f, f.load("ptr", size, i))
        k = f.fresh()
        kept = asked.eq(-1) & i.ge(lead)  # -1 keeps a size
        own = f.load("i64", dims, f.select(kept, i - lead, 0))
        wanted = f.select(kept, own, asked)
        f.store(wanted, room, i)
        f.branch(i.lt(lead), f"new{k}", f"old{k}")
        f.label(f"new{k}")  # of size 1: its stride is not 0
        require(f, wanted.gt(1))
        f.store(f.index(0), room, i + MOST)
        f.jump(f"next{k}")
        f.label(f"old{k}")
        have = f.load("i64", dims, i - lead)
        require(f, have.gt(0) & wanted.gt(0) & (have.eq(wanted) | have.eq(1)))
        step = f.load("i64", steps, i - lead)
        f.store(f.select(have.eq(wanted), step, 0), room, i + MOST)
        f.label(f"next{k}")
    _give(f, array, count, room, f.index(0))
    end(f)


def _narrow(made: Module) -> None:
    """narrow(array, dim, start, length): a range within the dimension, counted from its front."""
    f, (array, dim, start, length), ndim, room = _begin(made, "narrow", 4)
    at = wrapped(f, whole(f, dim), ndim)
    first, count = whole(f, start), whole(f, length)
    dims, steps = _copy_around(f, array, ndim, room)
    require(f, first.ge(0) & count.gt(0) & (first + count).le(f.load("i64", dims, at)))
    f.store(count, room, at)
    _give(f, array, ndim, room, first * f.load("i64", steps, at))
    end(f)


def _range(made: Module) -> None:
    """range(array, dim, start, end, step): a range that is not empty, counted from the front."""
    f, (array, dim, start, stop, stride), ndim, room = _begin(made, "range", 5)
    require(f, ndim.gt(0))
    at = wrapped(f, whole(f, dim), ndim)
    first, last, step = whole(f, start), whole(f, stop), whole(f, stride)
    dims, steps = _copy_around(f, array, ndim, room)
    require(f, first.ge(0) & first.lt(last) & last.le(f.load("i64", dims, at)) & step.gt(0))
    own = f.load("i64", steps, at)
    f.store((last - first + step - 1) // step, room, at)
    f.store(own * step, room, at + MOST)
    _give(f, array, ndim, room, first * own)
    end(f)


def _select(made: Module) -> None:
    """select(array, dim, index): the dimension falls away; negative indices count from its end."""
    f, (array, dim, index), ndim, room = _begin(made, "select", 3)
    require(f, ndim.gt(0))
    at = wrapped(f, whole(f, dim), ndim)
    dims, steps = _geometry(f, array)
    where = wrapped(f, whole(f, index), f.load("i64", dims, at))
    with f.loop(0, ndim - 1) as i:
        source = f.select(i.ge(at), i + 1, i)
        f.store(f.load("i64", dims, source), room, i)
        f.store(f.load("i64", steps, source), room, i + MOST)
    _give(f, array, ndim - 1, room, where * f.load("i64", steps, at))
    end(f)


def _squeeze(made: Module) -> None:
    """squeeze(array, dim): without the dimension, or (None) any dimension, of size 1."""
    f, (array, dim), ndim, room = _begin(made, "squeeze", 2)
    at = f.variable("i64", -1)
    with f.when(dim.ne(word(f, "none"))):
        require(f, ndim.gt(0))
        at.set(wrapped(f, whole(f, dim), ndim))
    every = dim.eq(word(f, "none"))
    dims, steps = _geometry(f, array)
    left = f.variable("i64", 0)
    with f.loop(0, ndim) as i:
        size = f.load("i64", dims, i)
        gone = size.eq(1) & (every | i.eq(at.get()))
        with f.when(gone.eq(False)):
            f.store(size, room, left.get())
            f.store(f.load("i64", steps, i), room, left.get() + MOST)
            left.set(left.get() + 1)
    _give(f, array, left.get(), room, f.index(0))
    end(f)


def _diagonal(made: Module) -> None:
    """diagonal(array, offset, dim1, dim2): of two dimensions, laid last; not an empty one."""
    f, (array, offset, one, two), ndim, room = _begin(made, "diagonal", 4)
    first = wrapped(f, whole(f, one), ndim)
    second = wrapped(f, whole(f, two), ndim)
    require(f, first.ne(second))
    shift = whole(f, offset)
    dims, steps = _geometry(f, array)
    left = f.variable("i64", 0)
    with f.loop(0, ndim) as i:
        with f.when(i.ne(first) & i.ne(second)):
            f.store(f.load("i64", dims, i), room, left.get())
            f.store(f.load("i64", steps, i), room, left.get() + MOST)
            left.set(left.get() + 1)
    down = f.select(shift.lt(0), -shift, 0)
    right = f.select(shift.gt(0), shift, 0)
    rows, columns = f.load("i64", dims, first) - down, f.load("i64", dims, second) - right
    length = f.intrinsic("smin", rows, columns)
    require(f, length.gt(0))
    row, column = f.load("i64", steps, first), f.load("i64", steps, second)
    f.store(length, room, left.get())
    f.store(row + column, room, left.get() + MOST)
    _give(f, array, left.get() + 1, room, down * row + right * column)
    end(f)


def _unfold(made: Module) -> None:
    """unfold(array, dim, size, step): windows of a dimension, the window laid last."""
    f, (array, dim, size, step), ndim, room = _begin(made, "unfold", 4)
    require(f, ndim.gt(0))
    at = wrapped(f, whole(f, dim), ndim)
    window, stride = whole(f, size), whole(f, step)
    dims, steps = _copy_around(f, array, ndim, room)
    length, own = f.load("i64", dims, at), f.load("i64", steps, at)
    require(f, window.ge(0) & window.le(length) & stride.gt(0))
    f.store((length - window) // stride + 1, room, at)
    f.store(own * stride, room, at + MOST)
    f.store(window, room, ndim)
    f.store(own, room, ndim + MOST)
    _give(f, array, ndim + 1, room, f.index(0))
    end(f)


def module() -> Module:
    """All of them."""
    made = Module("views")
    for write in (
        _restride, _swap, _insert, _expand, _narrow, _select, _squeeze, _diagonal, _unfold, _range,
    ):  # fmt: skip
        write(made)
    return made


def native(name: str, numpy_form: Callable[..., Any]) -> Callable[..., Any]:
    """The native function of that name, or the NumPy form where there is none."""
    return table.native(name, numpy_form, module)


def lazily(name: str, numpy_form: Callable[..., Any]) -> Callable[..., Any]:
    """The view function of that name (restride, swap, insert, expand, narrow, select), native from
    its first call on; `numpy_form` takes what the native one does not.

    Its ``follow()`` gives what it becomes, so that an entry need not go through it ever after.
    """

    def follow() -> Callable[..., Any]:
        nonlocal call
        call = native(name, numpy_form)
        return call

    def first(*args: Any) -> Any:
        return follow()(*args)

    call: Callable[..., Any] = first

    def view(*args: Any) -> Any:
        return call(*args)

    view.follow = follow  # type: ignore[attr-defined]
    return view
