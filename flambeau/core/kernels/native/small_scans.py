"""Running sums and products of few numbers as native functions: ``scan(array, dim[, None])``.

Arrays are contiguous, float32 (summed in double precision), float64 or int64. What does not fit
goes to the NumPy form, larger arrays to ``generate.scans``. Stands on geometry and jit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from flambeau.core.kernels.jit.ir import SIZES, Function, Module, Value
from flambeau.core.kernels.native import table
from flambeau.core.kernels.native.geometry import (
    SIGNATURE,
    around,
    contiguous,
    count_of,
    end,
    require,
    whole,
    wrapped,
)
from flambeau.core.kernels.native.objects import field, made_array, word

__all__ = ["SCANS", "native"]

LARGEST = 1 << 12
"""Elements from which on generated kernels take over."""
WIDE = {"float": "double", "double": "double", "i64": "i64"}
"""What totals are kept in."""


class Scan(NamedTuple):
    """How a total goes on."""

    step: Callable[[Value, Value], Value]
    start: int
    reverse: bool = False


SCANS = {
    "cumsum": Scan(lambda total, x: total + x, 0),
    "cumprod": Scan(lambda total, x: total * x, 1),
    "_cumsum_reverse": Scan(lambda total, x: total + x, 0, reverse=True),
}
"""By the operation's name."""


def native(name: str, numpy_form: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel of the operation `name`, with `numpy_form` for what it does not take."""
    if name not in SCANS:
        return numpy_form
    return table.native("scan", numpy_form, lambda: _module(name, SCANS[name]))


def _module(name: str, scan: Scan) -> Module:
    made = Module(f"small_scan_{name}")
    f = made.function("scan", SIGNATURE, "ptr")
    args, n = f.argument["args"], f.argument["n"]
    require(f, n.eq(2) | n.eq(3))
    with f.when(n.eq(3)):  # another dtype
        require(f, f.load("ptr", args, 2).eq(word(f, "none")))
    x = f.load("ptr", args)
    contiguous(f, x)
    ndim, total = field(f, x, table.NDIM, "i32"), count_of(f, x)
    require(f, ndim.gt(0) & total.gt(0) & total.lt(LARGEST))
    sizes = around(f, x, wrapped(f, whole(f, f.load("ptr", args, 1)), ndim.to("i64")))
    kind = field(f, x, table.DESCR, "ptr")
    for type in WIDE:
        k = f.fresh()
        f.branch(kind.eq(word(f, type)), f"is{k}", f"not{k}")
        f.label(f"is{k}")
        dims = field(f, x, table.DIMS, "ptr")
        out = made_array(f, kind, ndim, dims, total * SIZES[type])
        source, target = (field(f, a, table.DATA, "ptr") for a in (x, out))
        _lanes(f, type, scan, source, target, sizes)
        f.ret(out)
        f.label(f"not{k}")
    f.jump("other")
    end(f)
    return made


def _lanes(
    f: Function, type: str, scan: Scan, x: Value, out: Value, sizes: tuple[Value, Value, Value]
) -> None:
    """All lanes, one after another."""
    outer, size, inner = sizes
    with f.loop(0, outer) as o, f.loop(0, inner) as i:
        total = f.variable(WIDE[type], scan.start)
        with f.loop(0, size) as j:
            at = (o * size + (size - 1 - j if scan.reverse else j)) * inner + i
            total.set(scan.step(total.get(), f.load(type, x, at).to(WIDE[type])))
            f.store(total.get().to(type), out, at)
