"""Gradients through sparse tensors: sparse or dense as PyTorch gives them, and gradients of
gradients.
"""

import numpy as np
import pytest

import flambeau as torch
from flambeau.autograd import gradcheck, gradgradcheck

I = torch.tensor([[0, 1, 1, 0], [2, 0, 2, 2]])
SHAPE = (2, 3)
D = torch.tensor(np.random.default_rng(0).standard_normal((3, 4)))
E = torch.tensor(np.random.default_rng(1).standard_normal((2, 3)))


def values():
    return torch.tensor([3.0, 4.0, 5.0, 0.5], dtype=torch.float64, requires_grad=True)


def build(v, layout="coo"):
    x = torch.sparse_coo_tensor(I, v, SHAPE)
    return x if layout == "coo" else x.to_sparse(layout=getattr(torch, f"sparse_{layout}"))


FUNCTIONS = {
    "to_dense": lambda x: x.to_dense() * E,
    "mm": lambda x: torch.mm(x, D),
    "sparse.mm": lambda x: torch.sparse.mm(x, D),
    "mul": lambda x: (x * x).to_dense(),
    "mul_dense": lambda x: (x * E).to_dense(),
    "add": lambda x: (x + 2 * x).to_dense(),
    "add_dense": lambda x: E + x,
    "sin": lambda x: x.sin().to_dense(),
    "square": lambda x: (x**2).to_dense(),
    "t": lambda x: x.t().to_dense(),
    "select": lambda x: x[1].to_dense(),
    "sum": lambda x: x.sum(),
    "sparse.mm sparse": lambda x: torch.sparse.mm(x, x.t()).to_dense(),
    "csr": lambda x: torch.sparse.mm(x.to_sparse_csr(), D),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_first_and_second(name):
    function = FUNCTIONS[name]
    assert gradcheck(lambda v: function(build(v)), (values(),))
    assert gradgradcheck(lambda v: function(build(v)), (values(),))


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "sum0"])
def test_reductions(name):
    def function(v):
        x = build(v)
        found = torch.sparse.sum(x, 0) if name == "sum0" else getattr(torch.sparse, name)(x, 1)
        return found.to_dense()

    assert gradcheck(function, (values(),))


@pytest.mark.parametrize("layout", ["coo", "csr"])
def test_layout_of_the_gradient(layout):
    for function, wanted in (
        (torch.mm, torch.strided),
        (torch.sparse.mm, getattr(torch, f"sparse_{layout}")),
    ):
        x = build(values().detach(), layout).requires_grad_()
        d = D.clone().requires_grad_()
        function(x, d).sum().backward()
        assert x.grad.layout is wanted and d.grad.layout is torch.strided
        kept = (x.detach().to_dense() != 0).double()
        full = torch.ones(2, 4).double() @ D.t()
        assert torch.allclose(
            x.grad.to_dense(), full * kept if wanted is not torch.strided else full
        )


def test_sampled_addmm():
    a, b = D[:2].clone().requires_grad_(), D.t().clone().requires_grad_()
    pattern = build(values().detach()).coalesce()
    assert gradcheck(lambda a, b: torch.sparse.sampled_addmm(pattern, a, b).to_dense(), (a, b))


def test_leaf_of_its_own_and_accumulation():
    x = build(values().detach()).coalesce().requires_grad_()
    x.to_dense().sum().backward()
    (x * 2).to_dense().sum().backward()
    assert x.grad.is_sparse and x.grad.coalesce().values().tolist() == [3.0, 3.0, 3.0]


def test_embedding_rows():
    e = torch.nn.Embedding(5, 2, sparse=True, padding_idx=0)
    (e(torch.tensor([[1, 1], [0, 4]])).sum() + e(torch.tensor([1])).sum()).backward()
    assert e.weight.grad.is_sparse and e.weight.grad.to_dense()[:, 0].tolist() == [0, 3, 0, 0, 1]
    before = e.weight.detach().clone()
    torch.optim.SGD(e.parameters(), lr=1.0).step()
    assert torch.allclose(e.weight.detach(), before - e.weight.grad.to_dense())
    (e.weight * 2).sum().backward()
    assert e.weight.grad.layout is torch.strided


def test_bags_of_rows():
    bag = torch.nn.EmbeddingBag(5, 2, mode="mean", sparse=True)
    bag(torch.tensor([[0, 1], [1, 3]])).sum().backward()
    assert bag.weight.grad.is_sparse and bag.weight.grad.to_dense()[:, 0].tolist() == [
        0.5,
        1,
        0,
        0.5,
        0,
    ]


def test_sparse_mask():
    mask = build(values().detach()).coalesce()
    e = E.clone().requires_grad_()
    found = e.sparse_mask(mask)
    torch.sparse.sum(found).backward()
    assert e.grad.layout is torch.strided and e.grad.tolist() == [[0, 0, 1], [1, 0, 1]]


def test_a_written_input_is_noticed():
    v = values()
    x = build(v * 1)
    y = torch.sparse.mm(x, D.clone().requires_grad_())
    with torch.no_grad():
        x.mul_(2)
    with pytest.raises(RuntimeError, match="inplace"):
        y.sum().backward()
