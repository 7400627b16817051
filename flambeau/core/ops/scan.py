"""Running reductions along one dimension: cumsum, cumprod, cummax, cummin, logcumsumexp.

Like PyTorch's, sums and products accumulate in double precision, those of halves in single.
Differences and integrals are in differences. Stands on declare and along.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.declare import ops, primitive, reduction
from flambeau.core.dims import wrap_dim
from flambeau.core.dtypes import FLOATING, NUMBER, SUM
from flambeau.core.forward import forward
from flambeau.core.kernels.generate import scans
from flambeau.core.ops.along import in_order
from flambeau.core.rules import with_arrays
from flambeau.core.taken import refuse_dtype
from flambeau.core.tensor import wrap

__all__: list[str] = []

RUNNING = {np.add: "cumsum", np.multiply: "cumprod", np.logaddexp: "logcumsumexp"}
WIDE = {np.dtype("f4"): np.dtype("f8"), np.dtype("c8"): np.dtype("c16")}


def accumulate(ufunc: Any, input: Any, dim: int, name: str, reverse: bool = False) -> Any:
    """A ufunc's running results along `dim`, from the far end when `reverse`."""
    if not input.ndim:
        wrap_dim(dim, 0, name)
        return input.copy()
    k = wrap_dim(dim, input.ndim, name)
    refuse_dtype(name, input.dtype, "fciuW")
    pairs = ufunc is np.add and input.dtype.kind == "c" and input.flags.c_contiguous
    given = input.view(input.real.dtype).reshape(*input.shape, 2) if pairs else input
    made = scans.running(RUNNING[ufunc], given, k, reverse)
    if made is not None:
        return made.view(input.dtype)[..., 0] if pairs else made
    wide: Any = WIDE.get(input.dtype)
    turned = np.flip(input, k) if reverse else input
    if input.dtype.itemsize == 2 and input.dtype.kind in "fV":
        wide, turned = np.dtype("f4"), turned.astype("f4")
    if wide is None:
        found = ufunc.accumulate(turned, axis=k, dtype=input.dtype)
    else:
        found = ufunc.accumulate(turned, axis=k, dtype=wide).astype(input.dtype)
    if reverse:
        found = np.flip(found, k)
    return found if found.flags.c_contiguous else np.ascontiguousarray(found)


def _like(input: Any, *rest: Any, **named: Any) -> Any:
    return input.shape, input.dtype


@reduction(
    types=None,
    function=False,
    method=False,
    infer=_like,
    upcast=False,
    vjp=with_arrays(lambda g, dim: accumulate(np.add, g, dim, "cumsum"))(
        lambda g, dim: ops.cumsum(g, dim)
    ),
)
def _cumsum_reverse(input, dim: int):
    """The running sum from the far end."""
    return accumulate(np.add, input, dim, "cumsum", True)


@with_arrays(lambda g, dim: accumulate(np.add, g, dim, "cumsum", True))
def _cumsum_rule(g: Any, dim: int) -> Any:
    return ops._cumsum_reverse(g, dim)


@reduction(types=SUM, upcast=True, inplace=True, infer=_like, vjp=_cumsum_rule)
def cumsum(input, dim: int, *, dtype: Any = None):
    """The running sum along `dim`: ``input[0] + ... + input[i]``. Integers are summed in int64."""
    return accumulate(np.add, input, dim, "cumsum")


def _cumprod_graph(g: Any, input: Any, dim: int) -> Any:
    """The gradient with zeros in the input: each product made again without its own factor."""
    k = wrap_dim(dim, input.dim())
    size = input.shape[k]
    eye = wrap(np.eye(size, dtype=input._array.dtype))
    lower = wrap(np.tri(size, dtype=input._array.dtype))
    moved = ops.movedim(input, k, -1).unsqueeze(-1)
    # [..., i, j]: the input along i, with a one in place of element j.
    products = ops.cumprod(moved * (1 - eye) + eye, -2)
    return ops.movedim((products * lower * ops.movedim(g, k, -1).unsqueeze(-1)).sum(-2), -1, k)


def _cumprod_on_arrays(g: Any, input: Any, out: Any, dim: int) -> Any:
    if not input.ndim:
        return g
    found = accumulate(np.add, g * out, dim, "cumsum", True)
    if input.all():
        return found / input
    k = wrap_dim(dim, input.ndim)
    zero = input == 0
    passed = np.add.accumulate(zero, axis=k, dtype=np.int64)
    first = zero & (passed == 1)
    # At a lane's first zero: products without it; before it: the usual quotient; behind it: 0.
    without = np.multiply.accumulate(np.where(first, input.dtype.type(1), input), axis=k)
    at_zero = accumulate(
        np.add, np.where(passed >= 1, g * without, g.dtype.type(0)), k, "cumsum", True
    )
    return np.where(passed == 0, found / input, np.where(first, at_zero, g.dtype.type(0)))


@with_arrays(_cumprod_on_arrays)
def _cumprod_rule(g: Any, input: Any, out: Any, dim: int) -> Any:
    if not input._array.ndim:
        return g
    if type(input._array) is not np.ndarray or input._array.all():
        return ops._cumsum_reverse(g * out, dim) / input
    return _cumprod_graph(g, input, dim)


@reduction(types=SUM, upcast=True, inplace=True, infer=_like, vjp=_cumprod_rule)
def cumprod(input, dim: int, *, dtype: Any = None):
    """The running product along `dim`. Integers are multiplied in int64."""
    return accumulate(np.multiply, input, dim, "cumprod")


def _running_extreme(ufunc: Any, input: Any, dim: int, name: str) -> Any:
    if not input.ndim:
        wrap_dim(dim, 0, name)
        return input.copy(), np.zeros((), np.int64)
    k = wrap_dim(dim, input.ndim, name)
    if input.size:
        refuse_dtype(name, input.dtype, "biuf")
    found = scans.extreme(name, input, k)
    if found is not None:
        return found
    values = ufunc.accumulate(input, axis=k)
    place = np.arange(input.shape[k]).reshape([-1 if d == k else 1 for d in range(input.ndim)])
    here = np.where((input == values) | (input != input), place, 0)
    return in_order(values), in_order(np.maximum.accumulate(here, axis=k))


def _infer_pair(input: Any, dim: int) -> Any:
    return (input.shape, input.dtype), (input.shape, np.dtype("i8"))


def _extreme_rule(g: Any, indices: Any, shape: Any, dim: int) -> Any:
    return ops._add_along(g[0], wrap_dim(dim, len(shape)), indices, shape)


@primitive(
    types=NUMBER,
    outputs=("values", "indices"),
    differentiable=("values",),
    vjp=_extreme_rule,
    infer=_infer_pair,
)
def cummax(input, dim: int):
    """The running maximum along `dim` and where it was met last."""
    return _running_extreme(np.maximum, input, dim, "cummax")


@primitive(
    types=NUMBER,
    outputs=("values", "indices"),
    differentiable=("values",),
    vjp=_extreme_rule,
    infer=_infer_pair,
)
def cummin(input, dim: int):
    """The running minimum along `dim` and where it was met last."""
    return _running_extreme(np.minimum, input, dim, "cummin")


def _logcumsumexp_tangent(t: Any, input: Any, out: Any, dim: int) -> Any:
    """The running mean with weights ``exp(input)``, which are taken relative to the greatest."""
    is_complex = input._array.dtype.kind == "c"
    weight = (input - ops.amax(input.real if is_complex else input, dim, True)).exp()
    # PyTorch's real sum of weights is kept from 0 so: weights far below the greatest fade.
    return ops.cumsum(weight * t, dim) / (ops.cumsum(weight, dim) + (0 if is_complex else 1e-13))


@forward(_logcumsumexp_tangent)
def _logcumsumexp_rule(g: Any, input: Any, out: Any, dim: int) -> Any:
    """``exp(input) * reversed cumsum(g / exp(out))``, in logarithms; the signs of g apart."""
    if not input._array.ndim:
        return g * (input - out).exp()

    def part(log_g: Any) -> Any:
        return (
            ops.flip(ops.logcumsumexp(ops.flip(log_g - out, (dim,)), dim), (dim,)) + input
        ).exp()

    if input._array.dtype.kind == "c":
        return part(g.log())
    low = wrap(
        np.asarray(
            np.finfo(np.float32 if g._array.dtype.itemsize < 8 else np.float64).min, g._array.dtype
        )
    )
    return part(ops._where(g > 0, g.log(), low)) - part(ops._where(g < 0, (-g).log(), low))


@reduction(types=FLOATING, upcast=True, infer=_like, vjp=_logcumsumexp_rule)
def logcumsumexp(input, dim: int):
    """``log(cumsum(exp(input)))`` along `dim`, without overflow.

    Raises:
        RuntimeError: an integer tensor.
    """
    if input.dtype.kind != "c":
        return accumulate(np.logaddexp, input, dim, "logcumsumexp")
    if not input.size or not input.ndim:
        return input.copy()
    k = wrap_dim(dim, input.ndim, "logcumsumexp")
    found = np.moveaxis(input, k, 0).astype(np.complex128)
    for i in range(1, len(found)):
        found[i] = _log_add(found[i - 1], found[i])
    return np.ascontiguousarray(np.moveaxis(found, 0, k), input.dtype)


def _log_add(x: Any, y: Any) -> Any:
    """``log(exp(x) + exp(y))`` of complex numbers; the larger one's phase stays unwrapped."""
    swap = x.real >= y.real
    low, high = np.where(swap, y, x), np.where(swap, x, y)
    found = np.log1p(np.exp(low - high)) + high
    # Both infinite: the difference is no number.
    same = np.isinf(low.real) & (low.real == high.real)
    found = np.where(same, np.where(low.real < 0, low, np.log(np.exp(low) + np.exp(high))), found)
    return np.where(np.isnan(x), x, np.where(np.isnan(y), y, found))
