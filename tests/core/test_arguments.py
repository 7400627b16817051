"""Arguments in other forms than Python's numbers, and those that PyTorch refuses."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau

NUMPYS = (
    "x.mean(np.int64(0))", "x.std(np.int64(0))", "x.var(dim=np.int32(0))", "x.nanmean(np.int64(0))",
    "x.mean(t.tensor(0))", "x.std(dim=t.tensor(0))", "t.var_mean(x, t.tensor(0))",
    "x.sum(np.int64(0))", "x.all(np.int64(0)).long()", "t.linalg.norm(x, dim=np.int64(0))",
    "x.logsumexp(np.int64(0))", "x.mean((np.int64(0), np.int64(1)))", "x.topk(1, dim=0)",
    "x.topk(np.int64(1), np.int64(1))", "x.narrow(np.int64(0), np.int64(0), np.int64(1))",
    "t.trapz(x, axis=0)", "t.trapezoid(x, axis=-1)", "t.cumulative_trapezoid(x, axis=1)",
    "t.searchsorted(x[0, 0], x[0, :, :1].double())", "t.bucketize(x.double(), x[0, 0])",
    "t.searchsorted(t.tensor([1, 3, 5]), t.tensor([0.5, 3.5]))",
    "(x.requires_grad_().mean(np.int64(0)).sum().backward(), x.grad)[1]",
    "(x.requires_grad_().std(np.int64(0)).sum().backward(), x.grad)[1]",
)  # fmt: skip
REFUSED = (
    "t.hstack(x)", "t.vstack(x)", "t.dstack(x)", "t.column_stack(x)", "x.aminmax(dim=(0, 1))",
    "x.logsumexp(None)", "x.nanmean(0, dtype=t.int32)", "t.unique(x.sum(), dim=0)",
    "t.unique_consecutive(x.sum(), dim=0)", "t.cross(2, x)", "t.outer(x[0, 0], 2)", "t.inner(x, 2)",
    "t.cdist(x, None)", "t.pairwise_distance(x, 2)", "t.cosine_similarity(x, 1.5)", "t.dist(x, 2)",
    "t.equal(x, 2)", "t.bucketize(x, 2)", "t.searchsorted(2, x)",
)  # fmt: skip


def outcome(t, code):
    names = {"t": t, "np": np, "x": t.arange(24.0).reshape(2, 3, 4) / 7 - 1}
    try:
        found = eval(code, names)
    except Exception as problem:
        return type(problem)
    parts = found if isinstance(found, tuple) else (found,)
    return [(x.stride(), np.round(x.detach().tolist(), 5).tolist()) for x in parts]


@pytest.mark.parametrize("code", NUMPYS + REFUSED)
def test_as_in_pytorch(code, oracle):
    assert outcome(flambeau, code) == outcome(oracle, code)
