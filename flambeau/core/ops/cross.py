"""cross and cdist: vector products, and distances of all rows to all rows. Stands on declare."""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.declare import composite, ops, primitive
from flambeau.core.dims import wrap_dim
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor

__all__: list[str] = []


def _cross_rule(sign: int) -> Any:
    if sign > 0:
        return lambda g, other, dim: ops._linalg_cross(other, g, dim)
    return lambda g, input, dim: ops._linalg_cross(g, input, dim)


@primitive(
    name="_linalg_cross",
    node="LinalgCross",
    method=False,
    function=False,
    out_apart=True,
    promote=("input", "other"),
    vjp={"input": _cross_rule(1), "other": _cross_rule(-1)},
    infer=lambda input, other, dim: (np.broadcast_shapes(input.shape, other.shape), input.dtype),
)
def _linalg_cross(input, other, dim: int):
    """The vector product along `dim`."""
    if input.shape[dim] != 3 or other.shape[dim] != 3:
        raise fail(
            RuntimeError,
            "linalg.cross",
            f"inputs dimension {dim} must have length 3. Got {input.shape[dim]} and "
            f"{other.shape[dim]}",
        )
    a, b = np.broadcast_arrays(input, other)
    a, b = np.moveaxis(a, dim, 0), np.moveaxis(b, dim, 0)
    found = np.empty_like(input, shape=np.broadcast_shapes(input.shape, other.shape))
    view = np.moveaxis(found, dim, 0)
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        view[i] = a[j] * b[k] - a[k] * b[j]
    return found


@composite(name="linalg_cross", function=False)
def linalg_cross(input: Tensor, other: Tensor, *, dim: int = -1, out: Any = None) -> Tensor:
    """The vector product along `dim`, whose size is 3."""
    if input.dim() != other.dim():
        raise fail(
            RuntimeError,
            "linalg.cross",
            f"inputs must have the same number of dimensions, but they have {input.dim()} and "
            f"{other.dim()}",
        )
    if input.dtype != other.dtype:
        raise fail(
            RuntimeError,
            "linalg.cross",
            f"expected both tensors to have one dtype, but got {input.dtype} and {other.dtype}: "
            "convert one of them.",
        )
    return ops._linalg_cross(input, other, wrap_dim(dim, input.dim()), out=out)


@composite(method=True, numpy=True)
def cross(input: Tensor, other: Tensor, dim: int | None = None, *, out: Any = None) -> Tensor:
    """The vector product along `dim`; by default the first dimension of size 3."""
    if dim is None:
        if input.dim() != other.dim():
            return linalg_cross(input, other, out=out)
        dim = next((k for k, n in enumerate(input.shape) if n == 3), None)
        if dim is None:
            raise fail(RuntimeError, "cross", "no dimension of size 3 in input")
        import warnings

        from flambeau.core.provenance import stack_level

        warnings.warn(
            "Using torch.cross without specifying the dim arg is deprecated.\nPlease either pass "
            "the dim explicitly or simply use "
            "torch.linalg.cross.\nThe default value of dim will change to agree with that of "
            "linalg.cross in a future release.",
            UserWarning,
            stacklevel=stack_level(),
        )
    return linalg_cross(input, other, dim=dim, out=out)


def _cdist_left(g: Any, x1: Any, x2: Any, out: Any, p: Any) -> Any:
    if p == 0:
        return ops.zeros_like(x1)
    weight = ops.where(out == 0, ops.zeros_like(out), g / out)
    return x1 * weight.sum(-1, keepdim=True) - weight @ x2


def _cdist_right(g: Any, x1: Any, x2: Any, out: Any, p: Any) -> Any:
    if p == 0:
        return ops.zeros_like(x2)
    weight = ops.where(out == 0, ops.zeros_like(out), g / out)
    return x2 * weight.sum(-2).unsqueeze(-1) - weight.mT @ x1


def _cdist_shape(x1: Any, x2: Any, *_: Any) -> Any:
    return (
        *np.broadcast_shapes(x1.shape[:-2], x2.shape[:-2]),
        x1.shape[-2],
        x2.shape[-2],
    ), x1.dtype


@primitive(
    name="_cdist",
    node="Cdist",
    method=False,
    function=False,
    vjp={"x1": _cdist_left, "x2": _cdist_right},
    infer=_cdist_shape,
)
def _cdist(x1, x2, p: float, by_product: bool):
    """Euclidean distances of all rows to all rows, or (p 0) how many of their places differ."""
    if p == 0 or not x1.shape[-1] or not by_product:
        difference = x1[..., :, None, :] - x2[..., None, :, :]
        if p == 0:
            return np.count_nonzero(difference, axis=-1).astype(x1.dtype)
        return np.sqrt(np.einsum("...k,...k->...", difference, difference))
    squares = [np.einsum("...k,...k->...", x, x)[..., None] for x in (x1, x2)]
    ones = [np.ones_like(square) for square in squares]
    left = np.concatenate((-2 * x1, squares[0], ones[0]), -1)
    right = np.concatenate((x2, ones[1], squares[1]), -1)
    return np.sqrt(np.maximum(left @ right.swapaxes(-1, -2), 0))


@composite()
def cdist(
    x1: Tensor,
    x2: Tensor,
    p: float = 2.0,
    compute_mode: str | None = "use_mm_for_euclid_dist_if_necessary",
) -> Tensor:
    """The p-norm distance of every row of x1 to every row of x2.

    Args:
        compute_mode: whether euclidean distances go through a product of matrices: when more than
            25 rows (the default), "use_mm_for_euclid_dist" or "donot_use_mm_for_euclid_dist".

    Shape: (*, p, m), (*, r, m) -> (*, p, r).
    """
    modes = {
        None: 0,
        "use_mm_for_euclid_dist_if_necessary": 0,
        "use_mm_for_euclid_dist": 1,
        "donot_use_mm_for_euclid_dist": 2,
    }
    if compute_mode not in modes:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    for label, x in (("X1", x1), ("X2", x2)):
        if x.dim() < 2:
            raise fail(
                RuntimeError,
                "cdist",
                f"cdist only supports at least 2D tensors, {label} got: {x.dim()}D",
            )
        if not x.is_floating_point():
            raise fail(
                RuntimeError,
                "cdist",
                f"cdist only supports floating-point dtypes, {label} got: {x.dtype}",
            )
    if x1.shape[-1] != x2.shape[-1]:
        raise fail(
            RuntimeError,
            "cdist",
            f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: "
            f"{x2.shape[-1]}",
        )
    if x1.dtype != x2.dtype:
        raise fail(
            RuntimeError,
            "cdist",
            f"expected both tensors to have one dtype, but got {x1.dtype} and {x2.dtype}: convert "
            "one of them.",
        )
    if p < 0:
        raise fail(RuntimeError, "cdist", "cdist only supports non-negative p values")
    mode = modes[compute_mode]
    if p in (0, 2):
        return ops._cdist(
            x1, x2, p, mode == 1 or (mode == 0 and max(x1.shape[-2], x2.shape[-2]) > 25)
        )
    if not x1.shape[-1]:
        return (x1.unsqueeze(-2) - x2.unsqueeze(-3)).sum(-1)
    return ops.linalg_vector_norm(x1.unsqueeze(-2) - x2.unsqueeze(-3), p, -1)
