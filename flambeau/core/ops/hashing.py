"""hash_tensor: a checksum of a tensor's elements. Stands on declare and dims."""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core import dtypes
from flambeau.core.declare import composite, ops, primitive
from flambeau.core.dims import wrap_dims
from flambeau.core.errors import fail
from flambeau.core.folds import fold_xor
from flambeau.core.ops.reduce import folded
from flambeau.core.output import write_one
from flambeau.core.tensor import Tensor

__all__: list[str] = []


@primitive(
    function=False,
    method=False,
    infer=lambda bits, axes, keepdim: (folded(bits, axes, keepdim)[0], np.dtype(np.uint64)),
)
def _exclusive(bits, axes: Any, keepdim: bool):
    """The bits of all elements along ``axes``, joined by exclusive or."""
    found = fold_xor(bits.view(np.uint64), axis=axes, keepdims=keepdim)
    return np.asarray(found)


@composite(method=True, numpy=True)
def hash_tensor(
    input: Tensor, dim: Any = None, *, keepdim: bool = False, mode: int = 0, out: Any = None
) -> Tensor:
    """A checksum: the elements' 64-bit patterns (float64 or int64), joined by exclusive or.

    Args:
        dim: the dimensions to reduce; None or an empty tuple for all.
        mode: 0, the exclusive or, is the only one.

    Raises:
        RuntimeError: another mode, or all of an empty tensor.
        IndexError: a dimension without elements.
        NotImplementedError: complex or wide unsigned input.
    """
    if mode != 0:
        raise fail(RuntimeError, "hash_tensor", f"Unknown hash_tensor mode: {mode}. Use mode=0.")
    if input.is_complex() or input.dtype in (dtypes.uint16, dtypes.uint32, dtypes.uint64):
        raise fail(
            NotImplementedError,
            "hash_tensor",
            f"not implemented for {input.dtype}. Hash another view of it: "
            "input.view(torch.uint8), or torch.view_as_real(input) of complex numbers.",
        )
    axes = wrap_dims(dim, input.dim(), "hash_tensor")
    if not input.numel() and (dim is None or (not isinstance(dim, int) and not len(dim))):
        raise fail(
            RuntimeError,
            "hash_tensor",
            "Expected reduction dim to be specified for input.numel() == 0. Specify the reduction "
            "dim with the 'dim' argument.",
        )
    for k in axes if input.dim() else ():
        if not input.shape[k]:
            raise fail(
                IndexError, "hash_tensor", f"Expected reduction dim {k} to have non-zero size."
            )
    wide = dtypes.float64 if input.is_floating_point() else dtypes.int64
    found = ops._exclusive(input.detach().to(wide), axes, keepdim)
    return found if out is None else write_one("hash_tensor", found, out)
