"""Pooling of few numbers as native functions: maxima, with the tap that won or the place it has in
its plane, means, and what their gradients do; windows with strides, and bins of a given number.

Arrays are contiguous (gradients that are sent back have any strides), float32 or float64, of one to
three axes behind one or two leading dimensions. What does not fit, and errors, go to the NumPy
form, larger arrays to ``generate.pooling``. Stands on geometry and jit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from flambeau.core.kernels.jit.ir import SIZES, Function, Module, Value
from flambeau.core.kernels.native import table
from flambeau.core.kernels.native.geometry import MOST, SIGNATURE, end, items_of, require, whole
from flambeau.core.kernels.native.objects import field, made_array, tuple_of, word

__all__ = ["WINDOWS", "native"]

LARGEST = 1 << 13
"""Numbers read from which on the call no longer counts."""
AXES = 3
PARTS = 8
LEADING, STEPS = 6, 7
"""Parts of the memory that say how a gradient lies: the size of its second dimension and the
strides of both leading ones, then the strides of its axes."""
TYPES = ("float", "double")


class Pool(NamedTuple):
    """What an operation gives of its windows, and where its arguments stand."""

    gives: str
    """"values", "taps" with them, "places" with them, "indices" of taps, the "mean"; "spread" and
    "spread_mean" send a gradient back."""
    arguments: int
    kernel: int = 0
    """Its windows' size, then strides and padding; where there is none, what is given is the number
    of bins."""
    dilation: int = 0
    size: int = 0
    """The size of what is sent back to, or of the plane that indices count in."""
    taps: int = 0
    off: int = 0
    """Whether a last window may stick out, which must be False."""
    padded: int = 0
    """Whether means count the padding; then what they are divided by instead, which must be
    None."""


WINDOWS = {
    "max_pool_values": Pool("values", 6, kernel=1, dilation=4, off=5),
    "max_pool": Pool("taps", 6, kernel=1, dilation=4, off=5),
    "max_pool_indices": Pool("indices", 6, kernel=2, dilation=5, size=1),
    "max_pool_spread": Pool("spread", 8, kernel=4, dilation=7, size=2, taps=1, off=3),
    "average_pool": Pool("mean", 7, kernel=1, off=4, padded=5),
    "average_pool_spread": Pool("spread_mean", 8, kernel=3, size=1, off=2, padded=6),
    "adaptive_average": Pool("mean", 2),
    "adaptive_maximum": Pool("places", 2),
    "adaptive_average_spread": Pool("spread_mean", 4, size=1, off=2),
}
"""By the operation's name."""


def native(name: str, numpy_form: Callable[..., Any]) -> Callable[..., Any]:
    """The operation's kernel, with `numpy_form` for what it does not take; that form itself where
    there is none.
    """
    if name not in WINDOWS:
        return numpy_form
    return table.native("pool", numpy_form, lambda: _module(name, WINDOWS[name]))


class Windows(NamedTuple):
    """Sizes of three axes each, in memory, in this order: of the plane, of the windows' number,
    then (of windows with strides) kernel, stride, padding, dilation.
    """

    memory: Value
    binned: bool

    def at(self, f: Function, part: int, axis: int) -> Value:
        return f.load("i64", self.memory, part * AXES + axis)

    def bounds(self, f: Function, axis: int, o: Value) -> tuple[Value, ...]:
        """Where window `o` begins, its first tap inside, the one behind its last, their step; its
        number.
        """
        n = self.at(f, 0, axis)
        if self.binned:
            many = self.at(f, 1, axis)
            start = o * n / many
            return start, f.index(0), ((o + 1) * n + many - 1) / many - start, f.index(1), o
        kernel, stride, padding, step = (self.at(f, part, axis) for part in range(2, 6))
        start = o * stride - padding
        first = f.select(start.lt(0), (step - start - 1) / step, 0)
        inside = (n - start + step - 1) / step
        return start, first, f.intrinsic("smin", kernel, inside), step, o


def _sizes(f: Function, given: Value, memory: Value, part: int, default: int) -> Value:
    """The last numbers of a tuple into their part of the memory; how many there are."""
    count, items = items_of(f, given)
    require(f, count.ge(1) & count.le(AXES))
    for axis in range(AXES):
        f.store(f.index(default), memory, part * AXES + axis)
    with f.loop(0, count) as j:
        value = whole(f, f.load("ptr", items, j))
        require(f, value.ge(0) & value.lt(LARGEST))
        f.store(value, memory, j + (part + 1) * AXES - count)
    return count


def _module(name: str, pool: Pool) -> Module:
    made = Module(f"windows_{name}")
    loops = {type: _loops(made, type, pool) for type in TYPES}
    f = made.function("pool", SIGNATURE, "ptr")
    args = f.argument["args"]
    require(f, f.argument["n"].eq(pool.arguments))
    x = f.load("ptr", args)
    kind = _array(f, x, strided=pool.gives.startswith("spread"))
    memory = f.memory("i64", PARTS * AXES)
    windows = Windows(memory, not pool.kernel)
    back, spreads = pool.gives == "indices", pool.gives.startswith("spread")
    if spreads or back:  # the array is one of windows
        full = f.load("ptr", args, pool.size)
        rank, items = items_of(f, full)
        require(f, rank.le(AXES + 2))
    given = range(pool.kernel, pool.kernel + 3) if pool.kernel else ()
    axes = f.variable("i64", 0)
    for part, at in enumerate((*given, pool.dilation) if pool.dilation else given, 2):
        count = _sizes(f, f.load("ptr", args, at), memory, part, int(part != 4))
        require(f, count.eq(axes.get()) | axes.get().eq(0))
        axes.set(count)
    if not pool.dilation:
        for axis in range(AXES):
            f.store(f.index(1), memory, 5 * AXES + axis)
    if not pool.kernel:
        if spreads:
            axes.set(whole(f, f.load("ptr", args, 3)))
            require(f, axes.get().ge(1) & axes.get().le(AXES))
        else:
            axes.set(_sizes(f, f.load("ptr", args, 1), memory, 1, 1))
    many, ndim = axes.get(), field(f, x, table.NDIM, "i32").to("i64")
    require(f, ndim.eq(many + 1) | ndim.eq(many + 2))
    dims, out_dims = field(f, x, table.DIMS, "ptr"), f.memory("i64", MOST)
    planes = f.variable("i64", 1)
    with f.loop(0, ndim - many) as j:
        size = f.load("i64", dims, j)
        f.store(size, out_dims, j)
        planes.set(planes.get() * size)
    if spreads:
        _lies(f, x, memory, ndim, many)
    own = 1 if spreads or back else 0  # the part that the array's own sizes are
    for axis in range(AXES):
        for part in (0, 1) if pool.kernel or spreads else (0,):
            f.store(f.index(1), memory, part * AXES + axis)
    with f.loop(0, many) as j:
        f.store(f.load("i64", dims, ndim - many + j), memory, j + (own + 1) * AXES - many)
    if own:
        require(f, rank.ge(many))
        with f.loop(0, many) as j:
            size = whole(f, f.load("ptr", items, rank - many + j))
            f.store(size, memory, j + AXES - many)
            f.store(size if spreads else f.load("i64", dims, ndim - many + j), out_dims,
                    ndim - many + j)  # fmt: skip
    _checked(f, windows, pool)
    if not own:
        with f.loop(0, many) as j:
            f.store(f.load("i64", memory, j + 2 * AXES - many), out_dims, ndim - many + j)
    if pool.off:
        require(f, f.call(word(f, "as_long"), "i64", f.load("ptr", args, pool.off)).eq(0))
    counted = f.index(0)
    if pool.padded:
        counted = f.call(word(f, "as_long"), "i64", f.load("ptr", args, pool.padded))
        require(f, f.load("ptr", args, pool.padded + 1).eq(word(f, "none")))
    inside, outside = (
        math.prod([windows.at(f, part, axis) for axis in range(AXES)], start=planes.get())
        for part in (0, 1)
    )
    taps = [windows.at(f, 2, axis) for axis in range(AXES)] if pool.kernel else []
    require(f, inside.gt(0) & outside.gt(0) & (inside + outside).lt(LARGEST))
    require(f, math.prod(taps, start=outside).lt(LARGEST))
    if pool.gives == "taps":
        require(f, math.prod(taps, start=f.index(1)).le(256))
    others = f.value("ptr", 0)
    if pool.taps:
        won = f.load("ptr", args, pool.taps)
        require(f, _array(f, won).eq(word(f, "u8")))
        require(f, field(f, won, table.NDIM, "i32").to("i64").eq(ndim))
        own_dims = field(f, won, table.DIMS, "ptr")
        with f.loop(0, ndim) as j:
            require(f, f.load("i64", own_dims, j).eq(f.load("i64", dims, j)))
        others = field(f, won, table.DATA, "ptr")
    total = inside if spreads else outside
    source = field(f, x, table.DATA, "ptr")
    if back:
        require(f, kind.eq(word(f, "u8")))
        out = made_array(f, word(f, "i64"), ndim, out_dims, total * 8)
        f.call(loops["float"], "void", source, others, field(f, out, table.DATA, "ptr"), memory,
               planes.get(), counted)  # fmt: skip
        f.ret(out)
    else:
        for type in TYPES:
            k = f.fresh()
            f.branch(kind.eq(word(f, type)), f"is{k}", f"not{k}")
            f.label(f"is{k}")
            out = made_array(f, kind, ndim, out_dims, total * SIZES[type])
            results = [out]
            if pool.gives in ("taps", "places"):
                named, width = ("u8", 1) if pool.gives == "taps" else ("i64", 8)
                results.append(made_array(f, word(f, named), ndim, out_dims, total * width))
                others = field(f, results[1], table.DATA, "ptr")
            f.call(loops[type], "void", source, others, field(f, out, table.DATA, "ptr"), memory,
                   planes.get(), counted)  # fmt: skip
            f.ret(tuple_of(f, *results) if len(results) == 2 else out)
            f.label(f"not{k}")
        f.jump("other")
    end(f)
    return made


def _array(f: Function, x: Value, strided: bool = False) -> Value:
    """An array's dtype; contiguous, unless it may have strides."""
    require(f, field(f, x, table.TYPE, "ptr").eq(word(f, "ndarray")))
    if not strided:
        require(f, (field(f, x, table.FLAGS, "i32") & table.C_CONTIGUOUS).ne(0))
    return field(f, x, table.DESCR, "ptr")


def _lies(f: Function, x: Value, memory: Value, ndim: Value, many: Value) -> None:
    """How a gradient of so many axes lies, into the memory."""
    dims, steps = field(f, x, table.DIMS, "ptr"), field(f, x, table.STRIDES, "ptr")
    for axis in range(AXES):
        f.store(f.index(0), memory, STEPS * AXES + axis)
    with f.loop(0, many) as j:
        f.store(f.load("i64", steps, ndim - many + j), memory, j + (STEPS + 1) * AXES - many)
    two = ndim.eq(many + 2)
    second = f.select(two, 1, f.index(0))
    leading = (f.load("i64", dims, second), f.select(two, f.load("i64", steps), 0),
               f.load("i64", steps, second))  # fmt: skip
    for at, value in enumerate(leading):
        f.store(value, memory, LEADING * AXES + at)


def _checked(f: Function, windows: Windows, pool: Pool) -> None:
    """Windows as PyTorch allows them; where the array is what they look at, their number."""
    for axis in range(AXES):
        n = windows.at(f, 0, axis)
        require(f, n.gt(0) & n.lt(LARGEST))
        if not pool.kernel:
            continue
        kernel, stride, padding, step = (windows.at(f, part, axis) for part in range(2, 6))
        require(f, kernel.gt(0) & stride.gt(0) & step.gt(0))
        span = (kernel - 1) * step + 1
        require(f, padding.le(span / 2) & (n + padding * 2).ge(span))
        fitting = (n + padding * 2 - span) / stride + 1
        if pool.size:
            require(f, windows.at(f, 1, axis).eq(fitting))
        else:
            f.store(fitting, windows.memory, AXES + axis)


def _loops(made: Module, type: str, pool: Pool) -> Function:
    """All planes."""
    names = (
        ("ptr", "x"), ("ptr", "others"), ("ptr", "out"), ("ptr", "sizes"), ("i64", "planes"),
        ("i64", "padded"),
    )  # fmt: skip
    f = made.function(f"planes_{type}", names, internal=True, attributes="noinline")
    a = f.argument
    windows = Windows(a["sizes"], not pool.kernel)
    plane = math.prod([windows.at(f, 0, axis) for axis in range(AXES)], start=f.index(1))
    if pool.gives.startswith("spread"):
        with f.loop(0, a["planes"] * plane) as i:
            f.store(f.value(type, 0.0), a["out"], i)
    number = f.variable("i64", 0)
    with f.loop(0, a["planes"]) as p, _nest(f, windows, (), 0) as each:
        x = f.variable("ptr", a["x"])
        if pool.gives.startswith("spread"):
            x.set(_lying(f, windows, p, each))
        _window(f, type, pool, windows, each, p * plane, number.get(), x.get())
        number.set(number.get() + 1)
    f.ret()
    return f


def _lying(f: Function, windows: Windows, p: Value, each: Any) -> Value:
    """Where a window's gradient lies."""
    channels, first, second = (windows.at(f, LEADING, k) for k in range(3))
    place = p / channels * first + p % channels * second
    for axis, (*_, o) in enumerate(each):
        place = place + o * windows.at(f, STEPS, axis)
    return f.at(f.argument["x"], place, "i8")


@contextmanager
def _nest(f: Function, windows: Windows, found: Any, axis: int) -> Iterator[Any]:
    """Loops over windows; the bounds of one along each axis."""
    if axis == AXES:
        yield found
        return
    with (
        f.loop(0, windows.at(f, 1, axis)) as o,
        _nest(f, windows, (*found, windows.bounds(f, axis, o)), axis + 1) as each,
    ):
        yield each


@contextmanager
def _taps(f: Function, windows: Windows, each: Any, axis: int = 0) -> Iterator[tuple[Value, Value]]:
    """Loops over a window's taps inside: the number in the plane, and that of the tap."""
    start, first, last, step, _ = each[axis]
    with f.loop(first, last) as t:
        place = start + t * step
        if axis == AXES - 1:
            yield place, t
            return
        with _taps(f, windows, each, axis + 1) as (inner, tap):
            sizes, kernels = (
                math.prod([windows.at(f, part, k) for k in range(axis + 1, AXES)], start=f.index(1))
                for part in (0, 2)
            )
            yield place * sizes + inner, tap if windows.binned else t * kernels + tap


def _window(
    f: Function, type: str, pool: Pool, windows: Windows, each: Any, plane: Value, number: Value,
    x: Value,
) -> None:  # fmt: skip
    """One window: what it gives at its number; or its gradient at `x`, sent back."""
    a, gives = f.argument, pool.gives
    if gives in ("indices", "spread"):
        _won(f, type, pool, windows, each, plane, number, x)
        return
    if gives in ("mean", "spread_mean"):
        counts = [last - first for _, first, last, *_ in each]
        divisor = f.variable("i64", math.prod(counts[1:], start=counts[0]))
        if pool.padded:
            with f.when(a["padded"].ne(0)):
                kernels = [windows.at(f, 2, axis) for axis in range(AXES)]
                divisor.set(math.prod(kernels[1:], start=kernels[0]))
        if gives == "spread_mean":
            share = f.load(type, x) / divisor.get().to(type)
            with _taps(f, windows, each) as (place, _):
                at = plane + place
                f.store(f.load(type, a["out"], at) + share, a["out"], at)
            return
        total = f.variable(type, 0.0)
        with _taps(f, windows, each) as (place, _):
            total.set(total.get() + f.load(type, a["x"], plane + place))
        f.store(total.get() / divisor.get().to(type), a["out"], number)
        return
    best, won, empty = f.variable(type), f.variable("i64", 0), f.variable("i1", True)
    with _taps(f, windows, each) as (place, tap):
        each_x = f.load(type, a["x"], plane + place)
        with f.when(empty.get() | each_x.gt(best.get()) | each_x.isnan()):
            best.set(each_x)
            won.set(place if gives == "places" else tap)
            empty.set(False)
    f.store(best.get(), a["out"], number)
    if gives != "values":
        named = won.get() if gives == "places" else won.get().to("i8")
        f.store(named, a["others"], number)


def _won(
    f: Function, type: str, pool: Pool, windows: Windows, each: Any, plane: Value, number: Value,
    x: Value,
) -> None:  # fmt: skip
    """The tap that won a window: its place in the plane, or the gradient to it."""
    a = f.argument
    taken = a["x"] if pool.gives == "indices" else a["others"]
    rest = f.variable("i64", f.load("i8", taken, number).to("i64") & 255)
    place, size = f.variable("i64", 0), f.variable("i64", 1)
    fits = f.variable("i1", True)
    for axis in reversed(range(AXES)):
        start, _, _, step, _ = each[axis]
        kernel, n = windows.at(f, 2, axis), windows.at(f, 0, axis)
        at = start + rest.get() % kernel * step
        rest.set(rest.get() / kernel)
        fits.set(fits.get() & at.ge(0) & at.lt(n))
        place.set(place.get() + at * size.get())
        size.set(size.get() * n)
    if pool.gives == "indices":
        f.store(place.get(), a["out"], number)
        return
    with f.when(fits.get()):
        here = plane + place.get()
        f.store(f.load(type, a["out"], here) + f.load(type, x), a["out"], here)
