"""Norms of matrices, condition numbers, ranks: functions over singular values and sums. Vector
norms are `vector_norm`'s.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from flambeau.core.declare import composite, ops
from flambeau.core.dims import wrap_dims
from flambeau.core.errors import fail
from flambeau.core.ops.linalg_checks import need_floating, need_matrix, need_square
from flambeau.core.ops.linalg_solve import written
from flambeau.core.tensor import Tensor

__all__: list[str] = []


def _check_types(name: str, A: Tensor, dtype: Any) -> None:
    if not (A.is_floating_point() or A.is_complex()):
        raise fail(
            RuntimeError,
            name,
            f"Expected a floating point or complex tensor as input. Got {A.dtype}. Convert with "
            ".to(torch.float32).",
        )
    if dtype is not None and dtype.is_complex != A.is_complex():
        raise fail(
            RuntimeError,
            name,
            f"the input is {A.dtype} and cannot be converted to the dtype asked for, {dtype}",
        )


def _restore(found: Tensor, dims: tuple[int, ...], keepdim: bool) -> Tensor:
    """Put dimensions of size 1 where the matrix stood."""
    if keepdim:
        for k in sorted(dims):
            found = found.unsqueeze(k)
    return found


@composite(name="linalg_matrix_norm", function=False, numpy=True)
def linalg_matrix_norm(
    input: Tensor,
    ord: Any = "fro",
    dim: Any = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: Any = None,
    out: Any = None,
) -> Tensor:
    """A norm of matrices.

    Args:
        ord: "fro" (root of the sum of squares), "nuc" (sum of singular values), 2 and -2 (greatest
            and least singular value), 1 and -1 (greatest and least sum of a column), inf and -inf
            (of a row).
        dim: the two dimensions of the matrices.

    Raises:
        RuntimeError: another order, fewer than 2 dimensions, integers.
    """
    name = "linalg.matrix_norm"
    need_matrix(name, input)
    if isinstance(dim, int) or len(dim) != 2:
        raise fail(RuntimeError, name, f"dim must be a 2-tuple. Got {dim}")
    _check_types(name, input, dtype)
    dims = wrap_dims(dim, input.dim())
    if dims[0] == dims[1]:
        raise fail(RuntimeError, name, f"dims must be different. Got ({dim[0]}, {dim[1]})")
    if ord == "fro":
        return ops.linalg_vector_norm(input, 2, dim, keepdim, dtype=dtype, out=out)
    if dtype is not None:
        input = input.to(dtype)
    if ord == "nuc" or ord in (2, -2):
        values = ops.linalg_svdvals(ops.movedim(input, dims, (-2, -1)))
        found = values.sum(-1) if ord == "nuc" else values.amax(-1) if ord == 2 else values.amin(-1)
        return written("linalg_matrix_norm", _restore(found, dims, keepdim), out)
    if isinstance(ord, str) or ord not in (1, -1, math.inf, -math.inf):
        raise fail(
            RuntimeError,
            name,
            f"Order {ord} not supported: give 'fro', 'nuc', 1, -1, 2, -2, inf or -inf.",
        )
    summed, folded = dims if abs(ord) == 1 else dims[::-1]
    sums = ops.linalg_vector_norm(input, 1, summed, True)
    found = sums.amax(folded, keepdim=True) if ord > 0 else sums.amin(folded, keepdim=True)
    if not keepdim:
        for k in sorted(dims, reverse=True):
            found = found.squeeze(k)
    return written("linalg_matrix_norm", found, out)


@composite(name="linalg_norm", function=False, numpy=True)
def linalg_norm(
    input: Tensor,
    ord: Any = None,
    dim: Any = None,
    keepdim: bool = False,
    *,
    out: Any = None,
    dtype: Any = None,
) -> Tensor:
    """A vector or matrix norm, by the number of dimensions.

    Args:
        ord: None is the 2-norm of all elements (over `dim`); "fro" and "nuc" are norms of matrices.
        dim: one dimension for vectors, two for matrices; None: all of a tensor that is either.
    """
    if isinstance(dim, np.integer):
        dim = int(dim)
    if dim is not None and not isinstance(dim, int) and len(dim) == 1 and not isinstance(ord, str):
        dim = dim[0]
    if dim is not None and not isinstance(dim, int) and len(dim) not in (1, 2) and ord is not None:
        raise fail(
            RuntimeError,
            "linalg.norm",
            f"If dim is specified, it must be of length 1 or 2. Got {list(dim)}",
        )
    if isinstance(ord, str):
        if dim is None and input.dim() != 2:
            raise fail(
                RuntimeError,
                "linalg.matrix_norm",
                f"The input tensor A must have at least 2 dimensions; norm of order {ord} is one "
                "of matrices.",
            )
        return linalg_matrix_norm(
            input, ord, (0, 1) if dim is None else dim, keepdim, dtype=dtype, out=out
        )
    if ord is None:
        return ops.linalg_vector_norm(input, 2, dim, keepdim, dtype=dtype, out=out)
    if dim is None:
        if input.dim() not in (1, 2):
            raise fail(
                RuntimeError,
                "linalg.norm",
                "If dim is not specified but ord is, the input must be 1D or 2D. Got "
                f"{input.dim()}D.",
            )
        dim = 0 if input.dim() == 1 else (0, 1)
    if isinstance(dim, int):
        return ops.linalg_vector_norm(input, ord, dim, keepdim, dtype=dtype, out=out)
    return linalg_matrix_norm(input, ord, dim, keepdim, dtype=dtype, out=out)


@composite(name="linalg_cond", function=False)
def linalg_cond(input: Tensor, p: Any = None, *, out: Any = None) -> Tensor:
    """The condition number ``norm(A, p) * norm(inv(A), p)``; inf for singular matrices.

    Args:
        p: an order of `matrix_norm`; None and 2: the ratio of the extreme singular values.
    """
    if input.dim() < 2:
        raise fail(RuntimeError, "linalg.cond", "The input tensor must have at least 2 dimensions.")
    if p is None or p in (2, -2):
        values = ops.linalg_svdvals(input)
        if not values.numel() or not values.shape[-1]:
            found = ops.zeros(values.shape[:-1], dtype=values.dtype)
        else:
            first, last = values.select(-1, 0), values.select(-1, -1)
            found = last / first if p == -2 else first / last
        return written("linalg_cond", found, out)
    need_square(f"linalg.cond(ord={p})", input)
    if p not in ("fro", "nuc", 1, -1, math.inf, -math.inf):
        raise fail(RuntimeError, "linalg.cond", f"linalg.cond got an invalid norm type: {p}")
    need_floating("linalg.cond", input._array)
    if not input.numel():
        real = ops.linalg_vector_norm(input).dtype
        return written("linalg_cond", ops.zeros(input.shape[:-2], dtype=real), out)
    inverse, info = ops.linalg_inv_ex(input)
    if p == "nuc":
        both = ops.linalg_svdvals(input)
        found = both.sum(-1) * both.reciprocal().sum(-1)
    else:
        found = linalg_matrix_norm(input, p) * linalg_matrix_norm(inverse, p)
    found = ops.where(info == 0, found, ops.full_like(found, math.inf))
    return written("linalg_cond", found, out)


@composite(name="linalg_matrix_rank", function=False)
def linalg_matrix_rank(
    input: Tensor,
    tol: Any = None,
    hermitian: bool = False,
    *,
    atol: Any = None,
    rtol: Any = None,
    out: Any = None,
) -> Tensor:
    """How many singular values exceed ``max(atol, rtol * largest)``; rtol is by default ``max(m,
    n) * eps``, 0 where atol is given.
    """
    name = "torch.linalg.matrix_rank"
    if isinstance(tol, bool):
        tol, hermitian = None, tol
    if tol is not None and atol is None:
        atol, rtol = tol, 0.0
    need_matrix(name, input, "input")
    for label, value in (("atol", atol), ("rtol", rtol)):
        if isinstance(value, Tensor) and value.is_complex():
            raise fail(RuntimeError, name, f"{label} tensor of complex type is not supported.")
    size = ops.abs(ops.linalg_eigvalsh(input)) if hermitian else ops.linalg_svdvals(input)
    if not size.shape[-1]:
        return written(
            "linalg_matrix_rank", ops.zeros(input.shape[:-2], dtype=(size > 0).sum().dtype), out
        )
    if rtol is None:
        from flambeau.core.dtypes import finfo

        rtol = finfo(size.dtype).eps * max(input.shape[-2:]) if atol is None else 0.0
    top = size.amax(-1, keepdim=True)
    relative = (rtol.unsqueeze(-1) if isinstance(rtol, Tensor) else rtol) * top
    if atol is not None:
        absolute = atol.unsqueeze(-1) if isinstance(atol, Tensor) else ops.full_like(top, atol)
        relative = ops.maximum(absolute, relative)
    return written("linalg_matrix_rank", (size > relative).sum(-1), out)
