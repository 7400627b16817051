"""Numbers in a row: arange, range, linspace, logspace; the identity and triangles' indices."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from flambeau.core import dtypes
from flambeau.core import factory_options as given
from flambeau.core.declare import composite
from flambeau.core.errors import fail
from flambeau.core.factory.short import plainly
from flambeau.core.ir.abstract import Abstract
from flambeau.core.kernels.late import placed
from flambeau.core.provenance import stack_level
from flambeau.core.silence import quiet
from flambeau.core.state import ordinary
from flambeau.core.taken import refuse_dtype
from flambeau.core.tensor import Tensor, wrap

__all__: list[str] = []


line, stepped = placed("generate.lines", "line"), placed("generate.lines", "stepped")
_FEW = 1 << 13
NUMBERS = frozenset((int, float))


def _counted(start: Any, end: Any, step: Any, dtype: Any) -> Tensor | None:
    """The usual case of `arange`: few numbers, upwards, of the dtypes it is for."""
    if end is None:
        start, end = 0, start
    if not (NUMBERS.issuperset((type(start), type(end), type(step))) and ordinary()):
        return None
    if not (0 < step and 0 <= end - start < _FEW * step):
        return None
    whole = type(start) is type(end) is type(step) is int
    if whole and (dtype is None or dtype is dtypes.int64):
        return wrap(np.arange(start, end, step))
    kind = dtypes.default() if dtype is None else dtype
    if kind is not dtypes.float32 and kind is not dtypes.float64:
        return None
    count = math.ceil((float(end) - float(start)) / float(step))
    return wrap(stepped(kind.numpy, count, start, step))


@composite()
def arange(
    start: Any = None, end: Any = None, step: Any = 1, *, dtype: Any = None, **opts: Any
) -> Tensor:
    """The numbers start, start + step, ... below `end`: ``ceil((end - start) / step)`` of them.

    int64 when all three are integers, else the default dtype.

    Raises:
        RuntimeError: step 0, or bounds that the step does not lead to.
        ValueError: a step that is 0 once rounded to the integer dtype.
    """
    if type(start) in NUMBERS and plainly(opts):
        if (found := _counted(start, end, step, dtype)) is not None:
            return found
    if opts:
        given.known("arange", opts)
    if end is None:
        start, end = 0, start
    elif start is None:
        start = 0
    if end is None:
        raise fail(TypeError, "arange", 'arange() missing 1 required positional arguments: "end"')
    start, end, step = (v.item() if isinstance(v, Tensor) else v for v in (start, end, step))
    if step == 0:
        raise fail(RuntimeError, "arange", "step must be nonzero")
    if any(isinstance(v, float) and not math.isfinite(v) for v in (start, end)):
        raise fail(RuntimeError, "arange", f"unsupported range: {start} -> {end}")
    if (end - start) * (1 if step > 0 else -1) < 0:
        raise fail(
            RuntimeError,
            "arange",
            f"upper bound and lower bound inconsistent with step sign: {start} -> {end} by {step}",
        )
    if dtype is None and opts.get("out") is None:
        whole = all(isinstance(v, (int, np.integer)) for v in (start, end, step))
        kind = np.dtype("i8") if whole else dtypes.default().numpy
    else:
        kind = given.type_for("arange", dtype, opts).numpy
    refuse_dtype("arange", kind, "fiu")
    if kind == np.int64:
        start, end, step = int(start), int(end), int(step)
        if step == 0:
            raise fail(
                ValueError,
                "arange",
                "step must be nonzero: as int64 it is 0. Give a floating dtype (or out), or a "
                "whole step.",
            )
    if kind.kind in "iu" and all(isinstance(v, (int, np.integer)) for v in (start, end, step)):
        count = max(-(-(end - start) // step), 0)
    else:
        count = math.ceil((float(end) - float(start)) / float(step))
    if given.is_meta("arange", opts.get("device")):
        return given.made("arange", Abstract((count,), kind), opts)
    array = stepped(kind, count, start, step)
    return given.made("arange", array, opts)


@composite()
def range(
    start: Any = 0, end: Any = None, step: Any = 1, *, dtype: Any = None, **opts: Any
) -> Tensor:
    """Deprecated: like `arange` with `end` included."""
    if opts:
        given.known("range", opts)
    warnings.warn(
        "torch.range is deprecated and will be removed in a future release because its behavior "
        "is inconsistent with Python's "
        "range builtin. Instead, use torch.arange, which produces values in [start, end).",
        UserWarning,
        stacklevel=stack_level(),
    )
    if end is None:
        start, end = 0, start
    if step == 0:
        raise fail(RuntimeError, "range", "step must be nonzero")
    count = int((end - start) / step + 1)
    kind = given.type_for("range", dtype, opts).numpy
    refuse_dtype("range", kind, "fiu")
    array = quiet((np.arange(count, dtype="f8") * step + start).astype, kind)
    return given.made("range", array, opts)


def _steps(name: str, steps: Any) -> int:
    """The number of points: an integer, not a bool and not a float that happens to be whole.

    Raises:
        TypeError: something else. RuntimeError: a negative one.
    """
    steps = _ends(steps)
    if isinstance(steps, bool) or not isinstance(steps, (int, np.integer)):
        raise fail(
            TypeError, name, f"argument 'steps' must be int, not {type(steps).__name__}: count them"
        )
    if steps < 0:
        raise fail(RuntimeError, name, f"number of steps must be non-negative, got {steps}")
    return int(steps)


def _ends(value: Any) -> Any:
    return value.item() if isinstance(value, Tensor) else value


def _complex_if(*ends: Any) -> dtypes.dtype | None:
    """The default complex dtype where one of the ends is complex."""
    return dtypes.default_complex() if any(isinstance(end, complex) for end in ends) else None


def _check_ends(op: str, kind: np.dtype[Any], *ends: Any) -> None:
    found = dtypes.of(kind)
    if not found.is_complex and any(isinstance(end, complex) for end in ends):
        raise fail(
            RuntimeError,
            op,
            f"inferred dtype {_complex_if(1j)} can't be safely cast to passed dtype {found}: give "
            "real ends, or a complex dtype.",
        )


@composite()
def linspace(start: Any, end: Any, steps: int, *, dtype: Any = None, **opts: Any) -> Tensor:
    """`steps` numbers from `start` to `end`, both included, evenly spaced.

    Raises:
        RuntimeError: negative `steps`.
    """
    if opts:
        given.known("linspace", opts)
    start, end, steps = _ends(start), _ends(end), _steps("linspace", steps)
    kind = given.type_for("linspace", dtype, opts, _complex_if(start, end)).numpy
    _check_ends("linspace", kind, start, end)
    if given.is_meta("linspace", opts.get("device")):
        return given.made("linspace", Abstract((steps,), kind), opts)
    if steps > 1:
        refuse_dtype("linspace", kind, "fciu")
    array = _line(start, end, steps, kind)
    return given.made("linspace", array, opts)


def _line(start: Any, end: Any, steps: int, kind: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """From both ends to the middle, as PyTorch does, so that the line is symmetric."""
    if steps < 2:
        return quiet(np.full(steps, start).astype, kind)
    if kind.kind in "iu":
        start, end = int(start), int(end)
        step = (end - start) / (steps - 1)
        k = np.arange(steps)
        points = np.where(k < steps // 2, int(start) + step * k, int(end) - step * (steps - 1 - k))
        return quiet(np.trunc(points).astype, kind)
    a, b = kind.type(start), kind.type(end)
    step = quiet(lambda: (b - a) / kind.type(steps - 1))
    # Products are not rounded before the sum, as in PyTorch's fused multiply and add.
    wider: np.dtype[Any] = kind
    if kind.type in (np.float32, np.float64):
        wider = np.dtype(np.float64 if kind.type is np.float32 else np.longdouble)
    a, b, step = wider.type(a), wider.type(b), wider.type(step)
    made = line(kind, steps, a, step, b)
    if made is not None:
        return made
    k = np.arange(steps)
    found = quiet(
        lambda: np.where(
            k < steps // 2, a + step * k.astype(wider), b - step * (steps - 1 - k).astype(wider)
        )
    )
    return quiet(found.astype, kind)


@composite()
def logspace(
    start: Any, end: Any, steps: int, base: float = 10.0, *, dtype: Any = None, **opts: Any
) -> Tensor:
    """`steps` numbers from base**start to base**end, evenly spaced on a logarithmic scale."""
    if opts:
        given.known("logspace", opts)
    start, end, steps = _ends(start), _ends(end), _steps("logspace", steps)
    kind = given.type_for("logspace", dtype, opts, _complex_if(start, end)).numpy
    _check_ends("logspace", kind, start, end)
    if given.is_meta("logspace", opts.get("device")):
        return given.made("logspace", Abstract((steps,), kind), opts)
    if steps > 1:
        refuse_dtype("logspace", kind, "fciu")
    wide = np.dtype("f8") if kind.kind != "c" else kind
    if kind.kind in "iu":
        start, end = int(start), int(end)
    span = end - start
    if kind.kind not in "iu" and kind.itemsize == 2 and steps > 1:
        # PyTorch rounds the ends and their difference, no more.
        first, last = kind.type(start), kind.type(end)
        start, end, span = float(first), float(last), float(quiet(lambda: last - first))
    step = span / (steps - 1) if steps > 1 else 0
    k = np.arange(steps)
    exponents = (
        np.where(k < steps // 2, start + step * k, end - step * (steps - 1 - k))
        if steps > 1
        else np.full(steps, start)
    )
    array = quiet(lambda: np.power(wide.type(base), exponents.astype(wide)))
    return given.made("logspace", quiet(array.astype, kind), opts)


@composite()
def eye(n: int, m: int | None = None, *, dtype: Any = None, **opts: Any) -> Tensor:
    """The identity matrix of n rows and m (default n) columns.

    Raises:
        RuntimeError: a negative size.
    """
    if opts:
        given.known("eye", opts)
    m = n if m is None else m
    if n < 0 or m < 0:
        raise fail(RuntimeError, "eye", f"n and m must be greater or equal to 0, got {n} and {m}")
    kind = given.type_for("eye", dtype, opts).numpy
    if given.is_meta("eye", opts.get("device")):
        return given.made("eye", Abstract((n, m), kind), opts)
    return given.made("eye", np.eye(n, m, dtype=kind), opts)


def _indices(op: str, found: Any, dtype: Any, opts: dict[str, Any]) -> Tensor:
    given.known(op, opts)
    kind = given.element_type(op, dtype, dtypes.int64).numpy
    refuse_dtype(op, kind, "", ("int32", "int64"))
    return given.made(op, np.array(found.nonzero(), kind), opts)


@composite()
def tril_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: Any = None,
    **opts: Any,
) -> Tensor:
    """The indices (2, n) of the lower triangle of a row x col matrix."""
    found = np.greater_equal.outer(np.arange(row) + offset, np.arange(col))
    return _indices("tril_indices", found, dtype, opts)


@composite()
def triu_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: Any = None,
    **opts: Any,
) -> Tensor:
    """The indices (2, n) of the upper triangle of a row x col matrix."""
    found = np.less_equal.outer(np.arange(row) + offset, np.arange(col))
    return _indices("triu_indices", found, dtype, opts)
