"""What linear algebra makes of its factorizations and of products: lstsq, multi_dot, matrix_power,
tensorinv, tensorsolve, Householder products, vander, vecdot. Stands on linalg_solve,
linalg_spectral and matmul.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from flambeau.core.declare import composite, ops, primitive
from flambeau.core.dtypes import bool as boolean
from flambeau.core.dtypes import of
from flambeau.core.errors import fail
from flambeau.core.kernels import factor
from flambeau.core.ops.linalg_checks import LinAlgError, need_floating, need_matrix, need_square
from flambeau.core.ops.linalg_solve import written
from flambeau.core.ops.linalg_spectral import _pinv_rule
from flambeau.core.tensor import Tensor

__all__: list[str] = []


def _lstsq_rule(g: Any, A: Any, B: Any, solution: Any, needs: Any) -> Any:
    to_x, to_r = g[0], g[1]
    vector = B.dim() == A.dim() - 1 and tuple(B.shape) == tuple(A.shape[:-1])
    b = B.unsqueeze(-1) if vector else B
    x = solution.unsqueeze(-1) if vector else solution
    to_a = to_b = None
    if to_x is not None:
        gx = to_x.unsqueeze(-1) if vector else to_x
        inverse = ops.linalg_pinv(A)
        to_b = inverse.mH @ gx
        if needs[0]:
            to_a = _pinv_rule(gx @ b.mH, A, inverse)
    if to_r is not None and to_r.numel():
        rest = 2 * (A @ x - b) * to_r.unsqueeze(-2 if not vector else -1)
        to_b = -rest if to_b is None else to_b - rest
        if needs[0]:
            more = rest @ x.mH
            to_a = more if to_a is None else to_a + more
    if vector and to_b is not None:
        to_b = to_b.squeeze(-1)
    return to_a, to_b if needs[1] else None


def _in_place_of(x: Any, rows: int) -> Any:
    """Solutions where LAPACK leaves them: at the top of the columns of the right-hand side."""
    n = x.shape[-2]
    if rows <= n:
        return factor.columns(x)
    memory = np.zeros((*x.shape[:-2], x.shape[-1], rows), x.dtype)
    memory[..., :n] = x.swapaxes(-1, -2)
    return memory[..., :n].swapaxes(-1, -2)


def _cutoff(rcond: Any, driver: Any, eps: float, size: int) -> float:
    """Up to which part of the largest singular value one counts as zero; LAPACK takes its precision
    where the number given is none of its own.
    """
    if rcond is None:
        return eps * size
    return eps if rcond < 0 or (driver == "gelsd" and not 0 < rcond < 1) else float(rcond)


@primitive(
    name="linalg_lstsq",
    outputs=("solution", "residuals", "rank", "singular_values"),
    method=False,
    function=False,
    differentiable=("solution", "residuals"),
    holomorphic=False,
    vjp={("A", "B"): _lstsq_rule},
)
def linalg_lstsq(A, B, rcond: Any = None, *, driver: Any = None):
    """X that minimizes ``norm(A @ X - B)``; the squared residuals, A's rank, its singular values.

    Args:
        rcond: singular values up to `rcond` times the largest count as zero; by default ``max(m, n)
            * eps``.
        driver: "gelsy" (default), "gels" (A of full rank; no rank is given), "gelsd", "gelss"
            (singular values are given).
    """
    name = "torch.linalg.lstsq"
    if A.ndim < 2:
        raise fail(RuntimeError, name, "input must have at least 2 dimensions.")
    if B.ndim < 1:
        raise fail(RuntimeError, name, "other must have at least 1 dimension.")
    need_floating(name, A, "linalg_lstsq_cpu")
    if A.dtype != B.dtype:
        raise fail(
            RuntimeError,
            name,
            "Expected input and other to have the same dtype, but got input's dtype "
            f"{of(A.dtype).legacy} and other's dtype {of(B.dtype).legacy}",
        )
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        raise fail(
            RuntimeError,
            name,
            f"parameter `driver` should be one of (gels, gelsy, gelsd, gelss), got {driver}",
        )
    vector = B.ndim == A.ndim - 1 and B.shape == A.shape[:-1]
    b = B[..., None] if vector else B
    if b.ndim < 2 or A.shape[-2] != b.shape[-2]:
        raise fail(
            RuntimeError,
            name,
            f"input.size(-2) should match other.size(-2): the matrix has {A.shape[-2]} rows, the "
            f"right-hand side {b.shape[-2] if b.ndim > 1 else b.shape[0]}",
        )
    m, n = A.shape[-2:]
    batch = np.broadcast_shapes(A.shape[:-2], b.shape[:-2])
    real = np.finfo(A.dtype).dtype
    by_rows = driver in (None, "gelsy")  # LAPACK's triangular form keeps what equals the limit
    if A.size:
        u, s, vh = np.linalg.svd(A, full_matrices=False)
        limit = _cutoff(rcond, driver, float(np.finfo(real).eps), max(m, n)) * s[..., :1]
        large = s >= np.maximum(limit, np.finfo(real).tiny) if by_rows else s > limit
        x = factor.adjoint(vh) @ (
            np.where(large, 1 / s, 0).astype(real)[..., None] * (factor.adjoint(u) @ b)
        )
        rank = large.sum(-1).astype("i8")
    else:
        s = np.zeros((*A.shape[:-2], min(m, n)), real)
        x = np.zeros((*batch, n, b.shape[-1]), A.dtype)
        rank = np.zeros(A.shape[:-2], "i8")
    residuals = np.zeros(0, real)
    if m > n and (driver == "gels" or (driver in ("gelsd", "gelss") and bool((rank == n).all()))):
        rest = A @ x - b
        residuals = (rest.real**2 + rest.imag**2 if rest.dtype.kind == "c" else rest * rest).sum(-2)
        residuals = (
            residuals[..., 0] if vector and residuals.ndim > 1 and B.ndim == 1 else residuals
        )
    empty = np.zeros(0, real)
    x = _in_place_of(x, m)
    return (
        x[..., 0] if vector else x,
        residuals,
        np.zeros(0, "i8") if driver == "gels" else rank,
        s if driver in ("gelsd", "gelss") else empty,
    )


@composite(name="linalg_multi_dot", function=False)
def linalg_multi_dot(tensors: Any, *, out: Any = None) -> Tensor:
    """The product of a chain of matrices in the order that costs least; the first and last may be
    vectors.
    """
    name = "multi_dot()"
    work = list(tensors)
    if len(work) < 2:
        raise fail(RuntimeError, name, f"expected at least 2 tensors but got {len(work)}")
    first, last = work[0].dim() == 1, work[-1].dim() == 1
    for k, x in enumerate(work):
        ends = k in (0, len(work) - 1)
        if x.dim() != 2 and not (ends and x.dim() == 1):
            raise fail(
                RuntimeError,
                name,
                f"tensor {k} must be {'1D or 2D' if ends else '2D'} but got {x.dim()}D",
            )
        if x.dtype != work[0].dtype:
            raise fail(
                RuntimeError,
                name,
                f"all tensors must have be the same dtype, but tensor 0 is {work[0].dtype} and "
                f"tensor {k} {x.dtype}",
            )
    if first:
        work[0] = work[0].unsqueeze(0)
    if last:
        work[-1] = work[-1].unsqueeze(-1)
    sizes = [work[0].shape[0], *(x.shape[1] for x in work)]
    for k in range(1, len(work)):
        if work[k].shape[0] != sizes[k]:
            raise fail(
                RuntimeError,
                name,
                f"tensors {k - 1} and {k} with shapes {list(work[k - 1].shape)} and "
                f"{list(work[k].shape)} cannot be multiplied",
            )
    found = _chain(work, _cheapest_splits(sizes), 0, len(work) - 1)
    if first:
        found = found.squeeze(0)
    if last:
        found = found.squeeze(-1)
    return written("linalg_multi_dot", found, out)


def _cheapest_splits(sizes: list[int]) -> dict[tuple[int, int], int]:
    """Where to split each stretch of the chain (Cormen et al., Introduction to Algorithms,
    15.2).
    """
    n = len(sizes) - 1
    cost = {(i, i): 0 for i in range(n)}
    split: dict[tuple[int, int], int] = {}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            options = [
                (cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k)
                for k in range(i, j)
            ]
            cost[i, j], split[i, j] = min(options)
    return split


def _chain(work: list[Tensor], split: dict[tuple[int, int], int], i: int, j: int) -> Tensor:
    if i == j:
        return work[i]
    k = split[i, j]
    return ops.mm(_chain(work, split, i, k), _chain(work, split, k + 1, j))


@composite(method=True, alias=("linalg_matrix_power",))
def matrix_power(input: Tensor, n: int, *, out: Any = None) -> Tensor:
    """The n-th power of a square matrix by repeated squaring; of its inverse where n is
    negative.
    """
    need_square("linalg.matrix_power", input)
    if n < 0:
        input, n = ops.linalg_inv(input), -n
    found = None
    power = input
    while n:
        if n & 1:
            found = power if found is None else found @ power
        n >>= 1
        if n:
            power = power @ power
    if found is None:
        eye = ops.eye(input.shape[-1], dtype=input.dtype, device=input.device)
        found = ops.where(ops.zeros((), dtype=boolean), input, eye)
    return written("linalg_matrix_power", found.clone() if found is input else found, out)


@composite(name="linalg_tensorinv", function=False)
def linalg_tensorinv(input: Tensor, ind: int = 2, *, out: Any = None) -> Tensor:
    """The inverse under `tensordot` over `ind` dimensions."""
    if ind <= 0:
        raise fail(
            RuntimeError,
            "linalg.tensorinv",
            "Expected a strictly positive integer for 'ind' argument",
        )
    head, tail = list(input.shape[:ind]), list(input.shape[ind:])
    if math.prod(head) != math.prod(tail):
        raise fail(
            RuntimeError,
            "linalg.tensorinv",
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == "
            f"prod(self.shape[:ind]), but got {math.prod(tail)} != {math.prod(head)}",
        )
    inverse, info = ops.linalg_inv_ex(input.reshape(math.prod(tail), math.prod(tail)))
    if isinstance(info._array, np.ndarray) and info._array.any():
        raise fail(
            LinAlgError,
            "linalg.tensorinv",
            "Failed to invert the input tensor, because it is singular.",
        )
    return written("linalg_tensorinv", inverse.reshape(tail + head), out)


@composite(name="linalg_tensorsolve", function=False)
def linalg_tensorsolve(
    input: Tensor, other: Tensor, dims: Any = None, *, out: Any = None
) -> Tensor:
    """X of ``tensordot(input, X, X.ndim) = other``; `dims` of input are moved to its end first."""
    if dims is not None:
        input = ops.movedim(input, list(dims), list(range(-len(dims), 0)))
    rest = list(input.shape[other.dim() :])
    n = math.prod(input.shape[: other.dim()])
    if math.prod(rest) != n:
        raise fail(
            RuntimeError,
            "linalg.tensorsolve",
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == "
            f"prod(self.shape[:other.ndim]), but got {math.prod(rest)} != {n}",
        )
    found = ops.linalg_solve(input.reshape(n, n), other.reshape(n)).reshape(rest)
    return written("linalg_tensorsolve", found, out)


def by_columns(x: Tensor) -> Tensor:
    """The same values, laid out as LAPACK leaves them."""
    return x.mT.contiguous().mT


def _reflect(x: Tensor, v: Tensor, tau: Tensor) -> Tensor:
    """``(I - tau v v^H) x``."""
    return x - tau.unsqueeze(-1).unsqueeze(-1) * (v @ (v.mH @ x))


def _reflector(input: Tensor, j: int) -> Tensor:
    """The j-th vector: a one at place j, then the column below it."""
    m = input.shape[-2]
    column = input.narrow(-1, j, 1).tril(-1 - j)
    unit = ops.eye(m, 1 + j, dtype=input.dtype, device=input.device).narrow(-1, j, 1)
    return column + unit


@composite(name="linalg_householder_product", function=False)
def linalg_householder_product(input: Tensor, tau: Tensor, *, out: Any = None) -> Tensor:
    """The first n columns of the product of the reflectors that `geqrf` left in input and tau.

    Shape: (*, m, n) with m >= n, (*, k) with k <= n -> (*, m, n).
    """
    name = "torch.linalg.householder_product"
    if input.dim() < 2:
        raise fail(RuntimeError, name, "input must have at least 2 dimensions.")
    m, n = input.shape[-2:]
    if m < n:
        raise fail(
            RuntimeError, name, "input.shape[-2] must be greater than or equal to input.shape[-1]"
        )
    if n < tau.shape[-1]:
        raise fail(
            RuntimeError, name, "input.shape[-1] must be greater than or equal to tau.shape[-1]"
        )
    if input.dim() - tau.dim() != 1:
        raise fail(
            RuntimeError,
            name,
            "Expected tau to have one dimension less than input, but got tau.ndim equal to "
            f"{tau.dim()} and input.ndim is equal to {input.dim()}",
        )
    if input.shape[:-2] != tau.shape[:-1]:
        raise fail(
            RuntimeError,
            name,
            "Expected batch dimensions of tau to be equal to input.shape[:-2], but got "
            f"{list(tau.shape[:-1])}",
        )
    if input.dtype != tau.dtype:
        raise fail(
            RuntimeError, name, f"tau dtype {tau.dtype} does not match input dtype {input.dtype}"
        )
    need_floating(name, input._array, "!orgqr_cpu")
    found = ops.eye(m, n, dtype=input.dtype, device=input.device).expand(input.shape)
    for j in range(tau.shape[-1] - 1, -1, -1):
        found = _reflect(found, _reflector(input, j), tau.select(-1, j))
    found = by_columns(found)
    if not tau.numel():
        found = ops._bare_product(input, found)
    return written("linalg_householder_product", found, out)


@primitive(
    name="_bare_product",
    node="LinalgHouseholderProduct",
    method=False,
    function=False,
    infer=lambda A, found: (found.shape, found.dtype),
    vjp={("A", "found"): lambda g: (None, None)},
)
def _bare_product(A, found):
    """The product of no reflector: on the graph of A, which gets no gradient, not even zeros."""
    return found.copy("K")


@composite(method=True)
def orgqr(input: Tensor, input2: Tensor, *, out: Any = None) -> Tensor:
    """`torch.linalg.householder_product`."""
    return linalg_householder_product(input, input2, out=out)


@composite(method=True)
def ormqr(
    input: Tensor,
    input2: Tensor,
    input3: Tensor,
    left: bool = True,
    transpose: bool = False,
    *,
    out: Any = None,
) -> Tensor:
    """``Q @ input3`` (``input3 @ Q`` without `left`; Q.mH with `transpose`), Q the product of the
    reflectors in input and input2.
    """
    for label, x in (("input", input), ("input3", input3)):
        if x.dim() < 2:
            raise fail(RuntimeError, "torch.ormqr", f"{label} must have at least 2 dimensions.")
    side = -2 if left else -1
    if input3.shape[side] < input2.shape[-1]:
        raise fail(
            RuntimeError,
            "torch.ormqr",
            f"input3.shape[{side}] must be greater than or equal to input2.shape[-1]",
        )
    if input3.shape[side] != input.shape[-2]:
        raise fail(
            RuntimeError, "torch.ormqr", f"input3.shape[{side}] must be equal to input.shape[-2]"
        )
    if input.dtype != input2.dtype or input.dtype != input3.dtype:
        raise fail(
            RuntimeError,
            "torch.ormqr",
            f"Expected input, input2 and input3 to have the same dtype, but got {input.dtype}, "
            f"{input2.dtype}, {input3.dtype}",
        )
    if not input3.numel():  # the product of nothing: no gradient, not even an empty one
        input, input2 = input.detach(), input2.detach()
    work = input3 if left else input3.mH
    turned = transpose if left else not transpose
    order = range(input2.shape[-1]) if turned else range(input2.shape[-1] - 1, -1, -1)
    for j in order:
        t = input2.select(-1, j)
        work = _reflect(work, _reflector(input, j), t.conj() if turned else t)
    return written(
        "ormqr", by_columns(work.clone() if work is input3 else work if left else work.mH), out
    )


_VANDER = frozenset({"float32", "float64", "complex64", "complex128"})


@composite(name="linalg_vander", function=False)
def linalg_vander(x: Tensor, N: int | None = None) -> Tensor:
    """Powers 0 to N - 1 of every element, in rows.

    Raises:
        RuntimeError: bools, 16-bit floats, or an N below 2.
    """
    if x.dtype.category == "bool" or (x.dtype.name not in _VANDER and x.dtype.category != "int"):
        raise fail(
            RuntimeError,
            "linalg.vander",
            f"supports floating point, complex, and integer tensors, but got {x.dtype}: use "
            ".float()",
        )
    if not x.dim() and (N is None or N < 2):
        raise fail(RuntimeError, "linalg.vander", "N must be greater than 1.")
    if not x.dim():
        x = x.unsqueeze(-1)
    n = x.shape[-1] if N is None else N
    if n <= 1:
        raise fail(RuntimeError, "linalg.vander", "N must be greater than 1.")
    if x.dtype.category in ("int", "bool"):
        from flambeau.core.dtypes import int64

        x = x.to(int64)
    powers = x.unsqueeze(-1).expand((*x.shape, n - 1)).cumprod(-1)
    return ops.cat([ops.ones((*x.shape, 1), dtype=x.dtype, device=x.device), powers], -1)


@composite(name="linalg_vecdot", function=False)
def linalg_vecdot(x: Tensor, y: Tensor, *, dim: int = -1, out: Any = None) -> Tensor:
    """``sum(conj(x) * y)`` over a dimension.

    Raises:
        RuntimeError: integers, or sizes that differ.
    """
    if x.dtype.category in ("int", "bool"):
        raise fail(
            RuntimeError,
            "linalg.vecdot",
            f"Expected a floating point or complex tensor as input. Got {x.dtype}: use .float()",
        )
    if x.is_complex():
        x = x.conj()
    n, m = (t.shape[dim] if t.dim() else 1 for t in (x, y))
    if n != m and 1 not in (n, m):
        raise fail(
            RuntimeError,
            "linalg.vecdot",
            f"The size of tensor a ({n}) must match the size of tensor b ({m}) at dimension {dim}",
        )
    return written("linalg_vecdot", (x * y).sum(dim), out)


@composite(name="linalg_diagonal", function=False)
def linalg_diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The diagonal of the last two dimensions."""
    return ops.diagonal(A, offset, dim1, dim2)


@primitive(
    outputs=("a", "tau"),
    infer=lambda input: (
        (input.shape, input.dtype),
        ((*input.shape[:-2], min(input.shape[-2:])), input.dtype),
    ),
)
def geqrf(input):
    """LAPACK's QR: R above the diagonal, the reflectors below, and their factors tau."""
    need_matrix("torch.geqrf", input, "input")
    need_floating("torch.geqrf", input, "!geqrf_cpu")
    reflectors, tau = factor.geqrf(input)
    return factor.columns(reflectors), tau
