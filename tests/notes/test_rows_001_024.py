"""Rows 1 to 24 of the notes: how tensors are made, what they know of themselves, looking inside."""

from __future__ import annotations

import numpy as np
import pytest


def test_row_001_convert_before_asking_for_a_gradient(torch):
    assert torch.tensor([1, 2]).double().requires_grad_().is_leaf
    assert not torch.tensor([1.0, 2.0]).requires_grad_().double().is_leaf


def test_row_002_dtype_is_inferred(torch):
    assert torch.tensor([1, 2]).dtype is torch.int64
    assert torch.tensor([1.0]).dtype is torch.float32
    assert torch.tensor([True]).dtype is torch.bool
    assert torch.tensor(np.float64(1)).dtype is torch.float64


def test_row_003_the_class_takes_sizes_or_data(torch):
    assert torch.Tensor().shape == (0,)
    assert torch.Tensor(2, 3).shape == (2, 3)
    assert torch.Tensor([5]).tolist() == [5.0]
    assert torch.Tensor([5]).dtype is torch.float32


def test_row_004_the_function_copies(torch):
    with pytest.raises(TypeError, match="data"):
        torch.tensor()
    assert torch.tensor([]).shape == (0,)
    source = torch.ones(2, requires_grad=True)
    with pytest.warns(UserWarning, match="detach"):
        copy = torch.tensor(source)
    assert not copy.requires_grad
    assert copy.data_ptr() != source.data_ptr()


def test_row_005_only_floats_require_gradients(torch):
    assert torch.tensor([1.0, 2, 3], requires_grad=True).is_leaf
    with pytest.raises(RuntimeError, match="floating point and complex"):
        torch.tensor([1, 2], requires_grad=True)


def test_row_006_requires_grads_is_misspelt(torch):
    with pytest.raises(AttributeError, match="requires_grads_"):
        torch.FloatTensor([1, 2, 3]).requires_grads_()


def test_row_007_factories(torch):
    for made in (torch.zeros(2), torch.rand(2), torch.eye(2), torch.linspace(0, 1, 3)):
        assert made.dtype is torch.float32
        assert not made.requires_grad
    for made in (torch.arange(3), torch.randint(3, (2,)), torch.full((2,), 1)):
        assert made.dtype is torch.int64
    assert torch.tril_indices(2, 2).dtype is torch.int64
    assert torch.ones_like(torch.arange(2)).dtype is torch.int64


def test_row_008_zeros_needs_a_size(torch):
    with pytest.raises(TypeError, match="size"):
        torch.zeros()
    assert torch.zeros(()).shape == ()


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_row_009_from_scipy(torch):
    scipy = pytest.importorskip("scipy.sparse")
    dense = np.array([[0.0, 2.0], [3.0, 0.0]])
    coo, csr = scipy.coo_array(dense), scipy.csr_array(dense)
    made = torch.sparse_coo_tensor(np.vstack([coo.row, coo.col]), coo.data, coo.shape)
    assert made.dtype is torch.float64
    assert made.to_dense().tolist() == dense.tolist()
    made = torch.sparse_csr_tensor(csr.indptr, csr.indices, csr.data, csr.shape)
    assert made.to_dense().tolist() == dense.tolist()


def test_row_010_which_constructors_share_memory(torch):
    array = np.zeros(3, np.float32)
    shared = [torch.from_numpy(array), torch.as_tensor(array), torch.FloatTensor(array)]
    copied = torch.tensor(array)
    array[0] = 7
    assert [t[0].item() for t in shared] == [7.0, 7.0, 7.0]
    assert copied[0].item() == 0.0
    wide = np.zeros(3)
    narrowed = torch.Tensor(wide)
    wide[0] = 7
    assert narrowed[0].item() == 0.0


def test_row_011_variable_cuts_the_graph(torch):
    hidden = torch.ones(2, requires_grad=True) * 2
    cut = torch.autograd.Variable(hidden)
    assert cut.grad_fn is None
    assert cut.data_ptr() == hidden.data_ptr()


def test_row_012_sizes(torch):
    x = torch.zeros(2, 3)
    assert isinstance(x.shape, torch.Size)
    assert isinstance(x.shape, tuple)
    assert (x.size(1), x.numel(), x.ndim, x.dim()) == (3, 6, 2, 2)
    assert repr(x.size()) == "torch.Size([2, 3])"


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        ("float32", "Float"),
        ("float64", "Double"),
        ("float16", "Half"),
        ("bfloat16", "BFloat16"),
        ("uint8", "Byte"),
        ("int8", "Char"),
        ("int16", "Short"),
        ("int32", "Int"),
        ("int64", "Long"),
        ("bool", "Bool"),
    ],
)
def test_row_013_type_and_dtype_agree(torch, dtype, name):
    x = torch.zeros(2, dtype=getattr(torch, dtype))
    assert x.type() == f"torch.{name}Tensor"
    assert type(x) is torch.Tensor
    assert isinstance(x, getattr(torch, f"{name}Tensor"))
    assert torch.ones(2).type(f"torch.{name}Tensor").dtype is x.dtype
    assert torch.ones(2).type(getattr(torch, f"{name}Tensor")).dtype is x.dtype
    assert torch.ones(2).type_as(x).dtype is x.dtype


def _sparse(torch):
    return torch.eye(2).to_sparse()


def test_row_014_layouts(torch):
    assert torch.zeros(1).layout is torch.strided
    assert _sparse(torch).layout is torch.sparse_coo
    assert _sparse(torch).type() == "torch.sparse.FloatTensor"


def test_row_015_sparse_times_dense_is_dense(torch):
    dense = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    for product in (torch.mm, torch.spmm, torch.sparse.mm, torch.matmul):
        found = product(_sparse(torch), dense)
        assert found.layout is torch.strided
        assert found.tolist() == dense.tolist()
    for product, layout in ((torch.sparse.mm, torch.sparse_coo), (torch.mm, torch.strided)):
        x = _sparse(torch).requires_grad_()
        product(x, dense).sum().backward()
        assert x.grad.layout is layout


def test_row_016_sparse_and_back(torch):
    x = torch.tensor([[0.0, 2.0], [0.0, 0.0]])
    s = x.to_sparse().coalesce()
    assert (s.indices().tolist(), s.values().tolist(), s._nnz()) == ([[0], [1]], [2.0], 1)
    assert s.to_dense().tolist() == x.tolist()


def test_row_017_index_dtypes(torch):
    x = torch.arange(3.0)
    for dtype in (torch.int64, torch.int32):
        assert x[torch.tensor([2, 0], dtype=dtype)].tolist() == [2.0, 0.0]
    assert x[torch.tensor([True, False, True])].tolist() == [0.0, 2.0]
    with pytest.raises(IndexError, match="long"):
        x[torch.tensor([1.0])]


def test_row_018_devices(torch):
    x = torch.zeros(1)
    assert str(x.device) == "cpu"
    assert not x.is_cuda
    assert x.get_device() == -1
    assert not torch.cuda.is_available()
    with pytest.raises(AssertionError, match="CUDA"):
        x.cuda()


def test_row_019_max_in_its_forms(torch):
    x = torch.tensor([[1.0, 5.0, 5.0], [7.0, 2.0, 3.0]])
    assert x.max().item() == 7.0
    found = x.max(1)
    assert (found.values.tolist(), found.indices.tolist()) == ([5.0, 7.0], [1, 0])
    assert x.argmax().item() == 3
    assert x.amax(0).tolist() == [7.0, 5.0, 5.0]
    assert x[1].topk(2).indices.tolist() == [0, 2]


def test_row_020_item(torch):
    assert torch.tensor([[3]]).item() == 3
    with pytest.raises(RuntimeError, match="2 elements"):
        torch.zeros(2).item()
    with pytest.raises(IndexError, match="item\\(\\)"):
        torch.tensor(1.0)[0]


def test_row_021_nonzero_has_a_row_for_each(torch):
    found = torch.tensor([[0, 1], [2, 0]]).nonzero()
    assert (found.tolist(), found.dtype) == ([[0, 1], [1, 0]], torch.int64)
    assert torch.tensor(5).nonzero().shape == (1, 0)


def test_row_022_nonzero_and_numpy(torch):
    x = np.array([[0, 1], [2, 0]])
    t = torch.from_numpy(x)
    assert np.array_equal(t.nonzero().numpy(), np.argwhere(x))
    for found in (t.nonzero(as_tuple=True), torch.where(t != 0)):
        assert [f.tolist() for f in found] == [w.tolist() for w in np.where(x)]


def test_row_023_sort_gives_values_and_indices(torch):
    found = torch.sort(torch.tensor([2.0, 1.0, 2.0]), descending=True, stable=True)
    assert found.values.tolist() == [2.0, 2.0, 1.0]
    assert found.indices.tolist() == [0, 2, 1]


def test_row_024_numel(torch):
    assert torch.numel(torch.zeros(2, 3)) == torch.zeros(2, 3).numel() == 6
