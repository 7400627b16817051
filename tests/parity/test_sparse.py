"""Sparse tensors against PyTorch: values, layouts of results and of gradients, printed text."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import flambeau

I = [[0, 1, 1, 0], [2, 0, 2, 2]]
V = [3.0, 4.0, 5.0, 0.5]
D = np.random.default_rng(0).standard_normal((3, 4)).astype("f4")
E = np.random.default_rng(1).standard_normal((2, 3)).astype("f4")

FORWARD = {
    "repr": lambda t, x, d, e: x,
    "coalesce": lambda t, x, d, e: x.coalesce(),
    "csr": lambda t, x, d, e: x.to_sparse_csr(),
    "csc": lambda t, x, d, e: x.to_sparse_csc(),
    "bsr": lambda t, x, d, e: x.to_dense().repeat(2, 2).to_sparse_bsr((2, 3)),
    "bsc": lambda t, x, d, e: x.to_dense().repeat(2, 2).to_sparse_bsc((2, 3)),
    "t": lambda t, x, d, e: x.t(),
    "csr t": lambda t, x, d, e: x.to_sparse_csr().t(),
    "mul": lambda t, x, d, e: x * e,
    "mul sparse": lambda t, x, d, e: (x * x.coalesce()).coalesce(),
    "add": lambda t, x, d, e: x.coalesce() + x.coalesce() * 2,
    "dense add": lambda t, x, d, e: e + x,
    "div": lambda t, x, d, e: x / 4,
    "neg": lambda t, x, d, e: -x,
    "sin": lambda t, x, d, e: x.sin(),
    "mm": lambda t, x, d, e: x @ d,
    "mm sparse": lambda t, x, d, e: t.sparse.mm(x, x.t()).coalesce(),
    "sum": lambda t, x, d, e: t.sparse.sum(x, 0),
    "softmax": lambda t, x, d, e: t.sparse.softmax(x, 0),
    "select": lambda t, x, d, e: x[1],
    "index_select": lambda t, x, d, e: x.coalesce().index_select(1, t.tensor([2, 0])),
    "sparse_mask": lambda t, x, d, e: e.sparse_mask(x.coalesce()),
    "hybrid": lambda t, x, d, e: e.to_sparse(1),
    "empty": lambda t, x, d, e: t.sparse_coo_tensor((2, 3)),
    "cat": lambda t, x, d, e: t.cat([x.coalesce(), x.coalesce()]),
    "bool": lambda t, x, d, e: x.bool(),
    "half": lambda t, x, d, e: x.half(),
    "zeros_like": lambda t, x, d, e: t.zeros_like(x),
    "csr ones_like": lambda t, x, d, e: t.ones_like(x.to_sparse_csr()),
    "sampled": lambda t, x, d, e: t.sparse.sampled_addmm(
        x.to_sparse_csr(), d[:2], d.t()[:, :3].contiguous()
    ),
    "spdiags": lambda t, x, d, e: t.sparse.spdiags(
        t.arange(9.0).reshape(3, 3), t.tensor([0, -1, 1]), (3, 3)
    ).coalesce(),
}

GRADIENTS = {
    "mm": lambda t, x, d, e: t.mm(x, d),
    "sparse.mm": lambda t, x, d, e: t.sparse.mm(x, d),
    "dense first": lambda t, x, d, e: d.t() @ x.t(),
    "addmm": lambda t, x, d, e: t.addmm(t.zeros(2, 4), x, d),
    "mv": lambda t, x, d, e: t.mv(x, d[:, 0]),
    "linear": lambda t, x, d, e: t.nn.functional.linear(d.t(), x),
    "to_dense": lambda t, x, d, e: x.to_dense() * e,
    "mul": lambda t, x, d, e: t.sparse.sum(x * e),
    "add": lambda t, x, d, e: e + x,
    "sub": lambda t, x, d, e: e - x,
    "sum": lambda t, x, d, e: x.sum(),
    "sparse.sum": lambda t, x, d, e: t.sparse.sum(x),
    "sum0": lambda t, x, d, e: t.sparse.sum(t.sparse.sum(x, 0)),
    "relu": lambda t, x, d, e: t.sparse.sum(x.relu()),
    "square": lambda t, x, d, e: t.sparse.sum(x**2),
    "values": lambda t, x, d, e: x.coalesce().values() ** 2,
    "log_softmax": lambda t, x, d, e: t.sparse.sum(t.sparse.log_softmax(x, 1)),
}


def given(torch, layout="coo"):
    x = torch.sparse_coo_tensor(torch.tensor(I), torch.tensor(V), (2, 3))
    return (
        (x if layout == "coo" else x.to_sparse_csr()),
        torch.from_numpy(D.copy()),
        torch.from_numpy(E.copy()),
    )


def text(value):
    return repr(value.detach() if value.requires_grad else value)


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("name", FORWARD)
def test_forward(oracle, name):
    mine, real = (FORWARD[name](t, *given(t)) for t in (flambeau, oracle))
    assert text(mine) == text(real)


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradient(oracle, name):
    found = []
    for torch in (flambeau, oracle):
        inputs = [x.requires_grad_() for x in given(torch)]
        out = GRADIENTS[name](torch, *inputs)
        out.sum().backward()
        found.append(
            [
                None if x.grad is None else (str(x.grad.layout), x.grad.to_dense().numpy())
                for x in inputs
            ]
        )
    for mine, real in zip(*found, strict=True):
        assert (mine is None) == (real is None)
        if mine is not None:
            assert mine[0] == real[0]
            np.testing.assert_allclose(mine[1], real[1], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["exp", "cos"])
def test_refusals(oracle, name):
    for torch in (flambeau, oracle):
        with pytest.raises(NotImplementedError):
            getattr(torch, name)(given(torch)[0])


def test_optimizers_with_sparse_gradients(oracle):
    for name in ("SGD", "SparseAdam", "Adagrad"):
        found = []
        for torch in (flambeau, oracle):
            torch.manual_seed(0)
            e = torch.nn.Embedding(6, 3, padding_idx=2, sparse=True)
            o = getattr(torch.optim, name)(e.parameters(), lr=0.1)
            for _ in range(3):
                o.zero_grad()
                (e(torch.tensor([[1, 2, 1], [0, 5, 2]])) ** 2).sum().backward()
                o.step()
            found.append(e.weight.detach().numpy())
        np.testing.assert_allclose(*found, rtol=1e-5, atol=1e-6)
