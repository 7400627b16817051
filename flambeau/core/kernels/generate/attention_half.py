"""What lies between the products of attention on 16-bit floats: rows of scores made into
exponentials, into weights and their slopes, and sums divided.

Scores and sums are in single precision; what meets another factor is rounded to 16 bits, as
PyTorch's fused kernel has it. Stands on jit and vectors.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.kernels import memory
from flambeau.core.kernels.generate.call import HALF_TYPES, Kernel
from flambeau.core.kernels.generate.gemm import pointer, share, smaller, words
from flambeau.core.kernels.generate.vectors import along, read, row_largest, row_sums, write
from flambeau.core.kernels.jit import pool
from flambeau.core.kernels.jit.ir import Function, Module, Value, vector
from flambeau.core.kernels.native.formulas import exp

__all__ = ["divided", "exponentials", "slopes"]

WORDS = ("x", "out", "sums", "rows", "width", "scale", "length", "pulled", "dots", "slopes")
"""`length` is that of a sequence whose rows look at themselves and rows before, 0 for any."""


def module(name: str, type: str, lanes: int) -> Module:
    """`exponentials`, `slopes` or `divided`."""
    made = Module(f"attention-{name}-{type}")
    f = made.function(name, pool.ARGUMENTS)
    get = words(f, WORDS)
    start, stop = share(f, get["rows"])
    with f.loop(start, stop) as row:
        (_divided if name == "divided" else _weighed)(f, get, type, lanes, row, name == "slopes")
    return made


def _weighed(
    f: Function, get: dict[str, Value], type: str, lanes: int, row: Value, back: bool
) -> None:
    many, width = vector("float", lanes), get["width"]
    x = f.at(pointer(f, get["x"]), row * width, "float")
    out = f.at(pointer(f, get["out"]), row * width, type)
    free = get["length"].eq(0)
    seen = smaller(f, row % f.select(free, 1, get["length"]) + 1, width)
    seen = f.select(free, width, seen)
    scale = get["scale"].bits("double").to("float")
    scales = f.splat(scale, lanes)
    top = row_largest(f, "float", lanes, x, seen) * scale
    top = f.select(top.eq(float("-inf")), 0.0, top)
    tops = f.splat(top, lanes)

    def power(i: Value, some: Value | None) -> Value:
        return exp(f, read(f, many, x, i, some) * scales - tops)

    def term(i: Value, some: Value | None) -> list[Value]:
        value = power(i, some)
        if not back:
            write(f, value, out, i, some, type=type)
        return [value]

    (total,) = row_sums(f, "float", lanes, seen, term)
    targets = [out]
    if back:
        slope = f.at(pointer(f, get["slopes"]), row * width, type)
        targets.append(slope)
        pulled = f.at(pointer(f, get["pulled"]), row * width, "float")
        own = total.to("float")
        totals = f.splat(f.select(own.eq(0.0), 1.0, own), lanes)
        dots = f.splat(f.load("float", pointer(f, get["dots"]), row), lanes)

        def weigh(i: Value, some: Value | None, _: int) -> None:
            soft = power(i, some) / totals
            away = soft * (read(f, many, pulled, i, some) - dots)
            write(f, soft, out, i, some, type=type)
            # A row that looks at one key alone has no slope, whatever its sums' last digits.
            write(f, f.select(soft.eq(1.0), 0.0, away), slope, i, some, type=type)

        along(f, seen, lanes, weigh)
    else:
        sums = pointer(f, get["sums"])
        f.store(top, sums, row * 2)
        f.store(total.to("float"), sums, row * 2 + 1)
    nothing = f.value(many, 0.0)
    for target in targets:
        rest = f.at(target, seen, type)
        along(
            f, width - seen, lanes,
            lambda i, some, _, rest=rest: write(f, nothing, rest, i, some, type=type),
        )  # fmt: skip


def _divided(
    f: Function, get: dict[str, Value], type: str, lanes: int, row: Value, _: bool
) -> None:
    many, width = vector("float", lanes), get["width"]
    x = f.at(pointer(f, get["x"]), row * width, "float")
    out = f.at(pointer(f, get["out"]), row * width, type)
    total = f.load("float", pointer(f, get["sums"]), row * 2 + 1)
    totals = f.splat(f.select(total.eq(0.0), 1.0, total), lanes)
    along(
        f, width, lanes,
        lambda i, some, _: write(f, read(f, many, x, i, some) / totals, out, i, some, type=type),
        2,
    )  # fmt: skip


_kernel = Kernel(module, HALF_TYPES)


def _run(name: str, dtype: Any, x: Any, *given: Any) -> bool:
    if dtype not in HALF_TYPES or not x.size or not _kernel.ready(dtype, name):
        return False
    out, sums, scale, length, pulled, dots, slope = given
    width = x.shape[-1]
    _kernel.run(
        dtype, name, x.size * 4, x, out, sums, x.size // width, width, float(scale), length,
        pulled, dots, slope,
    )  # fmt: skip
    return True


def exponentials(x: Any, dtype: Any, scale: float, length: int) -> Any:
    """``exp(scale x - top)`` of contiguous float32 scores, in a 16-bit dtype, and each row's top
    and sum; None where no code serves.
    """
    out, sums = memory.empty(x.shape, dtype), np.empty((*x.shape[:-1], 2), np.float32)
    if not scale > 0:  # the smallest would be on top
        return None
    done = _run("exponentials", dtype, x, out, sums, scale, length, None, None, None)
    return (out, sums) if done else None


def slopes(x: Any, pulled: Any, dots: Any, dtype: Any, scale: float, length: int) -> Any:
    """The softmax of the scores, and ``softmax (pulled - dots)``; None where no code serves."""
    soft, slope = memory.empty(x.shape, dtype), memory.empty(x.shape, dtype)
    if not scale > 0:
        return None
    done = _run("slopes", dtype, x, soft, None, scale, length, pulled, dots, slope)
    return (soft, slope) if done else None


def divided(x: Any, sums: Any, dtype: Any) -> Any:
    """Rows of contiguous float32 numbers over the second of the row's sums."""
    out = memory.empty(x.shape, dtype)
    return out if _run("divided", dtype, x, out, sums, 0.0, 0, None, None, None) else None
