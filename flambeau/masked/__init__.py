"""Reductions and normalizations that look past the elements a boolean mask rules out (True: the
element counts), and `MaskedTensor`, which carries such a mask along.

mask.py puts a mask into the input's shape and fills what it rules out; reduce.py and normalize.py
hold the operations, tensor.py the class. Stands on the public operations alone.
"""

from __future__ import annotations

from flambeau.masked.normalize import (
    cumprod,
    cumsum,
    log_softmax,
    logaddexp,
    normalize,
    softmax,
    softmin,
)
from flambeau.masked.reduce import (
    amax,
    amin,
    argmax,
    argmin,
    logsumexp,
    mean,
    median,
    norm,
    prod,
    std,
    sum,
    var,
)
from flambeau.masked.tensor import (
    MaskedTensor,
    as_masked_tensor,
    is_masked_tensor,
    masked_tensor,
)

__all__ = [
    "MaskedTensor",
    "amax",
    "amin",
    "argmax",
    "argmin",
    "as_masked_tensor",
    "cumprod",
    "cumsum",
    "log_softmax",
    "is_masked_tensor",
    "logaddexp",
    "logsumexp",
    "masked_tensor",
    "mean",
    "median",
    "norm",
    "normalize",
    "prod",
    "softmax",
    "softmin",
    "std",
    "sum",
    "var",
]
