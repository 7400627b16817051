"""Normalisation with one mean and deviation for each channel of (N, C, L): forward, backward.

A channel is a unit of work: its sums, then its numbers, while they lie in the second cache. Sums
are kept in double precision from piece to piece. Arrays are contiguous; with the channels last
``columns`` does the same. Stands on jit and vectors.
"""

from __future__ import annotations

from collections.abc import Callable
from math import nan, prod
from typing import Any

import numpy as np

from flambeau.core.kernels import memory
from flambeau.core.kernels.generate.call import NUMBERS, Kernel, beside
from flambeau.core.kernels.generate.columns import columns, moved
from flambeau.core.kernels.generate.gemm import pointer, share, smaller, words
from flambeau.core.kernels.generate.vectors import (
    PIECE,
    across,
    along,
    read,
    working,
    write,
)
from flambeau.core.kernels.jit import pool
from flambeau.core.kernels.jit.ir import Function, Module, Value, vector
from flambeau.core.kernels.windows import empty, to_last

__all__ = ["backward", "forward", "normal"]

FORWARD = ("x", "weight", "bias", "mean", "variance", "invstd", "out", "batch", "channels",
           "length", "eps", "train", "running_mean", "running_var", "keep", "gain",
           "unbiased")  # fmt: skip
"""`mean`, `variance` and `invstd` are written where `train` is 1, the last alone where it is 0, and
read otherwise; with the former the running ones become ``keep * running + gain * new``, of the
variance times `unbiased`.
"""
EVAL, TRAIN, GIVEN = 0, 1, 2
"""What is computed of the numbers: nothing, all, nothing and 1 / deviation is given."""
BACKWARD = ("g", "x", "weight", "mean", "invstd", "total", "dot", "grad", "batch", "channels",
            "length", "train", "sums")  # fmt: skip
"""`total` and `dot` are the sums of g and of g (x - mean), taken where `sums` is not 0."""


def module(name: str, type: str, width: int) -> Module:
    """`forward` or `backward`, or one of them for channels that lie last."""
    made = Module(f"channels-{name}-{type}")
    if name.startswith("last_"):
        forward = name in ("last_forward", "last_normal")
        columns(made, name, type, width, FORWARD if forward else BACKWARD)
    else:
        (_forward if name == "forward" else _backward)(made, type, width)
    return made


class _Planes:
    """The numbers of one channel: a row of `length` numbers in each sample."""

    def __init__(self, f: Function, get: dict[str, Value], type: str, lanes: int, channel: Value):
        self.f, self.type, self.lanes, self.channel = f, type, lanes, channel
        self.many, self.own = vector(type, lanes), working(type)
        self.batch, self.channels, self.length = (
            get[key] for key in ("batch", "channels", "length")
        )
        self.count = (self.batch * self.length).to("double")

    def row(self, array: Value, n: Value) -> Value:
        """Where the channel's numbers of a sample lie."""
        start = (n * self.channels + self.channel) * self.length
        return self.f.at(array, start, self.type)

    def sums(
        self,
        arrays: tuple[Value, ...],
        terms: Callable[..., list[Value]],
        number: int,
    ) -> list[Value]:
        """The sums of ``terms(register of each array, ...)`` over all samples, in double precision.

        Registers are added up over as many samples as make a piece.
        """
        f, unroll = self.f, 4 // number
        totals = [f.variable("double", 0.0) for _ in range(number)]
        parts = [
            [f.variable(vector(self.own, self.lanes)) for _ in range(unroll)] for _ in range(number)
        ]
        together = f.intrinsic("smax", PIECE / self.length, f.index(1))
        with f.loop(0, self.batch, together) as n0, f.loop(0, self.length, PIECE) as first:
            for line in parts:
                for part in line:
                    part.set(0.0)
            count = smaller(f, self.length - first, PIECE)
            with f.loop(n0, smaller(f, n0 + together, self.batch)) as n:
                rows = [f.at(self.row(array, n), first, self.type) for array in arrays]

                def add(i: Value, some: Value | None, k: int) -> None:
                    values = [read(f, self.many, row, i, some) for row in rows]
                    for line, term in zip(parts, terms(*values), strict=True):
                        if some is not None:
                            term = f.select(some, term, 0.0)
                        line[k].set(line[k].get() + term)

                along(f, count, self.lanes, add, unroll)
            for total, line in zip(totals, parts, strict=True):
                total.set(total.get() + across(f, [part.get() for part in line]).to("double"))
        return [total.get() for total in totals]

    def each(self, arrays: tuple[Value, ...], out: Value, change: Callable[..., Value]) -> None:
        """``change(register of each array, ...)`` into `out`."""
        f = self.f
        with f.loop(0, self.batch) as n:
            rows, target = [self.row(array, n) for array in arrays], self.row(out, n)

            def one(i: Value, some: Value | None, _: int) -> None:
                values = [read(f, self.many, row, i, some) for row in rows]
                write(f, change(*values), target, i, some, type=self.type)

            along(f, self.length, self.lanes, one, 2)


def optional(f: Function, type: str, array: Value, at: Value, otherwise: float) -> Value:
    """A channel's number of an array that may be missing."""
    found = f.variable(type, otherwise)
    with f.when(array.ne(0)):
        found.set(f.load(type, pointer(f, array), at))
    return found.get()


def _forward(made: Module, type: str, lanes: int) -> None:
    f = made.function("forward", pool.ARGUMENTS)
    get = words(f, FORWARD)
    start, stop = share(f, get["channels"])
    x, out = pointer(f, get["x"]), pointer(f, get["out"])
    mean_at, variance_at = pointer(f, get["mean"]), pointer(f, get["variance"])
    with f.loop(start, stop) as c:
        planes = _Planes(f, get, type, lanes, c)
        own = planes.own
        with f.when(get["train"].eq(TRAIN)):
            (total,) = planes.sums((x,), lambda v: [v], 1)
            mean = (total / planes.count).to(own)
            f.store(mean, mean_at, c)
            middle = f.splat(mean, lanes)
            (total,) = planes.sums((x,), lambda v: [(v - middle) * (v - middle)], 1)
            variance = (total / planes.count).to(own)
            f.store(variance, variance_at, c)
            unbiased = variance * get["unbiased"].bits("double").to(own)
            for key, new in (("running_mean", mean), ("running_var", unbiased)):
                with f.when(get[key].ne(0)):
                    place = pointer(f, get[key])
                    f.store(moved(f, get, f.load(own, place, c), new), place, c)
        mean = f.splat(f.load(own, mean_at, c), lanes)
        scale, shift = scale_and_shift(f, get, own, c)
        scales, shifts = f.splat(scale, lanes), f.splat(shift, lanes)
        planes.each((x,), out, lambda v: f.fma(v - mean, scales, shifts))


def scale_and_shift(f: Function, get: dict[str, Value], type: str, c: Value) -> tuple[Value, Value]:
    """What a channel's centred numbers are multiplied by and what is added; 1 / deviation is
    noted, where it is not given.
    """
    with f.when(get["train"].ne(GIVEN)):
        variance = f.load(type, pointer(f, get["variance"]), c).to("double")
        invstd = (1.0 / f.intrinsic("sqrt", variance + get["eps"].bits("double"))).to(type)
        f.store(invstd, pointer(f, get["invstd"]), c)
    invstd = f.load(type, pointer(f, get["invstd"]), c)
    scale = invstd * optional(f, type, get["weight"], c, 1.0)
    return scale, optional(f, type, get["bias"], c, 0.0)


def _backward(made: Module, type: str, lanes: int) -> None:
    f = made.function("backward", pool.ARGUMENTS)
    get = words(f, BACKWARD)
    start, stop = share(f, get["channels"])
    g, x, grad = (pointer(f, get[key]) for key in ("g", "x", "grad"))
    with f.loop(start, stop) as c:
        planes = _Planes(f, get, type, lanes, c)
        own = planes.own
        mean = f.splat(f.load(own, pointer(f, get["mean"]), c), lanes)
        with f.when(get["sums"].ne(0)):
            total, dot = planes.sums((g, x), lambda a, b: [a, a * (b - mean)], 2)
            f.store(total.to(own), pointer(f, get["total"]), c)
            f.store(dot.to(own), pointer(f, get["dot"]), c)
        with f.when(get["grad"].ne(0)):
            scale, slope, shift = blend(f, get, own, c, planes.count)
            a, b, d = (f.splat(v, lanes) for v in (scale, slope, shift))
            k = f.fresh()
            f.branch(get["train"].ne(0), f"train{k}", f"eval{k}")
            f.label(f"train{k}")
            planes.each((g, x), grad, lambda u, v: f.fma(v - mean, b, f.fma(u, a, d)))
            f.jump(f"done{k}")
            f.label(f"eval{k}")
            planes.each((g,), grad, lambda u: u * a)
            f.label(f"done{k}")


def blend(
    f: Function, get: dict[str, Value], type: str, c: Value, count: Value
) -> tuple[Value, Value, Value]:
    """What the gradient of a channel is made of: of g, of x - mean, and a constant."""
    invstd = f.load(type, pointer(f, get["invstd"]), c)
    scale = invstd * optional(f, type, get["weight"], c, 1.0)
    dot = optional(f, type, get["dot"], c, 0.0).to("double")
    total = optional(f, type, get["total"], c, 0.0).to("double")
    wide, inverse = scale.to("double"), invstd.to("double")
    slope = (-(wide * dot * inverse * inverse) / count).to(type)
    return scale, slope, (-(wide * total) / count).to(type)


_kernel = Kernel(module, NUMBERS)


def _lying(x: Any) -> tuple[str, int, int, int] | None:
    """How the channels of (N, C, *) lie: the prefix of the functions, and N, C, L for them."""
    shape = x.shape
    if x.flags.c_contiguous:
        length = prod(shape[2:])
        return ("last_", shape[0], shape[1], 1) if length == 1 else ("", *shape[:2], length)
    if to_last(x).flags.c_contiguous:
        return "last_", x.size // shape[1], shape[1], 1
    return None


def _like(x: Any) -> Any:
    """An array that lies as x does."""
    if x.flags.c_contiguous:
        return memory.empty_like(x)
    return empty(x.shape, x.dtype, True)


def _beside(x: Any, others: tuple[Any, ...]) -> Any:
    return beside(x.dtype, others) if x.size and x.dtype in NUMBERS else None


def forward(
    x: Any, weight: Any, bias: Any, stats: Any, eps: float, running: Any = (None, None, 0.0)
) -> Any:
    """(N, C, *) normalised by channel.

    Args:
        x: the numbers.
        weight, bias: (C) or None.
        stats: mean and biased variance (C) to take, or None for those of x.
        eps: added to the variance.
        running: running mean and variance (C) or None, which are moved towards those of x, and how
            far.

    Returns:
        The result, mean, biased variance and 1 / deviation; None where no code serves. Those of
        16-bit floats are in single precision, as running ones must be.
    """
    given = _beside(x, (weight, bias, *(stats or running[:2])))
    if given is None:
        return None
    (weight, bias, mean, variance), own = given
    if stats is None:
        if any(each is not None and each.dtype is not own for each in running[:2]):
            return None
        running_mean, running_var, momentum = running
        mean, variance = np.empty((2, x.shape[1]), own)
    else:
        running_mean, running_var, momentum = None, None, 0.0
    how = TRAIN if stats is None else EVAL
    invstd = np.empty_like(mean)
    return _normal(
        x, weight, bias, mean, variance, invstd, eps, how, running_mean, running_var, momentum
    )


def normal(x: Any, weight: Any, bias: Any, mean: Any, invstd: Any) -> Any:
    """``(x - mean) * invstd * weight + bias`` by channel; None where no code serves."""
    given = _beside(x, (weight, bias))
    if given is None or not mean.dtype is invstd.dtype is given[1]:
        return None
    weight, bias = given[0]
    found = _normal(x, weight, bias, mean, None, invstd, 0.0, GIVEN, None, None, 0.0)
    return None if found is None else found[0]


def _normal(
    x: Any, weight: Any, bias: Any, mean: Any, variance: Any, invstd: Any, eps: float, how: int,
    running_mean: Any, running_var: Any, momentum: float,
) -> Any:  # fmt: skip
    lies = _lying(x)
    if lies is None:
        return None
    last, *sizes = lies
    names = ("last_forward", "last_normal") if last else ("forward",)
    if not all(_kernel.ready(x.dtype, name) for name in names):
        return None
    out = _like(x)
    count = x.size // x.shape[1]
    for name in names:
        _kernel.run(
            x.dtype, name, x.size, x, weight, bias, mean, variance, invstd, out, *sizes,
            float(eps), how, running_mean, running_var, 1.0 - momentum,
            float(momentum), count / (count - 1) if count > 1 else nan,
        )  # fmt: skip
    return out, mean, variance, invstd


def backward(
    g: Any, x: Any, weight: Any, mean: Any, invstd: Any, train: bool, needs: tuple[bool, ...]
) -> Any:
    """The gradients of :func:`forward` for input, weight and bias; None where no code serves."""
    lies, given = _lying(x), _beside(x, (mean, invstd, weight))
    if lies is None or given is None or g.dtype is not x.dtype:
        return None
    (mean, invstd, weight), own = given
    if g.strides != x.strides and _lying(g) != lies:
        return None
    last, *sizes = lies
    sums = (needs[0] and train) or needs[1] or needs[2]
    names = ("last_backward",) * bool(sums) + ("last_grad",) * needs[0] if last else ("backward",)
    if not all(_kernel.ready(x.dtype, name) for name in names):
        return None
    total, dot = np.empty((2, x.shape[1]), own) if sums else (None, None)
    grad = _like(x) if needs[0] else None
    for name in names:
        _kernel.run(
            x.dtype, name, x.size, g, x, weight, mean, invstd, total, dot, grad, *sizes,
            int(train), int(sums),
        )  # fmt: skip
    return grad, dot * invstd if needs[1] else None, total if needs[2] else None
