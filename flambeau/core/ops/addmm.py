"""Sums with products: addmm, addmv, addbmm, baddbmm, addr: ``beta * input + alpha * product``. One
node each.

Stands on matmul's checks and kernels.product.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core import rules, state
from flambeau.core.declare import composite, ops, primitive
from flambeau.core.errors import fail
from flambeau.core.inplace import check_inplace, write_result
from flambeau.core.ir.abstract import Abstract
from flambeau.core.kernels.native.casts import recast
from flambeau.core.kernels.product import matrices, product, single, widen
from flambeau.core.old_order import of_product
from flambeau.core.ops.matmul import (
    SINGLE_DOUBLE,
    batches,
    check_batches,
    check_matrices,
    check_types,
    check_vector,
    outward,
    times,
)
from flambeau.core.tensor import Tensor

__all__: list[str] = []

nd = np.ndarray


def scaled(value: Any, factor: Any) -> Any:
    """``value * factor``; the value itself where the factor is 1. For arrays and Tensors: a number
    keeps its digits beside 16 bits.
    """
    if type(factor) in (int, float) and factor == 1:
        return value
    if type(value) is nd and value.dtype.itemsize == 2 and value.dtype.kind in "fV":
        return recast(recast(value, "f4") * np.float32(factor), value.dtype)
    return value * factor


rules.BOTH |= {"scaled"}


def _sum(name: str, input: Any, found: Any, beta: Any, alpha: Any) -> Any:
    """``beta * input + alpha * found``, in place of `found`, which is ours; beta 0 ignores even nan
    in `input`.

    Raises:
        RuntimeError: `input` does not expand to the product's shape.
    """
    shape = found.shape
    lead = len(shape) - input.ndim
    for k, size in enumerate(input.shape):
        if lead < 0 or size not in (1, shape[lead + k]):
            at = max(lead, 0) + k
            raise fail(
                RuntimeError,
                name,
                f"The expanded size of the tensor ({shape[at] if at < len(shape) else 1}) must "
                f"match the existing size ({size}) at "
                f"non-singleton dimension {at}.  Target sizes: {list(shape)}.  Tensor sizes: "
                f"{list(input.shape)}",
            )
    if type(found) is Abstract or type(input) is Abstract:
        return Abstract(shape, input.dtype)
    found = np.asarray(found)
    if found.dtype.kind in "iu":
        beta, alpha = int(beta), int(alpha)
        if alpha != 1:
            found = found * np.array(alpha).astype(found.dtype)
        return (
            found
            if beta == 0
            else found + (input if beta == 1 else input * np.array(beta).astype(input.dtype))
        )
    if alpha != 1:
        np.multiply(found, alpha, out=found)
    if beta != 0:
        np.add(found, input if beta == 1 else input * beta, out=found)
    return found


def _whole(
    name: str, input: Any, a: Any, b: Any, beta: Any, alpha: Any, reduce: bool = False
) -> Any:
    """The sum in one rounding: 16-bit floats are widened first, and rounded for each of several
    products.
    """
    if type(input) is not nd or type(a) is not nd or type(b) is not nd:
        found = product(a, b)
        return _sum(
            name, input, Abstract(found.shape[1:], found.dtype) if reduce else found, beta, alpha
        )
    found = single(a, b)
    if reduce and found.dtype != input.dtype and len(found):
        for one in found:
            input = _sum(name, widen(input), one, beta, alpha).astype(input.dtype)
            beta = 1
        return input
    if reduce:
        found = found.sum(axis=0)
    found = _sum(name, widen(input), found, beta, alpha)
    return found if found.dtype == input.dtype else found.astype(input.dtype)


def _short(input: Any, mat1: Any, mat2: Any, beta: Any, alpha: Any) -> Any:
    """addmm's kernel: the ordinary case in two calls of NumPy, else the body."""
    d = input.dtype
    if mat1.dtype is d and mat2.dtype is d and beta == 1 and alpha == 1:
        if mat1.ndim == 2 == mat2.ndim and (d in SINGLE_DOUBLE or _is_row(input, mat1, mat2)):
            try:
                if d not in SINGLE_DOUBLE:
                    return matrices(mat1, mat2, input)
                found = matrices(mat1, mat2)
                return np.add(found, input, found)
            except ValueError:
                pass  # worded by the body
    return ops.addmm.operation.body(input, mat1, mat2, beta=beta, alpha=alpha)


def _usual(input: Any, first: Any, second: Any, beta: Any, alpha: Any) -> bool:
    """Whether it is a plain sum of numbers of one dtype, float32 or float64."""
    d = input.dtype
    return (
        d in SINGLE_DOUBLE and first.dtype is d and second.dtype is d and beta == 1 and alpha == 1
    )


def _short_vector(input: Any, mat: Any, vec: Any, beta: Any, alpha: Any) -> Any:
    """addmv's kernel, as `_short`."""
    if _usual(input, mat, vec, beta, alpha) and mat.ndim == 2 and vec.ndim == 1:
        try:
            found = np.matmul(mat, vec)
            return np.add(found, input, found)
        except ValueError:
            pass  # worded by the body
    return ops.addmv.operation.body(input, mat, vec, beta=beta, alpha=alpha)


def _short_batches(input: Any, batch1: Any, batch2: Any, beta: Any, alpha: Any) -> Any:
    """baddbmm's kernel, as `_short`."""
    if _usual(input, batch1, batch2, beta, alpha) and batch1.ndim == 3 == batch2.ndim:
        try:
            found = batches(batch1, batch2)
            return np.add(found, input, found)
        except ValueError:
            pass  # worded by the body
    return ops.baddbmm.operation.body(input, batch1, batch2, beta=beta, alpha=alpha)


def _is_row(input: Any, mat1: Any, mat2: Any) -> bool:
    """Whether `input` is a row of 16-bit floats, which is added before the sums are rounded."""
    half = input.dtype.itemsize == 2 and input.dtype.kind in "fV"
    return half and input.shape == mat2.shape[1:] and mat1.shape[1] == mat2.shape[0]


SAME = "self and mat2 must have the same dtype"


@primitive(
    inplace=True,
    old_order=of_product,
    kernel=_short,
    vjp={
        "input": lambda g, beta: scaled(g, beta),
        "mat1": lambda g, mat2, alpha: scaled(times(g, mat2.mT), alpha),
        "mat2": lambda g, mat1, alpha: scaled(times(mat1.mT, g), alpha),
    },
)
def addmm(input, mat1, mat2, *, beta: Any = 1, alpha: Any = 1):
    """``beta * input + alpha * (mat1 @ mat2)``.

    Args:
        input: what is added; expands to the product's shape.
        beta: factor of `input`; 0 ignores it, nan and inf included.
        alpha: factor of the product.

    Shape: (n, m), (n, k), (k, m) -> (n, m).
    Raises:
        RuntimeError: sizes that do not fit, more than one dtype.
    """
    for name, a in (("mat1", mat1), ("mat2", mat2)):
        if a.ndim != 2:
            raise fail(RuntimeError, "addmm", f"{name} must be a matrix, got {a.ndim}-D tensor")
    check_matrices("addmm", mat1, mat2)
    check_types("addmm", "addmm_impl_cpu_", SAME, input, mat1, mat2)
    return _whole("addmm", input, mat1, mat2, beta, alpha)


@primitive(
    inplace=True,
    kernel=_short_vector,
    old_order=of_product,
    vjp={
        "input": lambda g, beta: scaled(g, beta),
        "mat": lambda g, vec, alpha: scaled(outward(g, vec), alpha),
        "vec": lambda g, mat, alpha: scaled(mat.mT @ g, alpha),
    },
)
def addmv(input, mat, vec, *, beta: Any = 1, alpha: Any = 1):
    """``beta * input + alpha * (mat @ vec)``.

    Shape: (n,), (n, m), (m,) -> (n,).
    Raises:
        RuntimeError: sizes that do not fit, more than one dtype.
    """
    if input.ndim > 1:
        raise fail(
            RuntimeError,
            "addmv",
            f"vector + matrix @ vector expected, got {input.ndim}, {mat.ndim}, {vec.ndim}",
        )
    check_vector("addmv", mat, vec, input.ndim)
    check_types(
        "addmv", "addmv_impl_cpu", "addmv input tensors must have the same dtype", input, mat, vec
    )
    return _whole("addmv", input, mat, vec, beta, alpha)


@primitive(
    inplace=True,
    kernel=_short_batches,
    old_order=of_product,
    vjp={
        "input": lambda g, beta: scaled(g, beta),
        "batch1": lambda g, batch2, alpha: scaled(times(g, batch2.mT), alpha),
        "batch2": lambda g, batch1, alpha: scaled(times(batch1.mT, g), alpha),
    },
)
def baddbmm(input, batch1, batch2, *, beta: Any = 1, alpha: Any = 1):
    """``beta * input[i] + alpha * (batch1[i] @ batch2[i])`` for every i.

    Shape: (b, n, m), (b, n, k), (b, k, m) -> (b, n, m).
    Raises:
        RuntimeError: sizes that do not fit, more than one dtype.
    """
    check_batches("baddbmm", batch1, batch2)
    check_types("baddbmm", "baddbmm", "Input dtypes must be the same", input, batch1, batch2)
    return _whole("baddbmm", input, batch1, batch2, beta, alpha)


@primitive(
    old_order=of_product,
    inplace=False,
    vjp={
        "input": lambda g, beta: scaled(g, beta),
        "batch1": lambda g, batch2, alpha: scaled(times(g, batch2.mT), alpha),
        "batch2": lambda g, batch1, alpha: scaled(times(batch1.mT, g), alpha),
    },
)
def addbmm(input, batch1, batch2, *, beta: Any = 1, alpha: Any = 1):
    """``beta * input + alpha * sum over i of (batch1[i] @ batch2[i])``.

    Shape: (n, m), (b, n, k), (b, k, m) -> (n, m).
    Raises:
        RuntimeError: sizes that do not fit, more than one dtype.
    """
    check_batches("addbmm", batch1, batch2)
    check_types(
        "addbmm", "addbmm_impl_cpu_", "Input dtypes must be the same", input, batch1, batch2
    )
    return _whole("addbmm", input, batch1, batch2, beta, alpha, reduce=True)


@composite(method=True, function=False)
def addbmm_(
    input: Tensor, batch1: Any, batch2: Any, *old: Any, beta: Any = 1, alpha: Any = 1
) -> Tensor:
    """`addbmm` in place; a tensor that expands to the sum is resized to it, as PyTorch does."""
    factors = {} if old else {"beta": beta, "alpha": alpha}
    found = ops.addbmm(input, batch1, batch2, *old, **factors)
    check_inplace("addbmm_", input, found._edge is not None)
    if input._array.shape != found._array.shape:
        token = state.switch_grad(False)
        input.resize_(found.shape)  # type: ignore[attr-defined]
        state.restore(token)
    write_result("addbmm_", input, found)
    return input


@primitive(
    inplace=True,
    old_order=of_product,
    promote=("input", "vec1", "vec2"),
    vjp={
        "input": lambda g, beta: scaled(g, beta),
        "vec1": lambda g, vec2, alpha: scaled(g @ vec2, alpha),
        "vec2": lambda g, vec1, alpha: scaled(g.mT @ vec1, alpha),
    },
)
def addr(input, vec1, vec2, *, beta: Any = 1, alpha: Any = 1):
    """``beta * input + alpha * outer(vec1, vec2)``; for bools ``or`` and ``and``.

    Shape: (n, m), (n,), (m,) -> (n, m).
    Raises:
        RuntimeError: vectors that are none, an `input` that does not expand.
    """
    for name, v in (("vec1", vec1), ("vec2", vec2)):
        if v.ndim != 1:
            raise fail(
                RuntimeError, "addr", f"addr: Expected 1-D argument {name}, but got {v.ndim}-D"
            )
    if type(input) is nd and input.dtype.kind == "b":
        found = np.logical_and.outer(vec1, vec2) & bool(alpha)
        return found | input if beta else found
    if type(input) is not nd:
        return _sum(
            "addr", input, Abstract((vec1.shape[0], vec2.shape[0]), input.dtype), beta, alpha
        )
    for label, value in (("beta", beta), ("alpha", alpha)):
        if isinstance(value, bool):
            raise fail(RuntimeError, "addr", f"Boolean {label} only supported for Boolean results.")
        if input.dtype.kind in "iu" and not isinstance(value, int):
            raise fail(
                RuntimeError,
                "addr",
                f"For integral input tensors, argument {label} must not be a floating point "
                "number.",
            )
    left = vec1 if alpha == 1 else vec1 * vec1.dtype.type(alpha)
    return _sum(
        "addr",
        input,
        np.multiply.outer(left, vec2),
        beta if beta in (0, 1) else input.dtype.type(beta),
        1,
    )
