"""``torch.sparse``: coordinate and compressed tensors, their products, sums and softmax, with
sparse gradients.

`data` holds the layouts, `kernels`, `convert` and `shape` work on arrays, `basis` adds gradients,
`pointwise` and
`general` answer core's operations, `build`, `access` and `exchange` are what users call. Loaded at
the first sparse
tensor. Stands on core.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from flambeau.sparse.diagonals import spdiags
from flambeau.sparse.exchange import from_scipy, to_scipy
from flambeau.sparse.invariants import check_sparse_tensor_invariants
from flambeau.sparse.legacy import TYPES as _TYPES
from flambeau.sparse.products import addmm, mm, sampled_addmm, spmm
from flambeau.sparse.reductions import log_softmax, softmax, sum

__all__ = [
    "addmm",
    "as_sparse_gradcheck",
    "check_sparse_tensor_invariants",
    "from_scipy",
    "log_softmax",
    "mm",
    "sampled_addmm",
    "softmax",
    "spdiags",
    "spmm",
    "sum",
    "to_scipy",
]

globals().update(_TYPES)


def as_sparse_gradcheck(gradcheck: Callable[..., bool]) -> Callable[..., bool]:
    """A gradcheck that also takes sparse inputs: it differentiates with respect to their values."""
    from flambeau.sparse.checking import wrapped

    return functools.wraps(gradcheck)(wrapped(gradcheck))
