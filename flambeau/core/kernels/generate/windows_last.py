"""Windows over images whose channels lie last: pooling, and convolution of each channel by itself.

Channels lie in lanes, so that every tap is one load whatever the stride. Forward functions share
the rows of the output; what goes back is added where it belongs, by shares of images and channels.
Planes side by side are in ``pooling`` and ``conv``. Stands on jit and gemm's helpers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flambeau.core.kernels.generate.gemm import (
    ARGUMENTS,
    Shape,
    larger,
    mask,
    masked_load,
    pointer,
    share,
    smaller,
    words,
)
from flambeau.core.kernels.generate.pooling import Maximum, MaximumWithTaps
from flambeau.core.kernels.generate.vectors import read, write
from flambeau.core.kernels.jit.ir import Module, Value, Variable, vector

__all__ = ["WORDS", "module"]

WORDS = (
    "input", "out", "taps", "row_counts", "column_counts", "weight", "bias", "images", "channels",
    "height", "width", "rows", "columns", "kernel_rows", "kernel_columns", "row_stride",
    "column_stride", "row_padding", "column_padding", "row_dilation", "column_dilation",
)  # fmt: skip
"""The context of every function. `input` has `height` by `width` pixels and `out` has `rows` by
`columns`, whichever of them is written; `weight` lies tap by tap.
"""
TOGETHER = 4
"""Registers of channels that are gone through together."""

Body = Callable[[Value, int, "Value | None"], None]


def module(shape: Shape) -> Module:
    """The functions for one number type."""
    made = Module(f"windows-last-{shape.type}")
    _Forward(made, shape, "maximum").write()
    _Forward(made, shape, "maximum_with_taps").write()
    _Forward(made, shape, "mean").write()
    _Forward(made, shape, "depthwise").write()
    for name in ("spread", "spread_mean", "depthwise_input"):
        _Backward(made, shape, name).write()
    _weight(made, shape)
    return made


class _Windows:
    """What all functions know: the context, where pixels stand, the taps of a window."""

    def __init__(self, made: Module, shape: Shape, name: str) -> None:
        self.name, self.shape = name, shape
        self.f = made.function(name, ARGUMENTS)
        self.get = words(self.f, WORDS)
        self.many = vector(shape.type, shape.lanes)

    def pixel(self, which: str, n: Value, row: Value, column: Value, c: Value) -> Value:
        """The place of a pixel's channels from `c` on, of `input` or `out`."""
        return self.f.at(pointer(self.f, self.get[which]), self.at(which, n, row, column, c),
                         self.shape.type)  # fmt: skip

    def at(self, which: str, n: Value, row: Value, column: Value, c: Value) -> Value:
        """The same in elements."""
        get = self.get
        rows, columns = ("height", "width") if which == "input" else ("rows", "columns")
        return ((n * get[rows] + row) * get[columns] + column) * get["channels"] + c

    def take(self, place: Value, count: int, some: Value | None) -> list[Value]:
        """Registers of channels."""
        lanes = self.shape.lanes
        return [read(self.f, self.many, place, k * lanes, some) for k in range(count)]

    @contextmanager
    def taps(self, row: Value, column: Value) -> Iterator[tuple[Value, Value, Value]]:
        """For every tap of a window that lies inside: its row, its column, its number."""
        f, get = self.f, self.get
        y0 = row * get["row_stride"] - get["row_padding"]
        x0 = column * get["column_stride"] - get["column_padding"]
        with f.loop(0, get["kernel_rows"]) as ky:
            y = y0 + ky * get["row_dilation"]
            with f.when(y.ge(0) & y.lt(get["height"])), f.loop(0, get["kernel_columns"]) as kx:
                x = x0 + kx * get["column_dilation"]
                with f.when(x.ge(0) & x.lt(get["width"])):
                    yield y, x, ky * get["kernel_columns"] + kx

    def count(self, row: Value, column: Value) -> Value:
        """What the sum of a window is divided by."""
        f, type = self.f, self.shape.type
        rows = f.load(type, pointer(f, self.get["row_counts"]), row)
        count = rows * f.load(type, pointer(f, self.get["column_counts"]), column)
        return f.splat(count, self.shape.lanes)

    def blocks(self, first: Value | int, stop: Value, body: Body) -> None:
        """``body(channel, registers, mask)``: several whole registers, then one by one."""
        f, lanes = self.f, self.shape.lanes
        size = lanes * TOGETHER
        start = f.index(first)
        whole = start + (stop - start) / size * size
        with f.loop(start, whole, size) as c:
            body(c, TOGETHER, None)
        with f.loop(whole, stop, lanes) as c:
            body(c, 1, mask(f, stop - c, lanes))

    def weights(self, tap: Value, c: Value, count: int, some: Value | None) -> list[Value]:
        """A tap's weights of channels."""
        at = tap * self.get["channels"] + c
        return self.take(
            self.f.at(pointer(self.f, self.get["weight"]), at, self.shape.type), count, some
        )


class _Forward(_Windows):
    """A number for every window and channel."""

    def write(self) -> None:
        """The function."""
        f, get = self.f, self.get
        kind = {"maximum": Maximum, "maximum_with_taps": MaximumWithTaps}.get(self.name)
        best = [kind(f, self.shape) for _ in range(TOGETHER)] if kind else []
        sums = [f.variable(self.many) for _ in range(TOGETHER)]
        everywhere = f.value(vector("i1", self.shape.lanes), True)
        start, stop = share(f, get["images"] * get["rows"])
        with f.loop(start, stop) as unit, f.loop(0, get["columns"]) as column:
            n, row = unit / get["rows"], unit % get["rows"]

            def body(c: Value, count: int, some: Value | None) -> None:
                self._begin(best[:count], sums[:count], c, some)
                with self.taps(row, column) as (y, x, tap):
                    values = self.take(self.pixel("input", n, y, x, c), count, some)
                    if self.name == "depthwise":
                        for w, v, total in zip(
                            self.weights(tap, c, count, some), values, sums[:count], strict=True
                        ):
                            total.set(f.fma(w, v, total.get()))
                    elif self.name == "mean":
                        for v, total in zip(values, sums[:count], strict=True):
                            total.set(total.get() + v)
                    else:
                        for v, one in zip(values, best, strict=False):
                            one.see(v, everywhere, tap)
                place = self.pixel("out", n, row, column, c)
                at = self.at("out", n, row, column, c)
                for k in range(count):
                    result = best[k].best.get() if best else sums[k].get()
                    if self.name == "mean":
                        result = result / self.count(row, column)
                    write(f, result, place, k * self.shape.lanes, some)
                    if self.name == "maximum_with_taps":
                        narrow = best[k].tap.get().to(f"<{self.shape.lanes} x i8>")
                        bytes_at = f.at(pointer(f, get["taps"]), at, "i8")
                        write(f, narrow, bytes_at, k * self.shape.lanes, some)

            self.blocks(0, get["channels"], body)

    def _begin(
        self, best: list[Maximum], sums: list[Variable], c: Value, some: Value | None
    ) -> None:
        f = self.f
        for one in best:
            one.begin()
        for total in sums:
            total.set(0.0)
        if self.name == "depthwise":
            with f.when(self.get["bias"].ne(0)):
                place = f.at(pointer(f, self.get["bias"]), c, self.shape.type)
                for total, value in zip(sums, self.take(place, len(sums), some), strict=True):
                    total.set(value)


class _Backward(_Windows):
    """Every window's number, added to the pixels that it saw."""

    def write(self) -> None:
        """The function."""
        f, get, lanes = self.f, self.get, self.shape.lanes
        size = lanes * TOGETHER
        groups = (get["channels"] + (size - 1)) / size
        start, stop = share(f, get["images"] * groups)
        with f.loop(start, stop) as unit:
            n, first = unit / groups, unit % groups * size
            last = smaller(f, first + size, get["channels"])
            self.blocks(first, last, lambda c, count, some: self._plane(n, c, count, some))

    def _plane(self, n: Value, c: Value, count: int, some: Value | None) -> None:
        f, get, lanes = self.f, self.get, self.shape.lanes
        zero = f.value(self.many, 0.0)
        with f.loop(0, get["height"]) as y, f.loop(0, get["width"]) as x:
            for k in range(count):
                write(f, zero, self.pixel("input", n, y, x, c), k * lanes, some)
        with f.loop(0, get["rows"]) as row, f.loop(0, get["columns"]) as column:
            given = self.take(self.pixel("out", n, row, column, c), count, some)
            if self.name == "spread_mean":
                given = [value / self.count(row, column) for value in given]
            winners = []
            if self.name == "spread":
                at = self.at("out", n, row, column, c)
                place = f.at(pointer(f, get["taps"]), at, "i8")
                winners = [self._bytes(place, k * lanes, some) for k in range(count)]
            with self.taps(row, column) as (y, x, tap):
                place = self.pixel("input", n, y, x, c)
                before = self.take(place, count, some)
                if self.name == "depthwise_input":
                    weights = self.weights(tap, c, count, some)
                    after = [f.fma(w, g, b) for w, g, b in zip(weights, given, before, strict=True)]
                else:
                    after = [b + g for b, g in zip(before, given, strict=True)]
                if winners:
                    number = f.splat(tap.to("i32"), lanes)
                    after = [
                        f.select(won.eq(number), a, b)
                        for won, a, b in zip(winners, after, before, strict=True)
                    ]
                for k, value in enumerate(after):
                    write(f, value, place, k * lanes, some)

    def _bytes(self, place: Value, at: int, some: Value | None) -> Value:
        """The numbers of taps, as i32."""
        f, lanes = self.f, self.shape.lanes
        type = vector("i8", lanes)
        place = f.at(place, at, "i8")
        found = f.load(type, place) if some is None else masked_load(f, type, place, some)
        return f.emit(vector("i32", lanes), f"zext {type} {found.name} to <{lanes} x i32>")


def _weight(made: Module, shape: Shape) -> None:
    """The weight's gradient of a depthwise convolution, tap by tap: `out` is the gradient."""
    self = _Windows(made, shape, "depthwise_weight")
    f, get, lanes = self.f, self.get, shape.lanes
    size = lanes * TOGETHER
    start, stop = share(f, (get["channels"] + (size - 1)) / size)
    sums = [f.variable(self.many) for _ in range(TOGETHER)]

    def body(c: Value, count: int, some: Value | None) -> None:
        weight = f.at(pointer(f, get["weight"]), c, shape.type)
        with f.loop(0, get["kernel_rows"] * get["kernel_columns"]) as tap:
            for k in range(count):
                place = f.at(weight, tap * get["channels"], shape.type)
                write(f, f.value(self.many, 0.0), place, k * lanes, some)
        with (
            f.loop(0, get["images"]) as n,
            f.loop(0, get["rows"]) as row,
            f.loop(0, get["kernel_rows"]) as ky,
        ):
            y = row * get["row_stride"] - get["row_padding"] + ky * get["row_dilation"]
            with f.when(y.ge(0) & y.lt(get["height"])), f.loop(0, get["kernel_columns"]) as kx:
                shift = kx * get["column_dilation"] - get["column_padding"]
                stride = get["column_stride"]
                left = larger(f, (stride - 1 - shift) / stride, 0)
                right = smaller(f, (get["width"] - shift + stride - 1) / stride, get["columns"])
                for total in sums[:count]:
                    total.set(0.0)
                with f.loop(left, right) as column:
                    x = column * stride + shift
                    grads = self.take(self.pixel("out", n, row, column, c), count, some)
                    values = self.take(self.pixel("input", n, y, x, c), count, some)
                    for g, v, total in zip(grads, values, sums[:count], strict=True):
                        total.set(f.fma(g, v, total.get()))
                tap = ky * get["kernel_columns"] + kx
                place = f.at(weight, tap * get["channels"], shape.type)
                before = self.take(place, count, some)
                for k, (b, total) in enumerate(zip(before, sums[:count], strict=True)):
                    write(f, b + total.get(), place, k * lanes, some)

    with f.loop(start, stop) as unit:
        first = unit * size
        self.blocks(first, smaller(f, first + size, get["channels"]), body)
