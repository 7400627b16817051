"""torch.linalg: what factorizations multiply back to, gradients of both orders, errors."""

from __future__ import annotations

import math

import numpy as np
import pytest

import flambeau as torch
from flambeau import linalg
from flambeau.autograd import gradcheck, gradgradcheck


def made(*shape, complex=False):
    rng = np.random.default_rng(sum(shape))
    a = rng.standard_normal(shape)
    return torch.tensor(a + 1j * rng.standard_normal(shape) if complex else a).requires_grad_()


def positive(x):
    return x @ x.mH + torch.eye(x.shape[-1], dtype=x.dtype)


SQUARE = {
    "inv": linalg.inv,
    "det": linalg.det,
    "slogdet": lambda x: linalg.slogdet(x),
    "cholesky": lambda x: linalg.cholesky(positive(x)),
    "cholesky upper": lambda x: linalg.cholesky(positive(x), upper=True),
    "matrix_exp": linalg.matrix_exp,
    "lu": lambda x: linalg.lu(x)[1:],
    "lu_factor": lambda x: linalg.lu_factor(x)[0],
    "eigh": lambda x: (lambda w, v: (w, abs(v)))(*linalg.eigh(x + x.mH)),
    "eig": lambda x: (lambda w, v: (w, abs(v)))(*linalg.eig(x)),
    "matrix_power": lambda x: linalg.matrix_power(x, -2),
}


@pytest.mark.parametrize("complex", [False, True])
@pytest.mark.parametrize("name", SQUARE)
def test_gradients_of_square_matrices(name, complex):
    x = made(2, 3, 3, complex=complex)
    assert gradcheck(SQUARE[name], (x,)) and gradgradcheck(SQUARE[name], (x,))


@pytest.mark.parametrize("complex", [False, True])
@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
def test_gradients_of_any_matrices(shape, complex):
    x = made(*shape, complex=complex)
    for f in (
        linalg.qr,
        linalg.svdvals,
        linalg.pinv,
        lambda x: linalg.lu(x)[1:],
        lambda x: linalg.svd(x, False)[1],
    ):
        assert gradcheck(f, (x,))
    phaseless = lambda x: (lambda u, s, v: (abs(u), abs(v)))(*linalg.svd(x, False))
    assert gradcheck(phaseless, (x,))


@pytest.mark.parametrize("left", [True, False])
def test_solves(left):
    a, b = made(2, 3, 3), made(2, 3, 3)
    assert gradcheck(lambda a, b: linalg.solve(a, b, left=left), (a, b))
    assert gradcheck(lambda a, b: linalg.solve_triangular(a, b, upper=left, left=left), (a, b))
    x = linalg.solve(a, b, left=left)
    assert torch.allclose(a @ x if left else x @ a, b)
    LU, pivots = linalg.lu_factor(a)
    assert torch.allclose(linalg.lu_solve(LU, pivots, b, left=left), x)


def test_vectors_on_the_right():
    a, b = made(2, 3, 3), made(2, 3)
    assert linalg.solve(a, b).shape == (2, 3)
    assert gradcheck(linalg.solve, (a, b))


def test_factorizations_multiply_back():
    for shape in ((5, 3), (3, 5), (80, 70)):
        x = made(2, *shape).detach()
        q, r = linalg.qr(x)
        u, s, vh = linalg.svd(x, full_matrices=False)
        p, lower, upper = linalg.lu(x)
        for product in (q @ r, (u * s.unsqueeze(-2)) @ vh, p @ lower @ upper):
            assert torch.allclose(product, x)


def test_large_triangular_solve_goes_by_blocks():
    a = made(150, 150).detach().tril() + 30 * torch.eye(150, dtype=torch.float64)
    b = made(150, 2).detach()
    assert torch.allclose(a @ linalg.solve_triangular(a, b, upper=False), b)


def test_householder_products():
    x = made(5, 3)
    q = linalg.householder_product(*torch.geqrf(x.detach()))
    assert torch.allclose(q, linalg.qr(x.detach())[0])
    y = made(5, 2).detach()
    full = linalg.qr(x.detach(), mode="complete")[0]
    assert torch.allclose(torch.ormqr(*torch.geqrf(x.detach()), y), full @ y)


def test_lstsq():
    a, b = made(5, 3), made(5, 2)
    found = linalg.lstsq(a, b, driver="gelsd")
    assert np.allclose(
        found.solution.detach().numpy(), np.linalg.lstsq(a.detach().numpy(), b.detach().numpy())[0]
    )
    assert found.rank.item() == 3 and found.residuals.shape == (2,)
    assert gradcheck(lambda a, b: linalg.lstsq(a, b)[0], (a, b))


def test_singular_determinant_has_a_gradient():
    x = torch.tensor([[1.0, 2.0], [2.0, 4.0]], requires_grad=True)
    linalg.det(x).backward()
    assert np.allclose(x.grad.numpy(), [[4, -2], [-2, 1]], atol=1e-5)


@pytest.mark.parametrize("ord", ["fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf])
def test_matrix_norms_are_numpys(ord):
    x = made(3, 4)
    assert np.isclose(
        float(linalg.matrix_norm(x.detach(), ord)), np.linalg.norm(x.detach().numpy(), ord)
    )
    assert gradcheck(lambda x: linalg.norm(x, ord), (x,))


def test_cond_and_rank():
    x = made(3, 3).detach()
    for p in (None, 2, -2, "fro", 1):
        assert np.isclose(float(linalg.cond(x, p)), np.linalg.cond(x.numpy(), p))
    assert int(linalg.matrix_rank(torch.ones(3, 3))) == 1
    assert float(linalg.cond(torch.zeros(2, 2), 1)) == math.inf


def test_products_and_tensors():
    parts = [made(2, 3), made(3, 4), made(4, 2)]
    assert torch.allclose(linalg.multi_dot(parts), parts[0] @ parts[1] @ parts[2])
    assert linalg.tensorinv(torch.eye(6).reshape(2, 3, 6), ind=2).shape == (6, 2, 3)
    assert linalg.vander(torch.tensor([2.0, 3.0]), N=3).tolist() == [[1, 2, 4], [1, 3, 9]]
    assert float(linalg.vecdot(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]))) == 11
    assert linalg.cross(torch.tensor([1, 0, 0]), torch.tensor([0, 1, 0])).tolist() == [0, 0, 1]


def test_cdist():
    a, b = made(4, 3), made(5, 3)
    for p in (2.0, 1.0, math.inf, 3.0):
        assert gradcheck(lambda a, b, p=p: torch.cdist(a, b, p), (a, b))
    many = made(30, 3)
    exact = torch.cdist(many, b, compute_mode="donot_use_mm_for_euclid_dist")
    assert torch.allclose(torch.cdist(many, b), exact)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: linalg.inv(torch.zeros(2, 2)), "diagonal element 1 is zero"),
        (lambda: linalg.cholesky(-torch.eye(2)), "leading minor of order 1"),
        (
            lambda: linalg.cholesky(torch.diag(torch.tensor([1.0, 1.0, -1.0]))),
            "leading minor of order 3",
        ),
        (lambda: linalg.solve(torch.zeros(3, 2, 2), torch.ones(2, 1)), "Batch element 0.*singular"),
        (lambda: linalg.svd(torch.full((2, 2), math.nan)), "failed to converge"),
    ],
)
def test_matrices_that_refuse(call, words):
    with pytest.raises(linalg.LinAlgError, match=words):
        call()


@pytest.mark.parametrize(
    "call, words",
    [
        (
            lambda: linalg.inv(torch.ones(2, 3)),
            "must be batches of square matrices, but they are 2 by 3",
        ),
        (lambda: linalg.det(torch.ones(3)), "must have at least 2 dimensions"),
        (
            lambda: linalg.inv(torch.ones(2, 2).long()),
            "Expected a floating point or complex tensor",
        ),
        (lambda: linalg.inv(torch.ones(2, 2).half()), "Low precision dtypes not supported"),
        (lambda: linalg.solve(torch.eye(2), torch.ones(3, 3)), "Incompatible shapes"),
        (lambda: linalg.matrix_norm(torch.ones(2, 2), 3), "Order 3 not supported"),
        (lambda: linalg.multi_dot([torch.ones(2)]), "expected at least 2 tensors"),
        (lambda: linalg.qr(torch.ones(2, 2), "foo"), "unrecognized mode 'foo'"),
    ],
)
def test_errors(call, words):
    with pytest.raises(RuntimeError, match=words):
        call()


def test_singular_matrices_without_raising():
    inverse, info = linalg.inv_ex(torch.stack([torch.zeros(2, 2), torch.eye(2)]))
    assert info.tolist() == [1, 0] and inverse[1].tolist() == [[1, 0], [0, 1]]
    assert linalg.cholesky_ex(torch.tensor([[1.0, 2.0], [2.0, 1.0]])).info.item() == 2


def test_empty_matrices():
    x = torch.zeros(0, 3, 3)
    assert linalg.inv(x).shape == (0, 3, 3) and linalg.det(torch.zeros(2, 0, 0)).tolist() == [1, 1]
    assert linalg.svd(torch.zeros(3, 0)).U.shape == (3, 3) and linalg.eigh(x).eigenvalues.shape == (
        0,
        3,
    )


def test_older_names():
    x = made(3, 3)
    assert torch.allclose(torch.det(x), linalg.det(x)) and torch.allclose(
        x.inverse(), linalg.inv(x)
    )
    assert math.isnan(float(torch.logdet(torch.diag(torch.tensor([-1.0, 1.0])))))
    U, S, V = torch.svd(x)
    assert torch.allclose((U * S) @ V.mH, x)
    low = made(8, 2).detach() @ made(2, 6).detach()
    U, S, V = torch.svd_lowrank(low, q=2)
    assert torch.allclose((U * S) @ V.mH, low)
    b = made(3, 2).detach()
    factor = linalg.cholesky(positive(x.detach()))
    assert torch.allclose(positive(x.detach()) @ torch.cholesky_solve(b, factor), b)
    values, vectors = torch.lobpcg(positive(x.detach()), 1)
    assert torch.allclose(positive(x.detach()) @ vectors, vectors * values)


@pytest.mark.parametrize("shape", [(0, 0, 0), (3, 0, 0), (3, 2, 0), (3, 2, 1)])
def test_a_product_of_no_reflector_gives_no_gradient(shape, oracle):
    m, n, k = shape
    found = []
    for engine in (torch, oracle):
        A, tau = engine.ones(m, n, requires_grad=True), engine.ones(k, requires_grad=True)
        out = engine.linalg.householder_product(A, tau)
        out.sum().backward()
        found.append((out.requires_grad, out.tolist(), A.grad is None, tau.grad is None))
    assert found[0] == found[1]


def solutions(m):
    """The strides of what solves linear systems, on either side, of vectors and in batches."""
    found = []
    m.manual_seed(0)
    for batch in ((), (2,), (2, 3)):
        a = m.randn(*batch, 4, 4)
        lu, pivots = m.linalg.lu_factor(a)
        b, row, vector = m.randn(*batch, 4, 3), m.randn(*batch, 3, 4), m.randn(*batch, 4)
        found += [m.linalg.solve(a, b), m.linalg.solve(a, row, left=False), m.linalg.inv(a)]
        found += [m.linalg.solve(a, vector), m.linalg.lu_solve(lu, pivots, b)]
        for adjoint in (True, False):
            found.append(m.linalg.lu_solve(lu, pivots, row, left=False, adjoint=adjoint))
        tall, wide = m.randn(*batch, 5, 3), m.randn(*batch, 3, 5)
        for driver in ("gels", "gelsy", "gelsd"):
            found += [m.linalg.lstsq(tall, m.randn(*batch, 5, 2), driver=driver).solution]
            found += [m.linalg.lstsq(wide, m.randn(*batch, 3, 2), driver=driver).solution]
        found.append(m.linalg.lstsq(tall, m.randn(*batch, 5, 1)).solution[..., 0])
    found += m.unravel_index(m.tensor([[1, 7, 19], [3, 5, 11]]), (4, 5))
    return [(tuple(x.shape), x.stride()) for x in found]


def test_solutions_lie_in_memory_as_pytorchs(oracle):
    assert solutions(torch) == solutions(oracle)


@pytest.mark.filterwarnings("ignore:at..\\w+_norm:UserWarning")  # PyTorch's
def test_what_cannot_be_solved_is_refused_with_pytorchs_exceptions(oracle):
    for engine in (torch, oracle):
        linalg, eye = engine.linalg, engine.eye(3)
        with pytest.raises(linalg.LinAlgError):
            linalg.tensorinv(engine.zeros(12, 3, 4), ind=1)
        with pytest.raises(linalg.LinAlgError):
            engine.cholesky_inverse(eye * engine.tensor([1.0, 0.0, 1.0]))
        x = engine.eye(3, requires_grad=True)
        with pytest.raises(RuntimeError, match="mode"):
            linalg.qr(x, mode="r")[1].sum().backward()
        for first in (0, 4):
            pivots = engine.tensor([first, 2, 3], dtype=engine.int32)
            for solve in (linalg.lu_solve, lambda LU, p, B, e=engine: e.lu_unpack(LU, p)):
                with pytest.raises(RuntimeError):
                    solve(eye, pivots, eye)
        with pytest.raises(ValueError):
            engine.einsum("", [])
        with pytest.raises(ValueError):
            engine.einsum(engine.ones(2), [52])
        out = engine.empty(0)
        assert engine.nuclear_norm(eye, out=out) is out
        assert engine.frobenius_norm(eye, (0, 1), out=out) is out


@pytest.mark.parametrize("driver", ["gelsd", "gelss", "gelsy"])
@pytest.mark.parametrize("rcond", [None, -1, 0.0, 0.4, 1.0])
def test_singular_values_at_the_limit_count_as_lapacks_driver_counts_them(oracle, driver, rcond):
    found = []
    for engine in (torch, oracle):
        A = engine.tensor([[2.0, 0.0], [0.0, 1.0]], dtype=engine.float64)
        B = engine.tensor([[3.0], [4.0]], dtype=engine.float64)
        r = engine.linalg.lstsq(A, B, rcond=rcond, driver=driver)
        found.append((r.solution.tolist(), r.rank.tolist()))
    assert found[0][1] == found[1][1]
    assert np.allclose(found[0][0], found[1][0])
