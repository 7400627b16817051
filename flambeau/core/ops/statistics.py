"""Spread: var, std, var_mean, std_mean, and what is made of them: cov, corrcoef.

Order statistics (median, quantile, mode) are in order. Stands on declare, reduce.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from flambeau.core import dtypes
from flambeau.core.declare import composite, ops, primitive, reduction
from flambeau.core.dims import reduced_size, unreduce
from flambeau.core.errors import fail
from flambeau.core.folds import LEAST
from flambeau.core.kernels.native.casts import recast
from flambeau.core.kernels.product import widen
from flambeau.core.ops.along import in_order, spelled
from flambeau.core.ops.either import times
from flambeau.core.ops.reduce import axes_of, fold, total
from flambeau.core.rules import with_arrays
from flambeau.core.tensor import Tensor, wrap

__all__: list[str] = []

SPREAD = dtypes.Rule("SPREAD", refuses=frozenset({"bool", "int", "float8"}), error=RuntimeError)


def _freedom(shape: Any, dim: Any, correction: Any) -> float:
    """The divisor of the squares: the count without `correction`, never negative."""
    left = reduced_size(shape, dim) - correction
    return left if left > 0 else 0


def _moments(name: str, input: Any, dim: Any, correction: Any, keepdim: bool) -> tuple[Any, Any]:
    """Variance and mean, by two passes: the squares are of differences, so that nothing cancels."""
    axes = axes_of(dim, input.ndim, name)
    count = reduced_size(input.shape, dim)
    mean = total(input, axes, True)
    real = mean.dtype.type(0).real.dtype.type if type(mean) is np.ndarray else mean.dtype.type
    mean = np.true_divide(mean, real(count))
    squares = None
    if type(input) is np.ndarray and input.size >= LEAST:
        squares = fold("deviations", input, axes, keepdim, mean)
    if squares is None:
        input = widen(input)
        centred = input - mean
        squares = total(
            centred.real**2 + centred.imag**2
            if input.dtype.kind == "c"
            else np.multiply(centred, centred),
            axes,
            keepdim,
        )
    left = _freedom(input.shape, dim, correction)
    if left == 0 and type(input) is np.ndarray:
        from flambeau.core.provenance import stack_level

        warnings.warn(
            f"{name}(): degrees of freedom is <= 0. Correction should be strictly less than the "
            "reduction factor (input numel "
            "divided by output numel).",
            UserWarning,
            stacklevel=stack_level(),
        )
    found = np.true_divide(squares, real(left))
    return found, in_order(mean if keepdim else mean.reshape(found.shape))


def _var_on_arrays(g: Any, input: Any, shape: Any, dim: Any, correction: Any, keepdim: bool) -> Any:
    mean = total(widen(input), axes_of(dim, input.ndim, "var"), True)
    wide = mean.dtype.type
    mean = recast(np.true_divide(mean, wide(reduced_size(shape, dim))), input.dtype)
    scale = np.true_divide(2, wide(_freedom(shape, dim, correction)))
    spread = input - mean
    return times(unreduce(g, shape, dim, keepdim), scale) * spread


@with_arrays(_var_on_arrays)
def _var_rule(g: Any, input: Any, shape: Any, dim: Any, correction: Any, keepdim: bool) -> Any:
    left = _freedom(shape, dim, correction)
    scale = 2 / left if left else float("inf")
    return (unreduce(g, shape, dim, keepdim) * scale) * (input - ops.mean(input, dim, True))


def _std_on_arrays(
    g: Any, input: Any, out: Any, shape: Any, dim: Any, correction: Any, keepdim: bool
) -> Any:
    g = np.where(out == 0, g.dtype.type(0), g / (out + out))
    return _var_on_arrays(g, input, shape, dim, correction, keepdim)


@with_arrays(_std_on_arrays)
def _std_rule(
    g: Any, input: Any, out: Any, shape: Any, dim: Any, correction: Any, keepdim: bool
) -> Any:
    g = (g / (out * 2)).masked_fill(out == 0, 0)
    return _var_rule(g, input, shape, dim, correction, keepdim)


@reduction(
    types=SPREAD,
    upcast="large",
    name="_var",
    node="Var",
    function=False,
    method=False,
    vjp=_var_rule,
)
def _var(input, dim: Any, correction: Any, keepdim: bool):
    """``sum((input - mean)**2) / (count - correction)``."""
    return _moments("var", input, dim, correction, keepdim)[0]


@reduction(
    types=SPREAD,
    upcast="large",
    name="_std",
    node="Std",
    function=False,
    method=False,
    vjp=_std_rule,
)
def _std(input, dim: Any, correction: Any, keepdim: bool):
    """The root of the variance. Its gradient is 0 where it is 0."""
    return np.sqrt(_moments("std", input, dim, correction, keepdim)[0])


def _pair_rule(rule: Any) -> Any:
    def together(
        g: Any, input: Any, first: Any, shape: Any, dim: Any, correction: Any, keepdim: bool
    ) -> Any:
        spread, mean = g
        found = None
        if spread is not None:
            given = (spread, input, first) if rule is _std_rule else (spread, input)
            found = rule(*given, shape, dim, correction, keepdim)
        if mean is not None:
            part = ops.expand(unreduce(mean, shape, dim, keepdim) / reduced_size(shape, dim), shape)
            found = part if found is None else found + part
        return found

    return together


def _var_mean_rule(g: Any, input: Any, shape: Any, dim: Any, correction: Any, keepdim: bool) -> Any:
    return _pair_rule(_var_rule)(g, input, None, shape, dim, correction, keepdim)


def _std_mean_rule(
    g: Any, input: Any, out: Any, shape: Any, dim: Any, correction: Any, keepdim: bool
) -> Any:
    return _pair_rule(_std_rule)(g, input, out, shape, dim, correction, keepdim)


@primitive(
    types=SPREAD,
    name="_var_mean",
    node="VarMean",
    function=False,
    method=False,
    outputs=("out", "mean"),
    vjp=_var_mean_rule,
)
def _var_mean(input, dim: Any, correction: Any, keepdim: bool):
    """Variance and mean in one reading."""
    return _halved(input, lambda a: _moments("var_mean", a, dim, correction, keepdim))


@primitive(
    types=SPREAD,
    name="_std_mean",
    node="StdMean",
    function=False,
    method=False,
    outputs=("out", "mean"),
    vjp=_std_mean_rule,
)
def _std_mean(input, dim: Any, correction: Any, keepdim: bool):
    """Standard deviation and mean in one reading."""

    def both(a: Any) -> Any:
        variance, mean = _moments("std_mean", a, dim, correction, keepdim)
        return np.sqrt(variance), mean

    return _halved(input, both)


def _halved(input: Any, function: Any) -> Any:
    """A 16-bit input is worked on in float32."""
    if input.dtype.itemsize > 2:
        return function(input)
    return tuple(np.asarray(a).astype(input.dtype) for a in function(input.astype(np.float32)))


UNSET: Any = object()


def _arguments(
    name: str, dim: Any, unbiased: Any, keepdim: bool, correction: Any, numpy: dict[str, Any]
) -> tuple[Any, Any, bool]:
    """(dim, correction, keepdim) of all the overloads.

    Raises:
        TypeError: `unbiased` and `correction` together.
    """
    if numpy:
        named = spelled(name, numpy)
        dim, keepdim = named.get("dim", dim), named.get("keepdim", keepdim)
    if isinstance(dim, bool):  # var(unbiased): the oldest overload
        if unbiased is not UNSET:
            raise fail(
                TypeError,
                name,
                f"{name}() received an invalid combination of arguments: the first is unbiased, "
                "or dim.",
            )
        dim, unbiased = None, dim
    if unbiased is not UNSET:
        if correction is not UNSET:
            raise fail(
                TypeError,
                name,
                f"{name}() received an invalid combination of arguments: unbiased and correction "
                "exclude each other.",
            )
        if not isinstance(unbiased, bool):
            raise fail(
                TypeError,
                name,
                f"argument 'unbiased' must be bool, not {type(unbiased).__name__}. A number of "
                "degrees of freedom goes by name: correction=2.",
            )
        return dim, int(unbiased), keepdim
    return dim, 1 if correction is UNSET or correction is None else correction, keepdim


def _check_floating(input: Any) -> None:
    if isinstance(input, Tensor) and input._array.dtype.kind in "biu":
        raise fail(
            RuntimeError,
            "std",
            f"std and var only support floating point and complex dtypes, not {input.dtype}.",
        )


def _complex(input: Any) -> bool:
    return isinstance(input, Tensor) and input._array.dtype.kind == "c"


def _written(name: str, found: Tensor, out: Any) -> Tensor:
    if out is None:
        return found
    from flambeau.core.output import write_one

    return write_one(name, found, out)


@composite(method=True)
def var(
    input: Tensor,
    dim: Any = None,
    unbiased: Any = UNSET,
    keepdim: bool = False,
    *,
    correction: Any = UNSET,
    out: Any = None,
    **numpy: Any,
) -> Tensor:
    """The variance over `dim`: ``sum((input - mean)**2) / (count - correction)``.

    Args:
        correction: what is taken off the count; 1 by default (Bessel's). `unbiased=False` means 0.

    Raises:
        RuntimeError: an integer or bool tensor.
    """
    dim, correction, keepdim = _arguments("var", dim, unbiased, keepdim, correction, numpy)
    _check_floating(input)
    if _complex(input):
        found = ops._var(input.real, dim, correction, keepdim) + ops._var(
            input.imag, dim, correction, keepdim
        )
    else:
        found = ops._var(input, dim, correction, keepdim)
    return _written("var", found, out)


@composite(method=True)
def std(
    input: Tensor,
    dim: Any = None,
    unbiased: Any = UNSET,
    keepdim: bool = False,
    *,
    correction: Any = UNSET,
    out: Any = None,
    **numpy: Any,
) -> Tensor:
    """The standard deviation over `dim`, the root of `var`. Its gradient at 0 is 0.

    Raises:
        RuntimeError: an integer or bool tensor.
    """
    dim, correction, keepdim = _arguments("std", dim, unbiased, keepdim, correction, numpy)
    _check_floating(input)
    if _complex(input):
        spread = var(input, dim, correction=correction, keepdim=keepdim)
        none = spread == 0
        found = spread.masked_fill(none, 1).sqrt().masked_fill(none, 0)  # no slope of the root at 0
    else:
        found = ops._std(input, dim, correction, keepdim)
    return _written("std", found, out)


@composite()
def var_mean(
    input: Tensor,
    dim: Any = None,
    unbiased: Any = UNSET,
    keepdim: bool = False,
    *,
    correction: Any = UNSET,
    **numpy: Any,
) -> tuple[Tensor, Tensor]:
    """Variance and mean over `dim`, in one reading."""
    dim, correction, keepdim = _arguments("var_mean", dim, unbiased, keepdim, correction, numpy)
    _check_floating(input)
    if _complex(input):
        return var(input, dim, correction=correction, keepdim=keepdim), ops.mean(
            input, dim, keepdim
        )
    return ops._var_mean(input, dim, correction, keepdim)


@composite()
def std_mean(
    input: Tensor,
    dim: Any = None,
    unbiased: Any = UNSET,
    keepdim: bool = False,
    *,
    correction: Any = UNSET,
    **numpy: Any,
) -> tuple[Tensor, Tensor]:
    """Standard deviation and mean over `dim`, in one reading."""
    dim, correction, keepdim = _arguments("std_mean", dim, unbiased, keepdim, correction, numpy)
    _check_floating(input)
    if _complex(input):
        return std(input, dim, correction=correction, keepdim=keepdim), ops.mean(
            input, dim, keepdim
        )
    return ops._std_mean(input, dim, correction, keepdim)


def _check_weights(name: str, weights: Tensor, kinds: str, count: int) -> None:
    if weights._array.ndim > 1:
        raise fail(
            RuntimeError,
            "cov",
            f"cov(): expected {name} to have one or fewer dimensions but got {name} with "
            f"{weights._array.ndim} dimensions",
        )
    if weights._array.dtype.kind not in kinds:
        raise fail(
            RuntimeError,
            "cov",
            f"cov(): expected {name} to have {'integral' if 'i' in kinds else 'floating point'} "
            f"dtype but got {name} with {weights.dtype} dtype",
        )
    if weights._array.size != count:
        raise fail(
            RuntimeError,
            "cov",
            f"cov(): expected {name} to have the same numel as there are observations in the "
            f"input but got {weights._array.size} != {count}",
        )
    if weights._array.size and weights._array.min() < 0:
        raise fail(RuntimeError, "cov", f"cov(): {name} cannot be negative")


@composite(method=True)
def cov(
    input: Tensor,
    *,
    correction: int = 1,
    fweights: Tensor | None = None,
    aweights: Tensor | None = None,
) -> Tensor:
    """The covariance matrix of the rows of `input`; its columns are observations.

    Args:
        fweights: how often each observation counts, integers.
        aweights: how much each observation counts.

    Raises:
        RuntimeError: more than 2 dimensions, a bool tensor, weights that do not fit.
    """
    ndim = input._array.ndim
    if ndim > 2:
        raise fail(
            RuntimeError,
            "cov",
            f"cov(): expected input to have two or fewer dimensions but got an input with {ndim} "
            "dimensions",
        )
    if input._array.dtype.kind == "b":
        raise fail(RuntimeError, "cov", "cov(): bool dtype is not supported for input")
    rows = input.reshape(1, -1) if ndim < 2 else input
    count = rows._array.shape[1]
    weights = None
    if fweights is not None:
        _check_weights("fweights", fweights, "iu", count)
        weights = fweights
    if aweights is not None:
        _check_weights("aweights", aweights, "fV", count)
        weights = aweights if weights is None else weights * aweights
    whole = wrap(np.asarray(count)) if weights is None else weights.sum()
    if weights is not None and count and not whole._array:
        raise fail(RuntimeError, "cov", "cov(): weights sum to zero, can't be normalized")
    mean = (rows if weights is None else rows * weights).sum(1) / whole
    lost = (
        correction
        if weights is None or aweights is None or not correction
        else correction * (weights * aweights).sum() / whole
    )
    left = whole - lost
    if left._array <= 0:
        from flambeau.core.provenance import stack_level

        warnings.warn(
            "cov(): degrees of freedom is <= 0. Give more observations, or a smaller correction.",
            UserWarning,
            stacklevel=stack_level(),
        )
        left = left * 0
    centred = rows - mean.unsqueeze(1)
    second = (centred if weights is None else centred * weights).t()
    found = ops.mm(centred, second.conj() if _complex(input) else second)
    return (found / left).squeeze()


@composite(method=True)
def corrcoef(input: Tensor) -> Tensor:
    """The correlation coefficients of the rows: the covariance, scaled to a diagonal of 1.

    Raises:
        RuntimeError: more than 2 dimensions. TypeError: it is no tensor.
    """
    if not isinstance(input, Tensor):
        raise fail(
            TypeError, "corrcoef", f"argument 'input' must be Tensor, not {type(input).__name__}"
        )
    ndim = input._array.ndim
    if ndim > 2:
        raise fail(
            RuntimeError,
            "corrcoef",
            "corrcoef(): expected input to have two or fewer dimensions but got an input with "
            f"{ndim} dimensions",
        )
    found = cov(input)
    if not found._array.ndim:
        return found / found
    deviation = ops.sqrt(found.diagonal().real if _complex(found) else found.diagonal())
    found = found / deviation.reshape(-1, 1) / deviation.reshape(1, -1)
    if _complex(found):
        return ops.complex(ops.clamp(found.real, -1, 1), ops.clamp(found.imag, -1, 1))
    return ops.clamp(found, -1, 1)
