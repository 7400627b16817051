"""Making sparse tensors: layouts, sizes, shared memory, invariants, legacy names."""

import warnings

import numpy as np
import pytest

import flambeau as torch

I = torch.tensor([[0, 1, 1], [2, 0, 2]])
V = torch.tensor([3.0, 4.0, 5.0])
DENSE = [[0, 0, 3], [4, 0, 5]]


def test_coo_keeps_the_given_memory():
    x = torch.sparse_coo_tensor(I, V, (2, 3))
    assert x.layout is torch.sparse_coo and x.is_sparse and not x.is_coalesced()
    assert x._values().data_ptr() == V.data_ptr() and x._indices().data_ptr() == I.data_ptr()
    assert x.to_dense().tolist() == DENSE
    assert (x.sparse_dim(), x.dense_dim(), x._nnz(), x.numel()) == (2, 0, 3, 6)


def test_sizes_are_inferred_and_checked():
    assert torch.sparse_coo_tensor(I, V).shape == (2, 3)
    assert torch.sparse_coo_tensor((2, 3))._nnz() == 0
    with pytest.raises(RuntimeError, match="same nnz"):
        torch.sparse_coo_tensor(I, V[:2])
    with pytest.raises(RuntimeError, match="sparse_dim"):
        torch.sparse_coo_tensor(I, V, (2, 3, 4))
    with pytest.raises(RuntimeError, match="size is inconsistent"):
        torch.sparse_coo_tensor(I, V, (2, 2), check_invariants=True)
    with (
        torch.sparse.check_sparse_tensor_invariants(),
        pytest.raises(RuntimeError, match="negative"),
    ):
        torch.sparse_coo_tensor(-I, V, (2, 3))


def test_coalesce_sums_in_order():
    x = torch.sparse_coo_tensor([[1, 0, 1], [1, 0, 1]], [1.0, 2.0, 3.0], (2, 2)).coalesce()
    assert x.indices().tolist() == [[0, 1], [0, 1]] and x.values().tolist() == [2.0, 4.0]
    with pytest.raises(RuntimeError, match="uncoalesced"):
        torch.sparse_coo_tensor(I, V, (2, 3)).indices()


@pytest.mark.parametrize(
    "layout", ["sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc", "sparse_coo"]
)
@pytest.mark.parametrize("batch", [(), (2,)])
def test_conversions_there_and_back(layout, batch):
    dense = torch.tensor(np.tile(np.kron(np.eye(3), [[1.0, 2], [0, 3]])[:, :4], (*batch, 1, 1)))
    blocks = {"blocksize": (2, 2)} if layout in ("sparse_bsr", "sparse_bsc") else {}
    x = dense.to_sparse(layout=getattr(torch, layout), **blocks)
    assert x.layout is getattr(torch, layout) and x.shape == dense.shape
    assert torch.equal(x.to_dense(), dense)
    if not batch:
        assert torch.equal(x.to_sparse().to_dense(), dense)
        assert torch.equal(x.to_sparse_csr().to_dense(), dense)
        assert torch.equal(x.t().to_dense(), dense.t())


def test_hybrid_values():
    dense = torch.arange(12.0).reshape(3, 2, 2)
    x = dense.to_sparse(1)
    assert (x.sparse_dim(), x.dense_dim()) == (1, 2) and torch.equal(x.to_dense(), dense)
    assert torch.equal(x.transpose(1, 2).to_dense(), dense.transpose(1, 2))


def test_csr_by_hand():
    x = torch.sparse_csr_tensor([0, 1, 3], [2, 0, 2], V, (2, 3))
    assert x.to_dense().tolist() == DENSE and x.crow_indices().tolist() == [0, 1, 3]
    with pytest.raises(RuntimeError, match="number of rows"):
        torch.sparse_csr_tensor([0, 1, 3, 4], [2, 0, 2], V, (2, 3))
    with pytest.raises(RuntimeError, match="sorted and distinct"):
        torch.sparse_csr_tensor([0, 1, 3], [2, 2, 0], V, (2, 3), check_invariants=True)
    with pytest.raises(RuntimeError, match="row compressed"):
        torch.ones(2, 2).crow_indices()


def test_legacy_names_warn():
    with pytest.warns(UserWarning, match="deprecated"):
        x = torch.sparse.FloatTensor(I, V, (2, 3))
    assert x.to_dense().tolist() == DENSE and x.type() == "torch.sparse.FloatTensor"
    assert isinstance(x, torch.sparse.FloatTensor)


def test_like_copy_and_print():
    x = torch.sparse_coo_tensor(I, V, (2, 3))
    assert torch.zeros_like(x)._nnz() == 0
    assert x.clone()._values().data_ptr() != V.data_ptr()
    assert repr(x) == (
        "tensor(indices=tensor([[0, 1, 1],\n                       [2, 0, 2]]),\n       "
        "values=tensor([3., 4., 5.]),\n"
        "       size=(2, 3), nnz=3, layout=torch.sparse_coo)"
    )
    with pytest.raises(NotImplementedError):
        torch.ones_like(x)
    with pytest.raises(TypeError, match="to_dense"):
        x.numpy()


def test_resize():
    x = torch.sparse_coo_tensor(I, V.clone(), (2, 3))
    assert x.sparse_resize_((4, 4), 2, 0).shape == (4, 4)
    with pytest.raises(RuntimeError, match="shrinking"):
        x.sparse_resize_((1, 1), 2, 0)
    assert x.sparse_resize_and_clear_((5, 2), 1, 1)._nnz() == 0


def test_scipy_both_ways():
    sp = pytest.importorskip("scipy.sparse")
    m = sp.random(4, 5, 0.4, format="csr", random_state=0)
    for name in ("csr", "csc", "coo", "lil"):
        x = torch.from_scipy(m.asformat(name))
        assert np.array_equal(x.to_dense().numpy(), m.toarray())
        assert np.array_equal(x.to_scipy().toarray(), m.toarray())
    assert torch.from_scipy(m).values().data_ptr() == m.data.__array_interface__["data"][0]
    assert torch.ones(2, 2).to_scipy("csr").format == "csr"
    with pytest.raises(RuntimeError, match="requires grad"):
        torch.from_scipy(m).requires_grad_().to_scipy()


UNFILLED = (
    "torch.zeros(2, 4, layout=L)", "torch.zeros((2, 2, 4), layout=L, dtype=torch.float64)",
    "torch.zeros(4, layout=L)", "torch.zeros((), layout=L)", "torch.empty(2, 4, layout=L).shape",
    "torch.zeros(2, 4, layout=L, requires_grad=True)", "torch.full((2,), 1.0, layout=L)",
    "torch.zeros_like(torch.ones(2, 2), layout=L)", "torch.empty_like(torch.ones(2, 2), layout=L)",
    "torch.ones(2).new_zeros((2, 2), layout=L)",
    "torch.eye(3).to_sparse(layout=L).new_zeros((2, 2))",
    "torch.eye(3).to_sparse(layout=L).new_empty((2, 2)).shape",
)  # fmt: skip


@pytest.mark.filterwarnings("ignore:Sparse:UserWarning")
@pytest.mark.parametrize("text", UNFILLED)
@pytest.mark.parametrize("layout", ["sparse_coo", "sparse_csr", "sparse_csc", "sparse_bsr"])
def test_factories_make_tensors_without_values(oracle, layout, text):
    if layout == "sparse_bsr" and "eye" in text:
        text = text.replace("layout=L", "layout=L, blocksize=(1, 1)")

    def seen(lib):
        try:
            return repr(eval(text, {"torch": lib, "L": getattr(lib, layout)}))
        except RuntimeError as error:
            return type(error).__name__

    assert seen(torch) == seen(oracle)


@pytest.mark.parametrize("values", ["float32", "float64", "int64"])
def test_the_old_classes_keep_the_values_dtype(oracle, values):
    def run(of):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # both say, once, that the classes will go away
            numbers = of.ones(2, dtype=getattr(of, values))
            return str(of.sparse.DoubleTensor(of.tensor([[0, 2]]), numbers, of.Size([3])).dtype)

    assert run(torch) == run(oracle)
