"""Softmax and its logarithm along rows of any length, their gradients, and cross-entropy of class
numbers: each row is read from memory once.

Rows are contiguous, or lie across: (outer, width, inner), where ``softmax_across`` takes over.
Short rows have native functions (``native.rows``); other arrays go to the NumPy forms. Stands on
jit, vectors and the formulas of exp and log.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from flambeau.core.kernels import memory
from flambeau.core.kernels.generate import softmax_across
from flambeau.core.kernels.generate.call import NUMBERS, Kernel, dense
from flambeau.core.kernels.generate.gemm import pointer, share, words
from flambeau.core.kernels.generate.vectors import (
    along,
    number,
    put,
    read,
    row_largest,
    row_sums,
    working,
    write,
)
from flambeau.core.kernels.jit import pool
from flambeau.core.kernels.jit.ir import Function, Module, Value, element, vector
from flambeau.core.kernels.native.formulas import exp
from flambeau.core.kernels.native.narrow import rounded
from flambeau.core.kernels.native.smooth import log

__all__ = ["class_gradient", "forward", "gradient", "log_sums"]

FORWARD = ("x", "out", "rows", "width")
BACKWARD = ("g", "y", "out", "rows", "width", "step")
CLASSES = ("logs", "target", "shares", "out", "rows", "width", "step")

Write = Callable[..., None]


def module(name: str, type: str, width: int) -> Module:
    """`softmax`, `log_softmax`, `..._backward`, `log_sums`, one of these `..._across`, or
    `class_gradient`.
    """
    made = Module(f"{name}-{type}")
    if name.endswith("_across"):
        softmax_across.write(made, name, type, width)
    elif name == "class_gradient":
        _class_gradient(made, type, width)
    elif name == "log_sums":
        _log_sums(made, type, width)
    else:
        write = _backward if name.endswith("_backward") else _forward
        write(made, name, type, width, name.startswith("log_"))
    return made


def _forward(made: Module, name: str, type: str, lanes: int, log_of: bool) -> None:
    f = made.function(name, pool.ARGUMENTS)
    get = words(f, FORWARD)
    many, width = vector(type, lanes), get["width"]
    own = working(type)
    kept = not log_of and own == type
    start, stop = share(f, get["rows"])
    with f.loop(start, stop) as row:
        x, out = (f.at(pointer(f, get[key]), row * width, type) for key in ("x", "out"))
        top = row_largest(f, type, lanes, x, width)
        tops = f.splat(top, lanes)

        def power(i: Value, some: Value | None) -> list[Value]:
            value = exp(f, read(f, many, x, i, some) - tops)
            if kept:
                write(f, value, out, i, some)
            return [value]

        (total,) = row_sums(f, type, lanes, width, power)
        if log_of:
            # PyTorch keeps the sum of 16-bit floats and its logarithm in their precision here.
            single = rounded(f, total.to(own), type)
            less = f.splat(top, lanes), f.splat(rounded(f, log(f, single), type), lanes)
            _each(f, many, lanes, width, x, out, lambda x, less=less: x - less[0] - less[1])
        elif kept:
            scale = f.splat((1.0 / total).to(own), lanes)
            _each(f, many, lanes, width, out, out, lambda y, scale=scale: y * scale)
        else:  # powers are taken anew: in `out` they would be rounded
            scale = f.splat((1.0 / total).to(own), lanes)
            _each(
                f, many, lanes, width, x, out,
                lambda x, tops=tops, scale=scale: exp(f, x - tops) * scale,
            )  # fmt: skip


def _log_sums(made: Module, type: str, lanes: int) -> None:
    """The logarithm of every row's sum of powers. Of 16-bit floats all but the sum is rounded, as
    in PyTorch.
    """
    f = made.function("log_sums", pool.ARGUMENTS)
    get = words(f, FORWARD)
    many, width = vector(type, lanes), get["width"]
    start, stop = share(f, get["rows"])
    with f.loop(start, stop) as row:
        x = f.at(pointer(f, get["x"]), row * width, type)
        top = softmax_across.finite(f, row_largest(f, type, lanes, x, width))
        tops = f.splat(top, lanes)
        (total,) = row_sums(
            f, type, lanes, width,
            lambda i, some, x=x, tops=tops: [
                softmax_across.power(f, read(f, many, x, i, some) - tops, type)
            ],
        )  # fmt: skip
        found = rounded(f, log(f, rounded(f, total.to(working(type)), type)), type)
        put(f, found + top, pointer(f, get["out"]), row, type)


def _each(
    f: Function, many: str, lanes: int, width: Value, place: Value, out: Value,
    change: Callable[[Value], Value],
) -> None:  # fmt: skip
    def one(i: Value, some: Value | None, _: int) -> None:
        write(f, change(read(f, many, place, i, some)), out, i, some, type=element(many))

    along(f, width, lanes, one, 2)


def _backward(made: Module, name: str, type: str, lanes: int, log_of: bool) -> None:
    f = made.function(name, pool.ARGUMENTS)
    get = words(f, BACKWARD)
    many, width = vector(type, lanes), get["width"]
    start, stop = share(f, get["rows"])

    def rows(spread: bool) -> None:
        with f.loop(start, stop) as row:
            y, out = (f.at(pointer(f, get[key]), row * width, type) for key in ("y", "out"))
            g = pointer(f, get["g"])
            one = f.splat(number(f, type, g), lanes) if spread else None
            g = f.at(g, row * width, type)

            def slope(i: Value, some: Value | None) -> Value:
                return read(f, many, g, i, some) if one is None else one

            def term(i: Value, some: Value | None) -> list[Value]:
                return [slope(i, some) if log_of else slope(i, some) * read(f, many, y, i, some)]

            (total,) = row_sums(f, type, lanes, width, term)
            sums = f.splat(total.to(working(type)), lanes)

            def finish(i: Value, some: Value | None, _: int) -> None:
                each = read(f, many, y, i, some)
                if log_of:
                    found = slope(i, some) - exp(f, each) * sums
                else:
                    found = (slope(i, some) - sums) * each
                write(f, found, out, i, some, type=type)

            along(f, width, lanes, finish, 2)

    f.branch(get["step"].eq(0), "spread", "dense")
    f.label("spread")
    rows(True)
    f.ret()
    f.label("dense")
    rows(False)


def _class_gradient(made: Module, type: str, lanes: int) -> None:
    """``(exp(logs) - onehot) * share`` of every row, where a share may be one number for all. The
    target of a row whose share is 0 is not looked at.
    """
    f = made.function("class_gradient", pool.ARGUMENTS)
    get = words(f, CLASSES)
    many, width = vector(type, lanes), get["width"]
    start, stop = share(f, get["rows"])
    with f.loop(start, stop) as row:
        logs, out = (f.at(pointer(f, get[key]), row * width, type) for key in ("logs", "out"))
        part = number(f, type, pointer(f, get["shares"]), row * get["step"])
        parts = f.splat(part, lanes)
        _each(f, many, lanes, width, logs, out, lambda x, parts=parts: exp(f, x) * parts)
        with f.when(part.ne(0)):
            at = f.load("i64", pointer(f, get["target"]), row)
            put(f, exp(f, number(f, type, logs, at)) * part - part, out, at, type)


_kernel = Kernel(module, NUMBERS)


def forward(name: str, x: Any, axis: int) -> Any:
    """`softmax` or `log_softmax` along an axis; None where no code serves."""
    if not x.size or not dense(x, types=NUMBERS):
        return None
    if axis not in (-1, x.ndim - 1):
        return _across(f"{name}_across", x.shape, axis, x)
    if not _kernel.ready(x.dtype, name):
        return None
    out, width = memory.empty_like(x), x.shape[-1]
    _kernel.run(x.dtype, name, x.size * 4, x, out, x.size // width, width)
    return out


def log_sums(x: Any, axes: tuple[int, ...] | None, keepdims: bool) -> Any:
    """``log(sum(exp(x)))`` over neighbouring axes, all for None; None where no code serves."""
    axes = tuple(range(x.ndim)) if axes is None else axes
    first, after = min(axes), max(axes) + 1
    if not dense(x, types=NUMBERS) or after - first != len(axes):
        return None
    shape = x.shape
    outer, width, inner = prod(shape[:first]), prod(shape[first:after]), prod(shape[after:])
    name = "log_sums" if inner == 1 else "log_sums_across"
    if not _kernel.ready(x.dtype, name):
        return None
    out = np.empty(
        [1 if k in axes else n for k, n in enumerate(shape) if keepdims or k not in axes], x.dtype
    )
    sizes = (outer, width) if inner == 1 else (outer, width, inner)
    _kernel.run(x.dtype, name, x.size * 4, x, out, *sizes)
    return out


def _across(name: str, shape: tuple[int, ...], axis: int, *given: Any) -> Any:
    """The same along another axis, of contiguous arrays of one shape."""
    dtype = given[0].dtype
    if not _kernel.ready(dtype, name):
        return None
    out = memory.empty(shape, dtype)
    outer, width, inner = prod(shape[:axis]), shape[axis], prod(shape[axis:][1:])
    _kernel.run(dtype, name, out.size * 4, *given, out, outer, width, inner)
    return out


def gradient(name: str, g: Any, y: Any, axis: int) -> Any:
    """The gradient of `name` from its result; None where no code serves."""
    if not y.size or g.dtype is not y.dtype or not dense(y, types=NUMBERS):
        return None
    if axis not in (-1, y.ndim - 1):
        usual = g.flags.c_contiguous and g.shape == y.shape
        return _across(f"{name}_backward_across", y.shape, axis, g, y) if usual else None
    spread = not any(g.strides)
    if not (spread or g.flags.c_contiguous) or g.shape != y.shape:
        return None
    if not _kernel.ready(y.dtype, f"{name}_backward"):
        return None
    out, width = memory.empty_like(y), y.shape[-1]
    _kernel.run(
        y.dtype, f"{name}_backward", y.size * 2, g, y, out, y.size // width, width, int(not spread)
    )
    return out


def class_gradient(logs: Any, target: Any, shares: Any) -> Any:
    """``(exp(logs) - onehot(target)) * shares`` for logs (N, C), targets in range where their share
    is not 0, shares (N) or one number; None where no code serves.
    """
    if not logs.size or not dense(logs, shares, types=NUMBERS):
        return None
    if not _kernel.ready(logs.dtype, "class_gradient"):
        return None
    if target.dtype != np.int64 or not target.flags.c_contiguous:
        return None
    out = memory.empty_like(logs)
    _kernel.run(
        logs.dtype, "class_gradient", logs.size * 2, logs, target, shares, out, *logs.shape,
        int(shares.ndim),
    )  # fmt: skip
    return out
