"""Dtypes that a kernel does not take: refused by type as PyTorch does, and taken where no element is
computed, for then PyTorch never reaches the kernel.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

import flambeau

KINDS = ("bool", "int64", "complex64", "bfloat16", "float16")
CALLS: dict[str, Any] = {
    "adaptive_avg_pool1d of none": lambda t, z: t.nn.functional.adaptive_avg_pool1d(z(0, 2, 8), 5),
    "adaptive_avg_pool1d": lambda t, z: t.nn.functional.adaptive_avg_pool1d(z(1, 2, 8), 5),
    "adaptive_max_pool1d of none": lambda t, z: t.nn.functional.adaptive_max_pool1d(z(0, 2, 8), 5),
    "bernoulli of none": lambda t, z: t.bernoulli(z(0, 3)),
    "bernoulli_ of none": lambda t, z: z(0).bernoulli_(z(0)),
    "bilinear of none": lambda t, z: t.nn.functional.bilinear(z(0, 3), z(0, 4), z(5, 3, 4), z(5)),
    "cholesky of none": lambda t, z: t.linalg.cholesky(z(0, 3, 3)),
    "cholesky": lambda t, z: t.linalg.cholesky(z(3, 3)),
    "cummax of a scalar": lambda t, z: t.cummax(z(), 0),
    "cummax of none": lambda t, z: t.cummax(z(0, 3), 1),
    "cummax": lambda t, z: t.cummax(z(3), 0),
    "cummin of none": lambda t, z: t.cummin(z(0), 0),
    "cumprod in that dtype": lambda t, z: t.cumprod(z(5), 0, dtype=z(1).dtype),
    "cumsum in that dtype": lambda t, z: t.cumsum(z(5), 0, dtype=z(1).dtype),
    "cumsum": lambda t, z: t.cumsum(z(5), 0),
    "eigh of none": lambda t, z: t.linalg.eigh(z(0, 3, 3)),
    "geometric_ of none": lambda t, z: z(0).geometric_(0.5),
    "histogram by edges": lambda t, z: t.histogram(z(3), z(2)),
    "histogram of a range": lambda t, z: t.histogram(z(3), 4, range=(0.0, 1.0)),
    "histogram": lambda t, z: t.histogram(z(3), 4),
    "histogramdd by edges": lambda t, z: t.histogramdd(z(5, 2), [z(2), z(2)]),
    "histogramdd": lambda t, z: t.histogramdd(z(5, 2), [2, 2]),
    "ldl_factor of none": lambda t, z: t.linalg.ldl_factor(z(0, 0)),
    "linear of none": lambda t, z: t.nn.functional.linear(z(0, 3), z(4, 3), z(4)),
    "linear": lambda t, z: t.nn.functional.linear(z(2, 3), z(4, 3), z(4)),
    "log_normal_ of none": lambda t, z: z(0).log_normal_(),
    "lu of no columns": lambda t, z: t.linalg.lu(z(5, 0)),
    "lu of none": lambda t, z: t.linalg.lu(z(0, 3, 3)),
    "lu_factor": lambda t, z: t.linalg.lu_factor(z(3, 3)),
    "lu_factor of none": lambda t, z: t.linalg.lu_factor(z(0, 3, 3)),
    "masked.cumsum": lambda t, z: t.masked.cumsum(z(5), 0),
    "max_pool1d": lambda t, z: t.nn.functional.max_pool1d(z(1, 2, 3), 3),
    "max_pool1d with places": lambda t, z: t.nn.functional.max_pool1d(
        z(1, 2, 3), 3, return_indices=True
    ),
    "normal_ of none": lambda t, z: z(0).normal_(),
    "pdist of no columns": lambda t, z: t.nn.functional.pdist(z(3, 0)),
    "pdist of one row": lambda t, z: t.nn.functional.pdist(z(1, 2)),
    "pdist": lambda t, z: t.nn.functional.pdist(z(3, 2)),
    "polar": lambda t, z: t.polar(z(2), z(2)),
    "rand of none": lambda t, z: t.rand(0, dtype=z(1).dtype),
    "randn of none": lambda t, z: t.randn(0, dtype=z(1).dtype),
    "round": lambda t, z: t.round(z(2)),
    "round to 0 places": lambda t, z: t.round(z(2), decimals=0),
    "solve": lambda t, z: t.linalg.solve(z(2, 2), z(2)),
    "sparse.mm with a reduction": lambda t, z: t.sparse.mm(
        (z(3, 3) + t.eye(3).to(z(1).dtype)).to_sparse_csr(), z(3, 2), "sum"
    ),
    "svd of none": lambda t, z: t.linalg.svd(z(2, 0)),
}


def outcome(torch: Any, call: Any, kind: str) -> Any:
    """Dtype, shape and values of each result; or the exception's type."""

    def zeros(*shape: int) -> Any:
        return torch.zeros(shape, dtype=getattr(torch, kind))

    def told(made: Any) -> Any:
        if isinstance(made, (tuple, list)):
            return [told(each) for each in made]
        dense = made.to_dense() if made.layout != torch.strided else made
        return str(made.dtype), tuple(made.shape), dense.tolist()

    try:
        return told(call(torch, zeros))
    except Exception as error:
        return type(error).__name__


@pytest.mark.filterwarnings("ignore:Sparse")
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", KINDS)
def test_refused_or_nothing_to_compute(oracle: ModuleType, kind: str, call: str) -> None:
    assert outcome(flambeau, CALLS[call], kind) == outcome(oracle, CALLS[call], kind)
