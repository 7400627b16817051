"""Products of two sparse matrices: every layout, generated, by SciPy and by NumPy, and
their gradients."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau as torch
from flambeau.sparse import meeting

LAYOUTS = ("sparse_coo", "sparse_csr", "sparse_csc")


@pytest.fixture(params=["generated", "loops", "numpy"], autouse=True)
def _forms(request, monkeypatch):
    if request.param != "generated":
        monkeypatch.setattr(meeting.rows_met, "meet_rows", lambda *given: None)
    if request.param == "numpy":
        monkeypatch.setattr(meeting, "loops", None)
    elif meeting.loops is None:
        pytest.skip("SciPy is not installed")


def _random(n, m, seed, layout="sparse_coo"):
    rng = np.random.default_rng(seed)
    dense = rng.standard_normal((n, m)) * (rng.random((n, m)) < 0.3)
    dense[n // 2] = 0  # an empty row
    return torch.from_numpy(dense).to_sparse(layout=getattr(torch, layout))


@pytest.mark.parametrize("first", LAYOUTS)
@pytest.mark.parametrize("second", LAYOUTS)
def test_a_product_is_that_of_the_dense_matrices(first, second):
    a, b = _random(5, 7, 0, first), _random(7, 4, 1, second)
    found = torch.mm(a, b)
    assert found.layout is (torch.sparse_coo if first == "sparse_coo" else torch.sparse_csr)
    np.testing.assert_allclose(found.to_dense(), a.to_dense() @ b.to_dense(), atol=1e-12)
    rows = found.to_sparse_csr()
    for start, end in zip(rows.crow_indices(), rows.crow_indices()[1:], strict=False):
        columns = rows.col_indices()[start:end].tolist()
        assert columns == sorted(set(columns))


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support")
def test_a_sum_that_comes_to_zero_keeps_its_place(oracle):
    for engine in (torch, oracle):
        a = engine.tensor([[1.0, 1.0]]).to_sparse()
        b = engine.tensor([[1.0], [-1.0]]).to_sparse()
        assert engine.sparse.mm(a, b)._nnz() == 1


def test_nothing_times_something():
    empty = torch.sparse_coo_tensor((3, 4), dtype=torch.float64)
    assert torch.mm(empty, _random(4, 2, 0)).to_dense().tolist() == [[0.0, 0.0]] * 3
    assert torch.mm(_random(2, 3, 0), empty).to_dense().tolist() == [[0.0] * 4] * 2


@pytest.mark.parametrize("shape", [(3, 6, 4), (6, 3, 2)])
def test_gradients_stand_at_the_factors_places(shape):
    n, k, m = shape
    a, b = _random(n, k, 0).requires_grad_(), _random(k, m, 1).requires_grad_()
    weight = torch.from_numpy(np.random.default_rng(2).standard_normal((n, m)))
    (torch.sparse.mm(a, b).to_dense() * weight).sum().backward()
    for x, wanted in (
        (a, weight @ b.detach().to_dense().T),
        (b, a.detach().to_dense().T @ weight),
    ):
        assert x.grad.layout is torch.sparse_coo
        places = (x.detach().to_dense() != 0).double()
        np.testing.assert_allclose(x.grad.to_dense(), wanted * places, atol=1e-12)


def test_second_gradients():
    a, b = _random(3, 4, 0).requires_grad_(), _random(4, 3, 1).requires_grad_()
    (first,) = torch.autograd.grad(
        (torch.sparse.mm(a, b).to_dense() ** 2).sum(), a, create_graph=True
    )
    torch.sparse.sum(first).backward()
    x, y = (t.detach().to_dense() for t in (a, b))
    places = (x != 0).double()
    # the first gradient is 2 A B B^T at the places of A; so is its own sum's, with A's places for A
    np.testing.assert_allclose(first.detach().to_dense(), 2 * (x @ y @ y.T) * places, atol=1e-10)
    np.testing.assert_allclose(a.grad.to_dense(), 2 * (places @ y @ y.T) * places, atol=1e-10)


@pytest.mark.parametrize("column", [2, 90000])
def test_columns_outside_a_factor_are_not_written(column):
    """The invariants are looked at on request only; a product must not write beside its memory."""
    wrong = torch.sparse_coo_tensor([[0, 1], [1, column]], [1.0, 2.0], (2, 2))
    right = torch.eye(2).to_sparse()
    for pair in ((right, wrong), (wrong, right)):
        with pytest.raises(IndexError, match="outside its 2"):
            torch.sparse.mm(*pair)
