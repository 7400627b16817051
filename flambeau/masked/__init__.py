"""Reductions and normalizations that look past the elements a boolean mask rules out (True: the
element counts).

mask.py puts a mask into the input's shape and fills what it rules out; reduce.py and normalize.py
hold the operations. Stands on the public operations alone.
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

__all__ = [
    "amax",
    "amin",
    "argmax",
    "argmin",
    "cumprod",
    "cumsum",
    "log_softmax",
    "logaddexp",
    "logsumexp",
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
