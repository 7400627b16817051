"""Distances and similarities of vectors."""

import numpy as np
import pytest

import flambeau as torch
import flambeau.nn.functional as F
from flambeau.autograd import gradcheck, gradgradcheck


def test_pairs():
    x = torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]], dtype=torch.float64, requires_grad=True)
    np.testing.assert_allclose(F.pdist(x).detach().numpy(), [5, 1, np.sqrt(18)])
    for p in (1, 2, 3, float("inf")):
        y = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
        assert gradcheck(lambda t, p=p: F.pdist(t, p), (y,))
    assert gradgradcheck(F.pdist, (torch.randn(4, 3, dtype=torch.float64, requires_grad=True),))
    with pytest.raises(RuntimeError, match="2D"):
        F.pdist(torch.ones(3))


def test_rows():
    a, b = (torch.randn(3, 4, dtype=torch.float64, requires_grad=True) for _ in range(2))
    assert gradcheck(F.pairwise_distance, (a, b))
    assert gradcheck(F.cosine_similarity, (a, b))
    assert F.cosine_similarity(a, a).tolist() == pytest.approx([1, 1, 1])
    assert F.cosine_similarity(torch.zeros(1, 2), torch.ones(1, 2)).item() == 0


@pytest.mark.parametrize("p", [0, 1, 1.5, 2, 3, float("inf")])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_pdist_of_many_rows_and_its_gradient(p, dtype, oracle):
    x = np.random.default_rng(0).standard_normal((60, 5)).astype(dtype) + 100
    x[1] = x[0]
    found = []
    for library in (torch, oracle):
        rows = library.tensor(x, requires_grad=True)
        out = library.nn.functional.pdist(rows, p)
        out.backward(library.linspace(-1, 1, out.numel(), dtype=out.dtype))
        found.append((out.detach().numpy(), rows.grad.numpy()))
    scale = 1e-4 if dtype == "f4" else 1e-11
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, scale, scale * 10)


def test_pdist_of_one_row_has_no_gradient():
    x = torch.ones(1, 3, requires_grad=True)
    torch.nn.functional.pdist(x).sum().backward()
    assert x.grad.tolist() == [[0, 0, 0]]


@pytest.mark.parametrize("p", [0, 0.5, 1, 1.5, 2, 3, float("inf")])
@pytest.mark.parametrize(
    "shapes", [((3, 4), (5, 4)), ((2, 1, 30, 8), (3, 20, 8)), ((4, 0), (2, 0))]
)
def test_cdist_and_its_gradient(p, shapes, oracle):
    rng = np.random.default_rng(0)
    x, y = (rng.integers(-3, 4, shape).astype("f8") for shape in shapes)
    found = []
    for library in (torch, oracle):
        rows = [library.tensor(values, requires_grad=True) for values in (x, y)]
        out = library.cdist(*rows, p)
        out.backward(library.linspace(-1, 1, out.numel(), dtype=out.dtype).reshape(out.shape))
        found.append([out.detach().numpy(), *(row.grad.numpy() for row in rows)])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, 1e-6, 1e-6)


def test_cdist_far_from_the_origin_keeps_its_gradient(oracle):
    x = np.random.default_rng(0).standard_normal((30, 4)).astype("f4") + 1000
    found = []
    for library in (torch, oracle):
        rows = library.tensor(x, requires_grad=True)
        mode = "donot_use_mm_for_euclid_dist"
        library.cdist(rows, library.tensor(x[::-1].copy()), compute_mode=mode).sum().backward()
        found.append(rows.grad.numpy())
    np.testing.assert_allclose(*found, 1e-3, 1e-3)


def test_cdist_has_second_derivatives():
    x, y = (torch.randn(n, 3, dtype=torch.float64, requires_grad=True) for n in (3, 4))
    for p in (1.5, 2.0, 3.0):
        assert gradgradcheck(lambda a, b, p=p: torch.cdist(a, b, p), (x, y))
