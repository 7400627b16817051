"""Gather and scatter, sparse products, sorting."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.workloads.workload import Workload, tensor

FLOAT = 4  # bytes
ROWS, WIDTH = 100_000, 64


def indices(torch: Any, count: int, limit: int) -> Any:
    """int64, with repetitions."""
    return torch.from_numpy(np.random.default_rng(5).integers(0, limit, count)).clone()


def gather(torch: Any) -> Any:
    """Rows by index, as an embedding does, by gather itself."""
    x, index = tensor(torch, ROWS, WIDTH), indices(torch, ROWS, ROWS)
    index = index[:, None].expand(ROWS, WIDTH)
    return lambda: x.gather(0, index)[:3, :5]


def index_add(torch: Any) -> Any:
    """Rows added by index, as an embedding's gradient is."""
    x, index = tensor(torch, ROWS, WIDTH), indices(torch, ROWS, ROWS)
    out = torch.zeros(ROWS, WIDTH)

    def once() -> Any:
        out.zero_()
        return out.index_add_(0, index, x)[:3, :5]

    return once


def sparse_product(torch: Any) -> Any:
    """COO times dense, with the gradients of both."""
    rng = np.random.default_rng(3)
    where = torch.from_numpy(rng.integers(0, 5000, (2, 60_000)))
    sparse = torch.sparse_coo_tensor(where, tensor(torch, 60_000), (5000, 5000)).coalesce()
    sparse.requires_grad_()
    dense = tensor(torch, 5000, 64, seed=1, grad=True)

    def once() -> Any:
        sparse.grad = dense.grad = None
        y = torch.sparse.mm(sparse, dense)
        y.sum().backward()
        return [y.detach()[:3, :5], dense.grad[:3, :5]]

    return once


def sort(torch: Any) -> Any:
    """Rows of 2000, values and indices."""
    x = tensor(torch, 1000, 2000)

    def once() -> Any:
        values, where = x.sort(dim=1)
        return [values[:3, :5], where[:3, :5]]

    return once


def topk(torch: Any) -> Any:
    """The 50 largest of rows of 2000."""
    x = tensor(torch, 1000, 2000)

    def once() -> Any:
        values, where = x.topk(50, dim=1)
        return [values[:3, :5], where[:3, :5]]

    return once


def table() -> list[Workload]:
    """The lines of this file."""
    block = FLOAT * ROWS * WIDTH
    return [
        Workload("indexing", "gather 100000 rows of 64", gather, 1.0, moved=2 * block),
        Workload("indexing", "index_add 100000 rows of 64", index_add, 1.0, moved=4 * block),
        Workload("indexing", "COO 5000x5000, 60000 entries, with gradients", sparse_product, 1.0),
        Workload("indexing", "sort (1000, 2000)", sort, 1.0),
        Workload("indexing", "topk 50 of (1000, 2000)", topk, 1.0),
    ]  # fmt: skip
