"""Softmax attention by generated code, forward and backward, without a square of weights in memory.

A share takes heads, and of each head blocks of `BLOCK` queries: their scores against all keys lie
in a scratch that stays in the cache. Kept for the way back is each row's maximum and sum. What
causality hides is not computed. Operands are (N, H, rows, width) with any strides but a contiguous
last dimension. Stands on jit, gemm and vectors.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from flambeau.core.kernels import memory
from flambeau.core.kernels.generate import gemm
from flambeau.core.kernels.generate.call import TYPES, Kernel
from flambeau.core.kernels.generate.gemm import halved, pointer, share, smaller, words
from flambeau.core.kernels.generate.vectors import along, read, row_sums, write
from flambeau.core.kernels.jit import build, pool
from flambeau.core.kernels.jit.ir import SIZES, Function, Module, Value, vector
from flambeau.core.kernels.native.formulas import exp
from flambeau.core.kernels.native.launch import GRAIN

__all__ = ["backward", "forward"]

WORDS = (
    "q", "k", "v", "mask", "out", "sums", "g", "dq", "dk", "dv", "steps", "scratch", "room",
    "heads", "batch", "length", "source", "width", "value_width", "scale", "causal", "kind",
    "chunk",
)  # fmt: skip
"""The context. `steps`: three strides of each of OPERANDS (batch, head, row); `room`: numbers of
scratch for a share; `kind`: of mask; `chunk`: queries in a unit of work.
"""
OPERANDS = ("q", "k", "v", "mask", "out", "g", "dq", "dk", "dv")
NOTHING, ALLOWED, ADDED = 0, 1, 2
"""Kinds of mask: none, bools that are true where a query may look, numbers to add."""
BLOCK = 48

Product = Callable[..., None]


def module(name: str, type: str, lanes: int) -> Module:
    """`forward` or `backward` for one number type."""
    host = build.host()
    shape = gemm.shape_of(type, host.bits, host.masked)
    made = gemm.module(shape, name=f"attention-{name}", dots=False)
    parts = {f.name: f for f in made.functions}
    (_forward if name == "forward" else _backward)(made, shape, parts)
    return made


class _Head:
    """One head under work: where its operands begin, products and packing."""

    def __init__(self, f: Function, shape: gemm.Shape, parts: dict[str, Function]) -> None:
        self.f, self.shape, self.type = f, shape, shape.type
        self.many = vector(shape.type, shape.lanes)
        self.get = words(f, WORDS)
        self.product, self.pack = parts["product"], parts["pack"]
        self.room = f.memory("i64", max(len(gemm.PRODUCT), len(gemm.PACK)))
        self.steps = pointer(f, self.get["steps"])
        self.scale = f.splat(self.get["scale"].bits("double").to(self.type), shape.lanes)
        source = self.get["source"]
        self.scratch = f.at(pointer(f, self.get["scratch"]), 0, self.type)
        own = f.argument["thread"] * self.get["room"]
        self.scratch = f.at(self.scratch, own, self.type)
        self.padded = (source + (shape.lanes - 1)) / shape.lanes * shape.lanes
        self.first: dict[str, Value] = {}

    def begin(self, number: Value, *names: str) -> None:
        """Find the operands of a head."""
        head, batch = number % self.get["heads"], number / self.get["heads"]
        for name in names:
            start = pointer(self.f, self.get[name])
            offset = batch * self.step(name, 0) + head * self.step(name, 1)
            if name == "mask":
                offset = offset * self.f.select(
                    self.get["kind"].eq(ALLOWED), 1, self.f.index(SIZES[self.type])
                )
                self.first[name] = self.f.at(start, offset, "i8")
            else:
                self.first[name] = self.f.at(start, offset, self.type)

    def step(self, name: str, which: int = 2) -> Value:
        """A stride in elements; by default from one row to the next."""
        return self.f.load("i64", self.steps, OPERANDS.index(name) * 3 + which)

    def row(self, name: str, number: Value) -> Value:
        """Where a row of an operand begins."""
        return self.f.at(self.first[name], number * self.step(name), self.type)

    def _call(self, function: Function, names: tuple[str, ...], given: dict[str, Any]) -> None:
        f = self.f
        for at, name in enumerate(names):
            value = f.index(given.get(name, 0))
            f.store(value.to("i64"), self.room, at)
        f.call(function, "void", self.room, f.index(0), f.index(1))

    def turn(self, name: str, width: Value, packed: Value) -> None:
        """Rows of an operand into panels, as the right factor that is turned."""
        self._call(self.pack, gemm.PACK, {
            "b": self.first[name], "b_row": 1, "b_column": self.step(name), "packed": packed,
            "n": self.get["source"], "k": width, "batch": 1,
        })  # fmt: skip

    def times_turned(
        self, rows: Value, left: str, first: Value, packed: Value, width: Value, columns: Value,
        out: Value,
    ) -> None:  # fmt: skip
        """``out = left[first : first + rows] packed``, the first columns of it."""
        f, panel = self.f, self.shape.panel
        source = self.get["source"]
        last = self.padded - source / panel * panel
        whole = (columns / panel).lt(source / panel)
        self._call(self.product, gemm.PRODUCT, {
            "a": self.row(left, first), "a_row": self.step(left), "a_column": 1,
            "b": packed, "b_step": panel, "b_last": f.select(whole, panel, last),
            "b_panel": width * panel, "c": out, "c_row": source, "m": rows, "n": columns,
            "k": width, "batch": 1, "rows": rows,
        })  # fmt: skip

    def times(
        self, left: Value, steps: tuple[Any, Any], right: Value, right_step: Value, out: Value,
        out_step: Value, sizes: tuple[Value, Value, Value], more: int = 0,
    ) -> None:  # fmt: skip
        """``out = left right``, where the right factor's rows are read where they lie."""
        m, n, k = sizes
        self._call(self.product, gemm.PRODUCT, {
            "a": left, "a_row": steps[0], "a_column": steps[1], "b": right, "b_step": right_step,
            "b_last": right_step, "b_panel": self.shape.panel, "c": out, "c_row": out_step,
            "accumulate": more, "m": m, "n": n, "k": k, "batch": 1, "rows": m,
        })  # fmt: skip

    def columns(self, stop: Value) -> Value:
        """How many keys queries before `stop` look at."""
        source = self.get["source"]
        return self.f.select(self.get["causal"].ne(0), smaller(self.f, source, stop), source)

    def scored(self, line: Value, number: Value, body: Callable[..., None]) -> None:
        """``body(read)`` for each kind of mask, where ``read(i, some)`` gives scores of a query:
        scaled, and masked.
        """
        f, kind = self.f, self.get["kind"]
        mask = f.at(
            self.first["mask"],
            number * self.step("mask") * f.select(kind.eq(ALLOWED), 1, f.index(SIZES[self.type])),
            "i8",
        )

        def reader(each: int) -> Callable[[Value, Value | None], Value]:
            def one(i: Value, some: Value | None) -> Value:
                x = read(f, self.many, line, i, some) * self.scale
                if each == ADDED:
                    return x + read(f, self.many, mask, i, some)
                if each == ALLOWED:
                    seen = self._bytes(mask, i, some)
                    return f.select(seen, x, f.value(self.many, -math.inf))
                return x

            return one

        for each in (NOTHING, ALLOWED, ADDED):
            with f.when(kind.eq(each)):
                body(reader(each))

    def _bytes(self, mask: Value, i: Value, some: Value | None) -> Value:
        """Bools as a mask of lanes."""
        f, lanes = self.f, self.shape.lanes
        place, type = f.at(mask, i, "i8"), f"<{lanes} x i8>"
        if some is None:
            return f.load(type, place).ne(0)
        return gemm.masked_load(f, type, place, some).ne(0)

    def clear(self, line: Value, start: Value, stop: Value) -> None:
        """Zeros from `start` to `stop` of a row."""
        place = self.f.at(line, start, self.type)
        zero = self.f.value(self.many, 0.0)
        along(
            self.f, stop - start, self.shape.lanes,
            lambda i, some, _: write(self.f, zero, place, i, some),
        )  # fmt: skip


def _forward(made: Module, shape: gemm.Shape, parts: dict[str, Function]) -> None:
    f = made.function("forward", pool.ARGUMENTS)
    head = _Head(f, shape, parts)
    get, type, many = head.get, shape.type, head.many
    width, value_width, source, length = (
        get[key] for key in ("width", "value_width", "source", "length")
    )
    turned = head.scratch
    scores = f.at(turned, head.padded * width, type)
    factors = f.memory(type, BLOCK)
    chunks = (length + (get["chunk"] - 1)) / get["chunk"]
    start, stop = share(f, get["batch"] * get["heads"] * chunks)
    with f.loop(start, stop) as unit:
        number, chunk = unit / chunks, unit % chunks
        head.begin(number, "q", "k", "v", "mask", "out")
        head.turn("k", width, turned)
        sums = f.at(pointer(f, get["sums"]), number * length * 2, type)
        begin = chunk * get["chunk"]
        end = smaller(f, begin + get["chunk"], length)
        with f.loop(begin, end, BLOCK) as first:
            rows = smaller(f, end - first, BLOCK)
            columns = head.columns(first + rows)
            head.times_turned(rows, "q", first, turned, width, columns, scores)
            with f.loop(0, rows) as r:
                line, i = f.at(scores, r * source, type), first + r
                seen = head.columns(i + 1)
                top = _largest(head, line, i, seen)
                tops = f.splat(top, shape.lanes)

                def power(
                    j: Value, some: Value | None, line: Value = line, tops: Value = tops
                ) -> list[Value]:
                    value = exp(f, read(f, many, line, j, some) - tops)
                    write(f, value, line, j, some)
                    return [value]

                total = row_sums(f, type, shape.lanes, seen, power)[0].to(type)
                head.clear(line, seen, columns)
                factor = f.select(total.eq(0), 0.0, 1.0 / total)
                f.store(factor, factors, r)
                f.store(top, sums, i * 2)
                f.store(factor, sums, i * 2 + 1)
            out, step = head.row("out", first), head.step("out")
            sizes = rows, value_width, columns
            head.times(
                scores, (source, 1), head.first["v"], head.step("v"), out, step, sizes
            )  # fmt: skip
            with f.loop(0, rows) as r:
                line = f.at(out, r * step, type)
                factor = f.splat(f.load(type, factors, r), shape.lanes)
                along(
                    f, value_width, shape.lanes,
                    lambda j, some, _, line=line, factor=factor: write(
                        f, read(f, many, line, j, some) * factor, line, j, some
                    ),
                )  # fmt: skip


def _largest(head: _Head, line: Value, number: Value, seen: Value) -> Value:
    """Write the scores of a query as they are; the largest, or 0 where it may look nowhere."""
    f, many = head.f, head.many
    tops = [f.variable(many, -math.inf) for _ in range(2)]

    def body(scores: Callable[..., Value]) -> None:
        def one(i: Value, some: Value | None, k: int) -> None:
            x, top = scores(i, some), tops[k].get()
            write(f, x, line, i, some)
            better = f.select(x.gt(top), x, top)
            tops[k].set(better if some is None else f.select(some, better, top))

        along(f, seen, head.shape.lanes, one, 2)

    head.scored(line, number, body)

    def larger(a: Value, b: Value) -> Value:
        return f.select(a.gt(b), a, b)

    top = halved(f, larger(tops[0].get(), tops[1].get()), larger)
    return f.select(top.eq(-math.inf), 0.0, top)


def _backward(made: Module, shape: gemm.Shape, parts: dict[str, Function]) -> None:
    f = made.function("backward", pool.ARGUMENTS)
    head = _Head(f, shape, parts)
    get, type = head.get, shape.type
    width, value_width, source, length = (
        get[key] for key in ("width", "value_width", "source", "length")
    )
    keys = head.scratch
    values = f.at(keys, head.padded * width, type)
    weights = f.at(values, head.padded * value_width, type)
    slopes = f.at(weights, source * BLOCK, type)
    start, stop = share(f, get["batch"] * get["heads"])
    with f.loop(start, stop) as number:
        head.begin(number, "q", "k", "v", "mask", "g", "dq", "dk", "dv")
        head.turn("k", width, keys)
        head.turn("v", value_width, values)
        sums = f.at(pointer(f, get["sums"]), number * length * 2, type)
        for name, count in (("dk", width), ("dv", value_width)):
            with f.loop(0, source) as j:
                head.clear(head.row(name, j), f.index(0), count)
        with f.loop(0, length, BLOCK) as first:
            rows = smaller(f, length - first, BLOCK)
            columns = head.columns(first + rows)
            head.times_turned(rows, "q", first, keys, width, columns, weights)
            head.times_turned(rows, "g", first, values, value_width, columns, slopes)
            with f.loop(0, rows) as r:
                line, slope = (f.at(x, r * source, type) for x in (weights, slopes))
                seen = head.columns(first + r + 1)
                _slopes(head, line, slope, first + r, seen, sums)
                head.clear(line, seen, columns)
                head.clear(slope, seen, columns)
            turned = f.index(1), source
            for left, right, into, size in (
                (weights, "g", "dv", value_width), (slopes, "q", "dk", width)
            ):  # fmt: skip
                head.times(
                    left, turned, head.row(right, first), head.step(right), head.first[into],
                    head.step(into), (columns, size, rows), 1,
                )  # fmt: skip
            head.times(
                slopes, (source, 1), head.first["k"], head.step("k"), head.row("dq", first),
                head.step("dq"), (rows, width, columns),
            )  # fmt: skip


def _slopes(
    head: _Head, line: Value, slope: Value, number: Value, seen: Value, sums: Value
) -> None:  # fmt: skip
    """Scores become weights, the gradients of weights become those of scores."""
    f, many, lanes = head.f, head.many, head.shape.lanes
    top, factor = (f.splat(f.load(head.type, sums, number * 2 + k), lanes) for k in range(2))
    pulled = f.variable("double", 0.0)

    def body(scores: Callable[..., Value]) -> None:
        def pull(j: Value, some: Value | None) -> list[Value]:
            weight = exp(f, scores(j, some) - top) * factor
            write(f, weight, line, j, some)
            return [weight * read(f, many, slope, j, some)]

        pulled.set(row_sums(f, head.type, lanes, seen, pull)[0])

    head.scored(line, number, body)
    less = f.splat(pulled.get().to(head.type), lanes)

    def finish(j: Value, some: Value | None, _: int) -> None:
        found = read(f, many, line, j, some) * (read(f, many, slope, j, some) - less)
        write(f, found * head.scale, slope, j, some)

    along(f, seen, lanes, finish, 2)


_kernel = Kernel(module)


def _serves(name: str, dtype: Any, *arrays: Any) -> bool:
    """Whether all are (N, H, rows, width) of one dtype that code is made for, contiguous in their
    last dimension, and not empty.
    """
    if dtype not in TYPES or not _kernel.ready(dtype, name):
        return False
    for a in arrays:
        if a.ndim != 4 or not a.size or a.dtype is not dtype or a.strides[3] != dtype.itemsize:
            return False
    return True


def _run(name: str, arrays: dict[str, Any], scale: float, causal: bool) -> None:
    q, mask = arrays["q"], arrays["mask"]
    (N, H, L, E), (S, V) = q.shape, arrays["v"].shape[2:]
    steps = np.array(
        [
            0 if array is None else step // array.itemsize
            for array in map(arrays.get, OPERANDS)
            for step in (array.strides[:3] if array is not None else (0, 0, 0))
        ],
        np.int64,
    )
    work = max(1, N * H * L * S * (E + V) // 8)
    shares = 1 if work < GRAIN else pool.shares_of(work, GRAIN)
    room = (S + 16) * (E + V + 2 * BLOCK)
    # Queries of a unit: all of a head where there are heads enough, else whole blocks.
    units = max(1, 2 * shares // (N * H))
    words = arrays | {
        "steps": steps, "scratch": memory.empty(room * shares, q.dtype), "room": room, "heads": H,
        "batch": N, "length": L, "source": S, "width": E, "value_width": V, "scale": float(scale),
        "causal": int(causal), "chunk": -(-L // (units * BLOCK)) * BLOCK,
        "kind": NOTHING if mask is None else ALLOWED if mask.dtype == bool else ADDED,
    }  # fmt: skip
    _kernel.run(q.dtype, name, work, *[words.get(word) for word in WORDS])


def _mask(mask: Any, q: Any, k: Any) -> Any:
    """A mask as (N, H, L, S), contiguous in its last dimension."""
    if mask is None:
        return None
    found = np.broadcast_to(mask, (*q.shape[:3], k.shape[2]))
    return found if found.strides[3] == found.itemsize else np.ascontiguousarray(found)


def forward(q: Any, k: Any, v: Any, mask: Any, scale: float, causal: bool, out: Any) -> Any:
    """Write ``softmax(scale q k^T + mask) v`` into `out`; each row's maximum and one over its sum
    (N, H, L, 2), or None where no code serves.
    """
    if not _serves("forward", q.dtype, q, k, v, out):
        return None
    sums = memory.empty((*q.shape[:3], 2), q.dtype)
    arrays = {"q": q, "k": k, "v": v, "mask": _mask(mask, q, k), "out": out, "sums": sums}
    _run("forward", arrays, scale, causal)
    return sums


def backward(
    g: Any, q: Any, k: Any, v: Any, mask: Any, sums: Any, scale: float, causal: bool,
    into: tuple[Any, Any, Any],
) -> bool:  # fmt: skip
    """Write the gradients for q, k and v `into` three arrays. Whether it was done."""
    if not _serves("backward", q.dtype, g, q, k, v, *into) or not sums.flags.c_contiguous:
        return False
    arrays = {"q": q, "k": k, "v": v, "mask": _mask(mask, q, k), "g": g, "sums": sums}
    _run("backward", arrays | dict(zip(("dq", "dk", "dv"), into, strict=True)), scale, causal)
    return True
