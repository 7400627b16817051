"""The mean loss of class indices and its gradient as native functions: small scores of (N, C).

Scores are contiguous, classes int64 and each of them there; what is not so, and larger scores, go
to the NumPy form. Stands on views, formulas and jit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flambeau.core.kernels.jit.ir import Function, Module, Value
from flambeau.core.kernels.native import table
from flambeau.core.kernels.native.formulas import exp
from flambeau.core.kernels.native.geometry import SIGNATURE, contiguous, end, require
from flambeau.core.kernels.native.objects import field, made_array, word

__all__ = ["lazily"]

LARGEST = 1 << 16
"""Scores at most."""
TYPES = ("float", "double")


def _checked(f: Function, logs: Value, target: Value) -> tuple[Value, Value, Value, Value]:
    """Number of samples and of classes, where the classes lie, the dtype."""
    for x, ndim in ((logs, 2), (target, 1)):
        contiguous(f, x)
        require(f, field(f, x, table.NDIM, "i32").eq(ndim))
    kind = field(f, logs, table.DESCR, "ptr")
    require(f, kind.eq(word(f, "float")) | kind.eq(word(f, "double")))
    require(f, field(f, target, table.DESCR, "ptr").eq(word(f, "i64")))
    dims = field(f, logs, table.DIMS, "ptr")
    samples, classes = f.load("i64", dims, f.index(0)), f.load("i64", dims, f.index(1))
    require(f, f.load("i64", field(f, target, table.DIMS, "ptr"), f.index(0)).eq(samples))
    require(f, samples.gt(0) & (samples * classes).le(LARGEST))
    at = field(f, target, table.DATA, "ptr")
    with f.loop(0, samples) as i:
        one = f.load("i64", at, i)
        require(f, one.ge(0) & one.lt(classes))
    return samples, classes, at, kind


def _picked_mean(made: Module) -> None:
    """picked_mean(logs, target): the mean of ``-logs[n, target[n]]``, 0-d."""
    f = made.function("picked_mean", SIGNATURE, "ptr")
    require(f, f.argument["n"].eq(2))
    logs, target = (f.load("ptr", f.argument["args"], f.index(k)) for k in range(2))
    samples, classes, at, kind = _checked(f, logs, target)
    out = made_array(f, kind, f.index(0), f.memory("i64", 1), f.index(8))
    x, place = field(f, logs, table.DATA, "ptr"), field(f, out, table.DATA, "ptr")
    for type in TYPES:
        with f.when(kind.eq(word(f, type))):
            total = f.variable("double", 0.0)
            with f.loop(0, samples) as i:
                one = f.load(type, x, i * classes + f.load("i64", at, i))
                total.set(total.get() - one.to("double"))
            f.store((total.get() / samples.to("double")).to(type), place)
    f.ret(out)
    end(f)


def _class_gradient(made: Module) -> None:
    """class_gradient(g, logs, target): ``(exp(logs) - onehot) * g / N`` for a 0-d g."""
    f = made.function("class_gradient", SIGNATURE, "ptr")
    require(f, f.argument["n"].eq(3))
    g, logs, target = (f.load("ptr", f.argument["args"], f.index(k)) for k in range(3))
    samples, classes, at, kind = _checked(f, logs, target)
    require(f, field(f, g, table.TYPE, "ptr").eq(word(f, "ndarray")))
    require(f, field(f, g, table.DESCR, "ptr").eq(kind))
    require(f, field(f, g, table.NDIM, "i32").eq(0))
    out = made_array(f, kind, f.index(2), field(f, logs, table.DIMS, "ptr"), samples * classes * 8)
    x, place = field(f, logs, table.DATA, "ptr"), field(f, out, table.DATA, "ptr")
    for type in TYPES:
        with f.when(kind.eq(word(f, type))):
            share = f.load(type, field(f, g, table.DATA, "ptr")) / samples.to(type)
            with f.loop(0, samples * classes, independent=True) as i:
                f.store(exp(f, f.load(type, x, i)) * share, place, i)
            with f.loop(0, samples) as i:
                j = i * classes + f.load("i64", at, i)
                f.store(f.load(type, place, j) - share, place, j)
    f.ret(out)
    end(f)


def module() -> Module:
    """Both."""
    made = Module("classes", vectorize=True)
    _picked_mean(made)
    _class_gradient(made)
    return made


def lazily(name: str, numpy_form: Callable[..., Any]) -> Callable[..., Any]:
    """picked_mean or class_gradient, native from its first call on; `numpy_form` takes what the
    native one does not.
    """
    return table.lazily(name, numpy_form, module)
