"""einsum in all its forms, tensordot, kron, inner, outer."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau as torch
from flambeau.autograd import gradcheck

rng = np.random.default_rng(0)


@pytest.mark.parametrize(
    "equation, shapes",
    [
        ("ij,jk->ik", ((2, 3), (3, 4))), ("ij,jk", ((2, 3), (3, 4))), ("ii->i", ((3, 3),)), ("ii", ((3, 3),)),
        ("bij,bjk->bik", ((2, 3, 4), (2, 4, 5))), ("...ij,...jk->...ik", ((2, 1, 3, 4), (5, 4, 2))), ("ij->ji", ((2, 3),)),
        ("i,j->ij", ((2,), (3,))), ("ij,ij->", ((2, 3), (2, 3))), ("bn,anm,bm->ba", ((2, 5), (3, 5, 4), (2, 4))),
        ("a...b->b...", ((2, 3, 4),)), ("ijk->", ((2, 3, 4),)), ("i...,i...->...", ((2, 3), (2, 3))),
    ],
)  # fmt: skip
def test_einsum_is_numpys(equation, shapes):
    arrays = [rng.standard_normal(s) for s in shapes]
    tensors = [torch.tensor(a).requires_grad_() for a in arrays]
    assert np.allclose(
        torch.einsum(equation, *tensors).detach().numpy(), np.einsum(equation, *arrays)
    )
    assert gradcheck(lambda *t: torch.einsum(equation, *t), tensors)


def test_sublists():
    a, b = torch.ones(2, 3), torch.ones(3, 4)
    assert torch.einsum(a, [0, 1], b, [1, 2], [0, 2]).tolist() == (a @ b).tolist()
    assert torch.einsum(a, [..., 1], [1]).tolist() == [2, 2, 2]


@pytest.mark.parametrize(
    "call, words",
    [
        (
            lambda: torch.einsum("ij,jk", torch.ones(2, 3), torch.ones(4, 5)),
            "does not broadcast with previously seen size 3",
        ),
        (
            lambda: torch.einsum("ij", torch.ones(2, 3), torch.ones(2)),
            "more operands were provided",
        ),
        (lambda: torch.einsum("ij->k", torch.ones(2, 3)), "output subscript k does not appear"),
        (
            lambda: torch.einsum("ijk", torch.ones(2, 3)),
            "number of subscripts in the equation \\(3\\)",
        ),
        (
            lambda: torch.tensordot(torch.ones(2, 3), torch.ones(4, 5), 1),
            "contracted dimensions need to match",
        ),
        (lambda: torch.inner(torch.ones(2, 3), torch.ones(2)), "last dimension must match"),
        (lambda: torch.outer(torch.ones(2, 2), torch.ones(2)), "Expected 1-D argument self"),
    ],
)
def test_errors(call, words):
    with pytest.raises(RuntimeError, match=words):
        call()


def test_made_of_products():
    a, b = rng.standard_normal((2, 3)), rng.standard_normal((3, 2))
    x, y = torch.tensor(a), torch.tensor(b)
    assert np.allclose(torch.kron(x, y).numpy(), np.kron(a, b))
    assert np.allclose(torch.tensordot(x, y, ([0], [1])).numpy(), np.tensordot(a, b, ([0], [1])))
    assert np.allclose(torch.inner(x, x).numpy(), np.inner(a, a))
    assert torch.outer(torch.ones(2), torch.ones(3)).shape == (2, 3)


@pytest.mark.parametrize("dtype", ["int32", "uint8", "int16"])
def test_tensordot_keeps_small_integers(dtype, oracle):
    found = []
    for engine in (torch, oracle):
        a = engine.arange(4, dtype=getattr(engine, dtype)).reshape(2, 1, 2)
        b = engine.ones(1, 1, 1, dtype=getattr(engine, dtype))
        made = engine.tensordot(b, a, dims=((0, 1), (2, 0)))
        found.append((str(made.dtype), made.tolist()))
    assert found[0] == found[1]


def test_pairs_that_are_one_product(oracle):
    import itertools

    import numpy as np

    rng = np.random.default_rng(0)
    sizes = {"b": 2, "i": 3, "j": 4, "k": 5}
    for first, second in (("bij", "bjk"), ("ij", "jk"), ("ij", "j"), ("i", "j"), ("bi", "bi"),
                          ("j", "jk"), ("bij", "jk"), ("i", "i"), ("bij", "bkj")):  # fmt: skip
        both = sorted({*first, *second})
        for count in range(len(both) + 1):
            for output in itertools.permutations(both, count):
                given = [rng.standard_normal([sizes[n] for n in t]) for t in (first, second)]
                equation = f"{first},{second}->{''.join(output)}"
                found = []
                for engine in (torch, oracle):
                    x, y = (engine.tensor(g.tolist(), requires_grad=True) for g in given)
                    made = engine.einsum(equation, x, y)
                    made.sum().backward()
                    found.append((made, x.grad, y.grad))
                for ours, theirs in zip(*found, strict=True):
                    assert ours.shape == theirs.shape
                    assert np.allclose(ours.tolist(), theirs.tolist(), atol=1e-5), equation
    x, y = torch.ones(1, 4), torch.ones(3, 4)
    assert torch.einsum("ij,ij->i", x, y).tolist() == [4, 4, 4]  # a size of 1 broadcasts


@pytest.mark.parametrize(
    "equation",
    ["ij,jk->ki", "ij,jk->ik", "ij,kj->ki", "i,j->ji", "ijk,i->kj", "bij,bjk->kbi", "ij,j->i",
     "ijk,k->ji", "ij,ij->ji"],
)  # fmt: skip
def test_results_lie_in_memory_as_pytorchs(oracle, equation):
    sizes = {"b": 2, "i": 3, "j": 4, "k": 5}
    terms = equation.partition("->")[0].split(",")
    found = []
    for t in (torch, oracle):
        operands = [t.ones([sizes[label] for label in term]) for term in terms]
        results = [t.einsum(equation, *operands)]
        results.append(t.einsum(equation, *[x.requires_grad_() for x in operands]))
        found.append([tuple(x.stride()) for x in results])
    assert found[0] == found[1]
