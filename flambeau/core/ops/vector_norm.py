"""Norms of vectors: linalg_vector_norm, `norm` with all its old forms, dist, renorm.

Norms of matrices that need singular values are linalg's. Stands on reduce.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from flambeau.core import dtypes
from flambeau.core.declare import composite, ops, reduction
from flambeau.core.dims import unreduce
from flambeau.core.errors import fail
from flambeau.core.folds import fold_add, fold_max, fold_min
from flambeau.core.forward import forward
from flambeau.core.kernels.generate.folds import LEAST
from flambeau.core.kernels.generate.folds import fold as generated_fold
from flambeau.core.kernels.product import widen
from flambeau.core.node import labelled
from flambeau.core.ops.along import in_order, spelled
from flambeau.core.ops.reduce import axes_of, folded, total
from flambeau.core.ops.windowing import require_tensor
from flambeau.core.rules import with_arrays
from flambeau.core.tensor import Tensor, wrap

__all__: list[str] = []

NORM = dtypes.Rule(
    "NORM", result="real", refuses=frozenset({"bool", "int", "float8"}), error=RuntimeError
)


def _real(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind in "cW" else dtype


def _check_empty(input: Any, ord: Any, axes: Any, dim: Any) -> None:
    """The least and the greatest of nothing are not defined.

    Raises:
        RuntimeError: an infinite (or negative) order over no elements.
    """
    if input.size or (ord >= 0 and ord != math.inf):
        return
    if axes is None or (len(axes) == input.ndim):
        raise fail(
            RuntimeError,
            "linalg.vector_norm",
            f"linalg.vector_norm cannot compute the {ord} norm on an empty tensor because the "
            "operation does not have an identity",
        )
    for k in axes:
        if not input.shape[k]:
            raise fail(
                RuntimeError,
                "linalg.vector_norm",
                f"linalg.vector_norm cannot compute the {ord} norm on the dimension {k} because "
                "this dimension is empty and the "
                "operation does not have an identity",
            )


def _reached(size: Any, out: Any, axes: Any) -> Any:
    """Where a size is the greatest: one over the number of such; 0 where a NaN is."""
    mask = size == out
    count = np.maximum(fold_add(mask, axis=axes, keepdims=True), 1)
    return np.divide(mask, count, dtype=np.float64).astype(size.dtype)


def _sign(x: Any) -> Any:
    """The sign, of NaN 0 as PyTorch's is."""
    return np.where(x == x, np.sign(x), x.dtype.type(0))


def _slope(g: Any, input: Any, out: Any, ord: Any, axes: Any) -> Any:
    """The gradient on arrays; g and out already have the reduced dimensions back."""
    zero = g.dtype.type(0)
    if ord == 0:
        return None
    if ord == 1:
        return _sign(input) * g
    if ord == 2:
        return g * np.where(out == 0, zero, input / out)
    size = np.abs(input)
    if math.isinf(ord):
        return _sign(input) * _reached(size, out, axes) * g
    if ord < 1:
        part = np.where(size == 0, zero, _sign(input) * size ** (ord - 1))
        return part * g * out ** (1 - ord)
    part = _sign(input) * size ** (ord - 1) if ord < 2 else input * size ** (ord - 2)
    return part * np.where(out == 0, zero, g / out ** (ord - 1))


def _norm_on_arrays(
    g: Any, input: Any, out: Any, shape: Any, ord: Any, dim: Any, keepdim: bool
) -> Any:
    if g.dtype.itemsize == 2 and ord not in (0, 1, 2):  # powers of halves are pow's own
        tensors = (wrap(g), wrap(input), wrap(out))
        return _norm_rule(*tensors, shape, ord, dim, keepdim)._array
    axes = axes_of(dim, len(shape), "norm")
    return _slope(
        unreduce(g, shape, dim, keepdim), input, unreduce(out, shape, dim, keepdim), ord, axes
    )


def _norm_tangent(
    t: Any, input: Any, out: Any, shape: Any, ord: Any, dim: Any, keepdim: bool
) -> Any:
    """The tangent along the gradient, which is 0 where the norm has none."""
    slope = _norm_rule(ops.ones_like(out), input, out, shape, ord, dim, keepdim)
    if slope is None:
        return ops.zeros_like(out)
    along = (slope.conj() * t).real if slope.is_complex() else slope * t
    return ops.sum(along, axes_of(dim, len(shape), "norm"), keepdim)


@forward(_norm_tangent)
@with_arrays(_norm_on_arrays)
def _norm_rule(g: Any, input: Any, out: Any, shape: Any, ord: Any, dim: Any, keepdim: bool) -> Any:
    axes = axes_of(dim, len(shape), "norm")
    g, out = unreduce(g, shape, dim, keepdim), unreduce(out, shape, dim, keepdim)
    if ord == 0:
        return None  # constant between its jumps
    if ord == 1:
        return ops.sgn(input) * g
    if ord == 2:
        return g * (input / out).masked_fill(out == 0, 0)
    size = input.abs()
    if math.isinf(ord):
        reached = wrap(_reached(size._array, out._array, axes))
        return ops.sgn(input) * (reached * g)
    if ord < 1:
        part = (ops.sgn(input) * size ** (ord - 1)).masked_fill(size == 0, 0)
        return part * g * out ** (1 - ord)
    part = ops.sgn(input) * size ** (ord - 1) if ord < 2 else input * size ** (ord - 2)
    return part * (g / out ** (ord - 1)).masked_fill(out == 0, 0)


@reduction(
    types=NORM,
    upcast="large",
    name="_vector_norm",
    node="LinalgVectorNorm",
    function=False,
    method=False,
    holomorphic=False,
    vjp=_norm_rule,
    infer=lambda input, ord, dim, keepdim, dtype: (
        folded(input, dim, keepdim)[0],
        _real(input.dtype),
    ),
)
def _vector_norm(input, ord: Any, dim: Any, keepdim: bool, *, dtype: Any = None):
    """``sum(abs(input)**ord)**(1/ord)``, with its limits at 0 and the infinities."""
    axes = axes_of(dim, input.ndim, "linalg.vector_norm")
    _check_empty(input, ord, axes, dim)
    if input.dtype.kind == "W":
        input = widen(input)
    if ord == 2:
        if (
            axes is None
            and type(input) is np.ndarray
            and input.dtype.kind == "f"
            and input.itemsize > 2
            and input.size > 1 << 12
            and input.flags.c_contiguous
        ):
            flat = input.reshape(-1)
            found = np.sqrt(np.dot(flat, flat))
            return found.reshape((1,) * input.ndim) if keepdim else found
        if type(input) is np.ndarray and input.size >= LEAST:
            generated = generated_fold("squares", input, axes, keepdim)
            if generated is not None:
                return np.sqrt(generated, generated)
            input = widen(input)
        squares = input.real**2 + input.imag**2 if input.dtype.kind == "c" else input * input
        found = np.sqrt(total(squares, axes, keepdim))
        if found.size == input.size and type(input) is np.ndarray and input.dtype.kind == "f":
            return np.abs(input).reshape(
                found.shape
            )  # of one number, whose square may be too large
        return found
    input = widen(input)
    if ord == 0:
        return in_order(fold_add(input != 0, axis=axes, keepdims=keepdim)).astype(
            _real(input.dtype)
        )
    size = np.abs(input)
    if ord == 1:
        return total(size, axes, keepdim)
    if math.isinf(ord):
        fold = fold_max if ord > 0 else fold_min
        return in_order(fold(size, axis=axes, keepdims=keepdim))
    return total(size ** size.dtype.type(ord), axes, keepdim) ** size.dtype.type(1 / ord)


@composite(function=False, name="linalg_vector_norm", numpy=True)
def vector_norm(
    input: Tensor,
    ord: Any = 2,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
    out: Any = None,
) -> Tensor:
    """``sum(abs(x)**ord)**(1/ord)`` over `dim` (all of them by default).

    Args:
        ord: any number; inf and -inf are the greatest and least modulus, 0 counts what is not zero.

    Raises:
        RuntimeError: an integer tensor, or inf of no elements.
    """
    kind = input._array.dtype.kind
    if kind not in "fcVW":
        raise fail(
            RuntimeError,
            "linalg.vector_norm",
            f"Expected a floating point or complex tensor as input. Got {input.dtype}",
        )
    dtype = dtypes.PYTHON_TYPES.get(dtype, dtype)
    if dtype is not None and (
        dtype.is_complex != (kind in "cW") or not (dtype.is_complex or dtype.is_floating_point)
    ):
        raise fail(
            RuntimeError,
            "linalg.vector_norm",
            f"the input is {input.dtype} and cannot be converted to the dtype asked for, {dtype}",
        )
    if dtype is not None and dtype.is_complex and dtype is not input.dtype:
        input, dtype = input.to(dtype), None  # its gradient is that of the wider sizes
    return ops._vector_norm(input, float(ord), dim, keepdim, dtype=dtype, out=out)


def _matrix_dims(input: Tensor, dim: Any) -> Any:
    """The two dimensions of a matrix norm.

    Raises:
        RuntimeError: there are not two.
    """
    if dim is None:
        dim = tuple(range(input._array.ndim))
    if isinstance(dim, int):
        dim = (dim,)
    if len(dim) != 2:
        raise fail(
            RuntimeError,
            "norm",
            f"linalg.matrix_norm: dim must be a 2-tuple. Got {' '.join(map(str, dim))}",
        )
    return tuple(dim)


@composite(method=True)
def norm(
    input: Tensor,
    p: Any = "fro",
    dim: Any = None,
    keepdim: bool = False,
    out: Any = None,
    dtype: Any = None,
    **numpy: Any,
) -> Tensor:
    """The `p`-norm over `dim` (all by default), of the vector of elements.

    Args:
        p: a number, "fro" (2), or "nuc": the sum of the matrix's singular values.

    Raises:
        RuntimeError: an integer tensor, or an unknown order.
    """
    if numpy:
        named = spelled("norm", numpy)
        dim, keepdim = named.get("dim", dim), named.get("keepdim", keepdim)
    if isinstance(p, str):
        if p == "nuc":
            found = _nuclear(
                input if dtype is None else input.to(dtype), _matrix_dims(input, dim), keepdim
            )
            if out is None:
                return found
            from flambeau.core.output import write_one

            return write_one("norm", found, out)
        if p != "fro":
            raise fail(
                RuntimeError,
                "norm",
                f"linalg.matrix_norm: Order {p} not supported: give a number, 'fro' or 'nuc'.",
            )
        if dim is not None and not isinstance(dim, int) and len(dim) > 2:
            _matrix_dims(input, dim)
        p = 2
    elif p is None:
        p = 2
    if dim is None and hasattr(input._array, "is_sparse_data"):
        from flambeau.sparse import basis

        return vector_norm(basis.values(basis.coalesce(input)), p, dtype=dtype, out=out)
    return vector_norm(input, p, dim, keepdim, dtype=dtype, out=out)


def _nuclear(input: Tensor, dim: tuple[int, int], keepdim: bool) -> Tensor:
    from flambeau import linalg

    found = linalg.svdvals(ops.movedim(input, dim, (-2, -1))).sum(-1)
    if keepdim:
        for k in sorted(k % input._array.ndim for k in dim):
            found = found.unsqueeze(k)
    return found


@composite(method=True)
def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The `p`-norm of ``input - other``."""
    require_tensor("dist", "input", input)
    require_tensor("dist", "other", other)
    return labelled(vector_norm(input - other, p), "DistBackward0")


def _renormed(input: Tensor, p: float, dim: int, maxnorm: float) -> Tensor:
    from flambeau.core.dims import wrap_dim

    ndim = input._array.ndim
    if p <= 0:
        raise fail(
            RuntimeError, "renorm", f"renorm: non-positive norm degree not supported, p is {p}."
        )
    if isinstance(maxnorm, complex) or maxnorm < 0:
        raise fail(RuntimeError, "renorm", f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    if ndim < 2:
        raise fail(
            RuntimeError,
            "renorm",
            f"renorm: input needs at least 2 dimensions, got {ndim} dimensions",
        )
    k = wrap_dim(dim, ndim, "renorm")
    others = tuple(d for d in range(ndim) if d != k)
    wide = dtypes.float32 if input._array.dtype.itemsize == 2 else None
    size = vector_norm(input, p, others, True, dtype=wide)
    scale = ops._where(size > maxnorm, maxnorm / (size + 1e-7), 1.0)
    scale = scale if wide is None else scale.to(input.dtype)
    return labelled(input * scale, "RenormBackward0")


@composite(method=True, numpy=True)
def renorm(input: Tensor, p: float, dim: int, maxnorm: float, *, out: Any = None) -> Tensor:
    """Every slice along `dim` whose `p`-norm exceeds `maxnorm`, scaled down to it.

    Raises:
        RuntimeError: an order of 0 or less, a negative `maxnorm`, fewer than 2 dimensions.
    """
    found = _renormed(input, p, dim, maxnorm)
    if out is None:
        return found
    from flambeau.core.output import write_one

    return write_one("renorm", found, out)


@composite(method=True, function=False, numpy=True)
def renorm_(input: Tensor, p: float, dim: int, maxnorm: float) -> Tensor:
    """`renorm`, in place."""
    return labelled(input.copy_(_renormed(input.clone(), p, dim, maxnorm)), "RenormBackward0")
