"""Arithmetic with sparse operands in every order, views, reductions: against the dense computation."""

import numpy as np
import pytest

import flambeau as torch

RNG = np.random.default_rng(0)


def dense(*shape):
    return torch.tensor(RNG.integers(1, 9, shape) * (RNG.random(shape) < 0.5) * 1.0)


A, B, D = dense(4, 6), dense(4, 6), torch.tensor(RNG.standard_normal((4, 6)))
LAYOUTS = ["coo", "uncoalesced", "csr", "csc"]


def sparse(x, layout):
    if layout == "uncoalesced":
        half = (x / 2).to_sparse()
        return torch.sparse_coo_tensor(
            torch.cat([half._indices(), half._indices()], 1),
            torch.cat([half._values(), half._values()]),
            x.shape,
        )
    return x.to_sparse() if layout == "coo" else getattr(x, f"to_sparse_{layout}")()


def check(found, wanted):
    assert torch.allclose(found.to_dense(), wanted)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_both_orders(layout):
    a, b = sparse(A, layout), sparse(B, layout)
    check(a + b, A + B)
    check(a - b, A - B)
    check(a * b, A * B)
    check(a + D, A + D)
    check(D + a, A + D)
    check(D - a, D - A)
    check(a - D, A - D)
    check(a * D, A * D)
    check(D * a, A * D)
    check(a * 2, A * 2)
    check(2 * a, A * 2)
    check(a / 2, A / 2)
    check(-a, -A)
    check(a * torch.tensor(3.0), A * 3)
    check(torch.maximum(a, b), torch.maximum(A, B))
    check(torch.add(a, b, alpha=3), A + 3 * B)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_values_where_zero_stays_zero(layout):
    a = sparse(A, layout)
    for name in ("sin", "sqrt", "abs", "relu", "sgn", "square", "expm1", "log1p", "floor", "tanh"):
        check(getattr(torch, name)(a), getattr(torch, name)(A))
    check(a**2, A**2)
    assert a.bool().dtype is torch.bool and a.to(torch.float32).dtype is torch.float32
    for name in ("cos", "exp"):
        with pytest.raises(NotImplementedError, match="sparse"):
            getattr(torch, name)(a)
    with pytest.raises(RuntimeError, match="not supported"):
        a + 1
    with pytest.raises(RuntimeError, match="zero-dim"):
        a / D


def test_in_place():
    x = A.to_sparse()
    check(x.mul_(2), A * 2)
    check(x.add_(B.to_sparse()), A * 2 + B)
    check(A.clone().add_(B.to_sparse()), A + B)
    check(A.clone().mul_(B.to_sparse()), A * B)
    assert x.zero_()._nnz() == 0


@pytest.mark.parametrize("layout", LAYOUTS)
def test_views(layout):
    a = sparse(A, layout)
    check(a.t(), A.t())
    check(a.transpose(0, 1), A.t())
    check(a.permute(1, 0), A.t())
    check(a[1], A[1])
    check(a[:, 2], A[:, 2])
    check(a[1:3], A[1:3])
    check(a.narrow(1, 2, 3), A.narrow(1, 2, 3))
    check(a.index_select(1, torch.tensor([5, 0, 5])), A.index_select(1, torch.tensor([5, 0, 5])))
    check(a.unsqueeze(1).squeeze(1), A)
    check(torch.cat([a, a], 1), torch.cat([A, A], 1))
    check(torch.stack([a, a], 1), torch.stack([A, A], 1))
    assert len(list(a)) == 4


@pytest.mark.parametrize("layout", LAYOUTS)
def test_products(layout):
    a, b = sparse(A, layout), sparse(B, layout)
    dense = torch.tensor(RNG.standard_normal((6, 3)))
    check(a @ dense, A @ dense)
    check(torch.sparse.mm(a, dense), A @ dense)
    check(dense.t() @ a.t(), dense.t() @ A.t())
    check(a @ dense[:, 0], A @ dense[:, 0])
    check(a @ b.t(), A @ B.t())
    check(torch.addmm(torch.ones(4, 3).double(), a, dense, beta=2, alpha=3), 2 + 3 * (A @ dense))
    check(torch.sparse.addmm(torch.ones(4, 3).double(), a, dense), 1 + A @ dense)
    check(torch.nn.functional.linear(dense.t(), a), dense.t() @ A.t())
    found = torch.sparse.sampled_addmm(a, dense[:4], dense.t()[:, :6], beta=0.5)
    check(found, (dense[:4] @ dense.t()) * (A != 0) + 0.5 * A)
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        a @ dense.t()


def test_products_without_scipy(monkeypatch):
    from flambeau.sparse import kernels

    monkeypatch.setattr(kernels, "loops", None)
    dense = torch.tensor(RNG.standard_normal((6, 3)))
    for layout in LAYOUTS:
        check(sparse(A, layout) @ dense, A @ dense)
        check(sparse(A, layout).t() @ dense[:4], A.t() @ dense[:4])


def test_batches():
    x, y = dense(3, 4, 5), torch.tensor(RNG.standard_normal((3, 5, 2)))
    check(torch.bmm(x.to_sparse(), y), torch.bmm(x, y))


def test_reductions():
    a = A.to_sparse()
    assert a.sum().item() == A.sum().item() == torch.sparse.sum(a).item()
    check(torch.sparse.sum(a, 0), A.sum(0))
    check(a.sum(1), A.sum(1))
    for dim in (0, 1):
        wanted = torch.where(A != 0, A, -torch.inf).softmax(dim).nan_to_num(0)
        check(torch.sparse.softmax(a, dim), wanted)
    check(
        torch.sparse.log_softmax(a, 1).coalesce().values().exp(),
        torch.sparse.softmax(a, 1).coalesce().values(),
    )


def test_reduced_rows():
    a, d = A.to_sparse_csr(), torch.tensor(RNG.standard_normal((6, 2)))
    found = torch.sparse.mm(a, d, "mean")
    check(found, (A @ d) / (A != 0).sum(1, keepdim=True).clamp(min=1))


def test_spdiags():
    x = torch.sparse.spdiags(torch.arange(1.0, 10).reshape(3, 3), torch.tensor([0, -1, 1]), (3, 3))
    assert x.to_dense().tolist() == [[1, 8, 0], [4, 2, 9], [0, 5, 3]]


@pytest.mark.parametrize("rows", [3, 400])  # both sides of what is worth a generated kernel
@pytest.mark.parametrize("alpha", [1, -0.5])
def test_rows_are_added_in_place_one_by_one(rows, alpha, oracle):
    found = []
    for torch_ in (oracle, torch):
        torch_.manual_seed(0)
        places = torch_.randint(0, 50, (1, rows))
        values = torch_.randn(rows, 16)
        sparse = torch_.sparse_coo_tensor(places, values, (50, 16), check_invariants=True)
        target = torch_.ones(50, 16)
        kept = target.view(-1)
        version = target._version
        assert target.add_(sparse, alpha=alpha) is target
        found.append((kept.numpy().copy(), target._version - version))
    np.testing.assert_allclose(found[1][0], found[0][0], rtol=1e-5, atol=1e-6)
    assert found[1][1] == found[0][1] == 1


def test_rows_that_are_not_there_are_refused():
    sparse = torch.sparse_coo_tensor([[0, 50] * 200], torch.ones(400, 16), (50, 16))
    with pytest.raises(IndexError):
        torch.ones(50, 16).add_(sparse)


def test_norms_are_those_of_the_values(oracle):
    a = dense(4, 5)
    for p in ("fro", 1, 3.0, float("inf")):
        expected = oracle.tensor(a.numpy()).norm(p).item()
        for layout in (torch.sparse_coo, torch.sparse_csr):
            assert a.to_sparse(layout=layout).norm(p).item() == pytest.approx(expected)
    assert a.to_sparse().storage_offset() == 0


@pytest.mark.parametrize("dim", [0, 1, (0, 1)])
def test_sums_of_compressed_rows_are_compressed_rows(dim):
    a = dense(6, 5)
    a[2] = 0
    found = a.to_sparse_csr().sum(dim, keepdim=True)
    assert found.layout is torch.sparse_csr
    np.testing.assert_array_equal(found.to_dense(), a.sum(dim, keepdim=True))
    if dim == 1:
        assert found.values().shape[0] == 6 - int((a == 0).all(1).sum())


@pytest.mark.parametrize("layout", ["sparse_csr", "sparse_csc", "sparse_coo"])
def test_one_row_or_column(layout):
    a = dense(6, 5)
    a[2] = 0
    sparse = a.to_sparse(layout=getattr(torch, layout))
    for i in (0, 2, -1):
        np.testing.assert_array_equal(sparse[i].to_dense(), a[i])
        np.testing.assert_array_equal(sparse.select(1, i).to_dense(), a[:, i])


@pytest.mark.parametrize("reduce", ["mean", "amax", "amin", "max", "min"])
def test_reductions_of_a_rows_terms(reduce):
    left, right = torch.eye(3) * 2, torch.arange(6.0).view(3, 2)
    check(torch.sparse.mm(left.to_sparse_csr(), right, reduce), left @ right)
    with pytest.raises(RuntimeError, match="mean, amax"):
        torch.sparse.mm(left.to_sparse_csr(), right, "median")


SPARSE = (
    "s.item()", "bool(s)", "int(s)", "s.to_dense()", "torch.is_nonzero(s)", "(s * x).to_dense()",
    "(x * s).to_dense()", "torch.nn.functional.relu(s)", "h + e", "e + h", "h - e", "e - h",
    "h.clone().add_(e)", "torch.zeros_like(x, dtype=torch.float16).copy_(x).dtype",
    "x.clone().copy_(x.double()).dtype", "u.clone().asin_()", "u.clone().relu_()",
    "u.clone().neg_()", "u.clone().mul_(2)", "u.coalesce().sqrt_()",
    "torch.bmm(torch.zeros(10, 0, 4, layout=L), torch.ones(10, 4, 3)).shape",
    "torch.bmm(torch.zeros(10, 5, 0, layout=L), torch.ones(10, 0, 3)).shape",
    "torch.bmm(torch.zeros(0, 5, 2, layout=L), torch.ones(0, 2, 3)).shape",
    "x.new(2, 3)", "x.new(x._indices(), x._values(), x.shape)", "x.new(x.shape)",
    "torch.zeros(2, 3, layout=L).t().is_coalesced()", "x.coalesce().t().is_coalesced()",
)  # fmt: skip


@pytest.mark.filterwarnings("ignore:Sparse:UserWarning")
@pytest.mark.parametrize("text", SPARSE)
def test_small_and_empty_tensors(oracle, text):
    def seen(lib):
        scope = {
            "torch": lib, "L": lib.sparse_coo, "s": lib.tensor(3.0).to_sparse(),
            "x": lib.sparse_coo_tensor([[0, 1, 1], [2, 0, 2]], [3.0, -4.0, 5.0], (2, 3)),
            "h": lib.sparse_coo_tensor([[0, 1]], lib.ones(2, 3), (2, 3)),
            "e": lib.zeros(2, 3, layout=lib.sparse_coo),
            "u": lib.sparse_coo_tensor([[0, 0]], [0.25, 0.5], (2,)),
        }  # fmt: skip
        try:
            return repr(eval(text, scope))
        except RuntimeError as error:
            return type(error).__name__

    assert seen(torch) == seen(oracle)


COMPRESSED = (
    "c.stride()", "c.is_contiguous()", "c.untyped_storage()", "c.storage()",
    "c.clone().resize_(2, 6)", "c.clone().resize_(4, 3)", "c.clone().resize_(1, 3)",
    "c.clone().resize_(2, 2)", "x.clone().resize_(4, 3)",
    "torch.zeros(4, 4, layout=c.layout).resize_as_sparse_(c)._nnz()",
    "torch.zeros(2, 3, layout=c.layout).copy_(c)", "c.clone().copy_(c * 2)", "c.clone().copy_(x)",
    "c.clone().copy_(d)", "x.clone().copy_(c)", "torch.ones(2, 3).copy_(c)",
    "torch.triangular_solve(torch.ones(2, 1), q, upper=False)",
    "torch.triangular_solve(torch.ones(2, 1), q, upper=False, transpose=True)",
    "torch.triangular_solve(torch.ones(2, 1), q, upper=False, unitriangular=True)",
    "torch.triangular_solve(torch.ones(2), q)", "torch.addmm(n, q, q, beta=0).to_dense()",
)  # fmt: skip


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("text", COMPRESSED)
def test_compressed_tensors(oracle, text):
    def seen(lib):
        dense = lib.tensor([[1.0, 0, 2], [0, 3, 0]])
        scope = {
            "torch": lib, "c": dense.to_sparse_csr(), "d": dense.to_sparse_csc(),
            "x": dense.to_sparse(), "q": lib.tensor([[2.0, 0], [1, 3]]).to_sparse_csr(),
            "n": lib.full((2, 2), float("nan")).to_sparse_csr(),
        }  # fmt: skip
        try:
            return repr(eval(text, scope))
        except RuntimeError as error:
            return type(error).__name__

    assert seen(torch) == seen(oracle)


def test_products_have_dimensions_before_a_sparse_factors_first(oracle):
    def results(torch):
        x = torch.tensor([[0.0, 2.0, 0.0], [3.0, 0.0, 4.0]])
        rows = torch.sparse_coo_tensor([[0, 1]], [[5.0], [6.0]], (2, 1))
        for a, b in (
            (x.to_sparse(), torch.arange(12.0).reshape(2, 2, 3)),
            (torch.arange(6.0).reshape(1, 2, 3), x.to_sparse()),
            (x.to_sparse(1), torch.arange(24.0).reshape(2, 2, 2, 3)),
            (x.to_sparse(), torch.ones(0, 2, 3)),
            (rows, torch.ones(2, 3)),
            (rows, x.to_sparse(1)),
            (x.to_sparse(1), rows),
        ):
            found = a * b
            yield found.shape, found._indices().tolist(), found._values().tolist()

    assert list(results(torch)) == list(results(oracle))


@pytest.mark.parametrize("layout", ["coo", "csr"])
def test_sparse_dimensions_of_products_do_not_grow(layout):
    with pytest.raises(RuntimeError, match="no sparse dimension of a factor grows"):
        sparse(A[:1], layout) * D


def test_of_two_sparse_numbers_one_keeps_its_places(oracle):
    def counts(torch):
        one = torch.tensor(2.0).to_sparse()
        ten = torch.sparse_coo_tensor(torch.zeros(0, 10, dtype=torch.int64), torch.arange(10.0), ())
        two = torch.sparse_coo_tensor(torch.zeros(0, 2, dtype=torch.int64), torch.ones(2), ())
        pairs = [(one, ten), (ten, one), (ten, two), (two, ten)]
        return [((a * b)._nnz(), (a * b).to_dense().item()) for a, b in pairs]

    assert counts(torch) == counts(oracle)
