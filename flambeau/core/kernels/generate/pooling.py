"""Pooling of planes: the maximum of windows (with the number of the tap that gave it), the mean,
and what goes back from either.

Neighbouring outputs lie in lanes; a tap is one load for strides of 1 and two for strides of 2.
Threads share the planes. Stands on jit and gemm's helpers.
"""

from __future__ import annotations

from flambeau.core.kernels.generate.conv_pack import every_second, gather
from flambeau.core.kernels.generate.conv_tile import steps_of
from flambeau.core.kernels.generate.gemm import (
    ARGUMENTS,
    Shape,
    larger,
    masked_load,
    masked_store,
    pointer,
    share,
    smaller,
    words,
)
from flambeau.core.kernels.generate.gemm import mask as first_lanes
from flambeau.core.kernels.jit.ir import Function, Module, Value, Variable, vector

__all__ = ["POOL", "SPREAD", "Maximum", "MaximumWithTaps", "module"]

POOL = (
    "input", "out", "taps", "row_counts", "column_counts", "planes", "height", "width", "rows",
    "columns", "kernel_rows", "kernel_columns", "row_stride", "column_stride", "row_padding",
    "column_padding", "row_dilation", "column_dilation",
)  # fmt: skip
"""Words of the forward functions' context: planes lie side by side, outputs have `rows` and
`columns`. A mean divides by the products of `row_counts` and `column_counts`.
"""
SPREAD = (
    "grad", "taps", "out", "offsets", "planes", "size", "rows", "columns", "row_step",
    "column_step", "first",
)  # fmt: skip
"""Words of `spread`'s context: a plane of `size` numbers, windows that begin `row_step` and
`column_step` numbers apart, the first at `first`; how far into a window each tap lies.
"""


def module(shape: Shape) -> Module:
    """`maximum`, `maximum_with_taps`, `mean`, `spread` and `spread_mean` for one number type."""
    made = Module(f"pooling-{shape.type}")
    _windows(made, shape, "maximum", Maximum)
    _windows(made, shape, "maximum_with_taps", MaximumWithTaps)
    _windows(made, shape, "mean", _Mean)
    _spread(made, shape)
    _spread_mean(made, shape)
    return made


class Maximum:
    """The largest of what was seen, NaN above all."""

    start = float("-inf")

    def __init__(self, f: Function, shape: Shape) -> None:
        self.f, self.shape = f, shape
        self.best: Variable = f.variable(vector(shape.type, shape.lanes))

    def begin(self) -> None:
        """A window begins."""
        self.best.set(self.start)

    def wins(self, value: Value, inside: Value) -> Value:
        """Where the value is taken."""
        return (value.compare("gt", self.best.get()) | value.isnan()) & inside

    def see(self, value: Value, inside: Value, tap: Value) -> None:
        """One tap of the window."""
        self.best.set(self.f.select(self.wins(value, inside), value, self.best.get()))

    def result(self, row: Value, column: Value, get: dict[str, Value]) -> Value:
        """What the window gives."""
        return self.best.get()


class MaximumWithTaps(Maximum):
    """Also which tap it was: the first of equal ones, the last NaN, the first tap of nothing but
    -inf.
    """

    def __init__(self, f: Function, shape: Shape) -> None:
        super().__init__(f, shape)
        self.tap = f.variable(vector("i32", shape.lanes))

    def begin(self) -> None:
        super().begin()
        self.tap.set(-1)

    def wins(self, value: Value, inside: Value) -> Value:
        first = self.tap.get().lt(0) & inside
        return super().wins(value, inside) | first

    def see(self, value: Value, inside: Value, tap: Value) -> None:
        wins = self.wins(value, inside)
        self.best.set(self.f.select(wins, value, self.best.get()))
        number = self.f.splat(tap.to("i32"), self.shape.lanes)
        self.tap.set(self.f.select(wins, number, self.tap.get()))


class _Mean(Maximum):
    """The sum of what was seen over its number."""

    start = 0.0

    def see(self, value: Value, inside: Value, tap: Value) -> None:
        self.best.set(self.best.get() + value)

    def result(self, row: Value, column: Value, get: dict[str, Value]) -> Value:
        f, type, lanes = self.f, self.shape.type, self.shape.lanes
        some = first_lanes(f, smaller(f, get["columns"] - column, lanes), lanes)
        places = f.at(pointer(f, get["column_counts"]), column, type)
        counts = masked_load(f, vector(type, lanes), places, some)
        return self.best.get() / (
            counts * f.splat(f.load(type, pointer(f, get["row_counts"]), row), lanes)
        )


def _windows(made: Module, shape: Shape, name: str, kind: type[Maximum]) -> None:
    """All windows of this thread's planes."""
    f = made.function(name, ARGUMENTS)
    get = words(f, POOL)
    type, lanes = shape.type, shape.lanes
    window = kind(f, shape)
    start, stop = share(f, get["planes"])
    area = get["rows"] * get["columns"]
    with (
        f.loop(start, stop) as plane,
        f.loop(0, get["rows"]) as row,
        f.loop(0, get["columns"], lanes) as column,
    ):
        image = f.at(pointer(f, get["input"]), plane * get["height"] * get["width"], type)
        y0 = row * get["row_stride"] - get["row_padding"]
        x0 = column * get["column_stride"] - get["column_padding"]
        window.begin()
        with f.loop(0, get["kernel_rows"]) as ky:
            y = y0 + ky * get["row_dilation"]
            with f.when(y.ge(0) & y.lt(get["height"])):
                line = f.at(image, y * get["width"], type)
                with f.loop(0, get["kernel_columns"]) as kx:
                    x = x0 + kx * get["column_dilation"]
                    value, inside = _seen(f, shape, line, x, get)
                    window.see(value, inside, ky * get["kernel_columns"] + kx)
        some = first_lanes(f, smaller(f, get["columns"] - column, lanes), lanes)
        at = plane * area + row * get["columns"] + column
        masked_store(
            f, window.result(row, column, get), f.at(pointer(f, get["out"]), at, type), some
        )
        if isinstance(window, MaximumWithTaps):
            narrow = window.tap.get().to(f"<{lanes} x i8>")
            masked_store(f, narrow, f.at(pointer(f, get["taps"]), at, "i8"), some)


def _seen(
    f: Function, shape: Shape, line: Value, x: Value, get: dict[str, Value]
) -> tuple[Value, Value]:
    """What neighbouring windows see at one tap, zero outside, and where they see something."""
    type, lanes = shape.type, shape.lanes
    many = vector(type, lanes)
    stride, steps = get["column_stride"], steps_of(f, lanes)
    width = f.splat(get["width"].to("i32"), lanes)

    def there(at: Value) -> Value:
        return at.ge(0) & at.lt(width)

    first = f.splat(x.to("i32"), lanes)
    at = first + steps * f.splat(stride.to("i32"), lanes)
    inside = there(at)
    found = f.variable(many)
    k = f.fresh()
    f.branch(stride.eq(1), f"one{k}", f"more{k}")
    f.label(f"one{k}")
    found.set(masked_load(f, many, f.at(line, x, type), inside))
    f.jump(f"seen{k}")
    f.label(f"more{k}")
    f.branch(stride.eq(2), f"two{k}", f"any{k}")
    f.label(f"two{k}")
    low = masked_load(f, many, f.at(line, x, type), there(first + steps))
    high = masked_load(f, many, f.at(line, x + lanes, type), there(first + steps + lanes))
    found.set(every_second(f, low, high))
    f.jump(f"seen{k}")
    f.label(f"any{k}")
    found.set(gather(f, many, line, at, inside))
    f.label(f"seen{k}")
    return found.get(), inside


def _zeros(f: Function, shape: Shape, plane: Value, size: Value) -> None:
    zero = f.value(vector(shape.type, shape.lanes), 0.0)
    with f.loop(0, size, shape.lanes) as i:
        some = first_lanes(f, smaller(f, size - i, shape.lanes), shape.lanes)
        masked_store(f, zero, f.at(plane, i, shape.type), some)


def _spread(made: Module, shape: Shape) -> None:
    """Every window's gradient, added to the number that its tap saw."""
    f = made.function("spread", ARGUMENTS)
    get = words(f, SPREAD)
    type = shape.type
    start, stop = share(f, get["planes"])
    offsets = pointer(f, get["offsets"])
    area = get["rows"] * get["columns"]
    with f.loop(start, stop) as plane:
        out = f.at(pointer(f, get["out"]), plane * get["size"], type)
        _zeros(f, shape, out, get["size"])
        with f.loop(0, get["rows"]) as row:
            at = plane * area + row * get["columns"]
            grad = f.at(pointer(f, get["grad"]), at, type)
            taps = f.at(pointer(f, get["taps"]), at, "i8")
            base = get["first"] + row * get["row_step"]
            with f.loop(0, get["columns"]) as column:
                tap = f.load("i8", taps, column)
                tap = f.emit("i64", f"zext i8 {tap.name} to i64")
                place = base + column * get["column_step"] + f.load("i64", offsets, tap)
                value = f.load(type, grad, column) + f.load(type, out, place)
                f.store(value, out, place)


def _spread_mean(made: Module, shape: Shape) -> None:
    """Every window's gradient over its count, added to all numbers that it saw. The context is that
    of `mean`, `out` and `input` being what comes and what is made.
    """
    f = made.function("spread_mean", ARGUMENTS)
    get = words(f, POOL)
    type = shape.type
    start, stop = share(f, get["planes"])
    size, area = get["height"] * get["width"], get["rows"] * get["columns"]

    def seen(place: Value, axis: str, kernel: Value, length: Value) -> tuple[Value, Value]:
        """The part of a window that lies in the plane."""
        first = place * get[f"{axis}_stride"] - get[f"{axis}_padding"]
        return larger(f, first, 0), smaller(f, first + kernel, length)

    with f.loop(start, stop) as plane:
        made_plane = f.at(pointer(f, get["input"]), plane * size, type)
        _zeros(f, shape, made_plane, size)
        with f.loop(0, get["rows"]) as row:
            top, bottom = seen(row, "row", get["kernel_rows"], get["height"])
            rows = f.load(type, pointer(f, get["row_counts"]), row)
            grad = f.at(pointer(f, get["out"]), plane * area + row * get["columns"], type)
            with f.loop(0, get["columns"]) as column:
                left, right = seen(column, "column", get["kernel_columns"], get["width"])
                count = rows * f.load(type, pointer(f, get["column_counts"]), column)
                value = f.load(type, grad, column) / count
                with f.loop(top, bottom) as y, f.loop(left, right) as x:
                    at = y * get["width"] + x
                    f.store(f.load(type, made_plane, at) + value, made_plane, at)
