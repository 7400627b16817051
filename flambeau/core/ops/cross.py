"""cross: vector products along a dimension of size 3. Stands on declare."""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.declare import composite, ops, primitive
from flambeau.core.dims import wrap_dim
from flambeau.core.errors import fail
from flambeau.core.ops.windowing import require_tensor
from flambeau.core.taken import refuse_dtype
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
    refuse_dtype("linalg.cross", input.dtype, "fciu")
    a, b = (input, other) if input.shape == other.shape else np.broadcast_arrays(input, other)
    found = np.empty_like(input, shape=a.shape)
    a, b, view = a.swapaxes(dim, 0), b.swapaxes(dim, 0), found.swapaxes(dim, 0)
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        np.multiply(a[j], b[k], view[i, ...])
        view[i] -= a[k] * b[j]
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
    require_tensor("cross", "input", input)
    require_tensor("cross", "other", other)
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
