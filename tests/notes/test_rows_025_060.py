"""Rows 25 to 60 of the notes: choosing, reshaping, filling, combining, NumPy and SciPy."""

from __future__ import annotations

import copy

import numpy as np
import pytest


def test_row_025_index_lists_add_in_backward(torch):
    x = torch.zeros(3, 2, requires_grad=True)
    x[[0, 0, 2], :].sum().backward()
    assert x.grad.tolist() == [[2.0, 2.0], [0.0, 0.0], [1.0, 1.0]]


def test_row_026_index_select_and_take(torch):
    x = torch.arange(6.0).view(2, 3)
    assert torch.index_select(x, 1, torch.tensor([2, 0])).tolist() == [[2.0, 0.0], [5.0, 3.0]]
    assert torch.take(x, torch.tensor([4, 1])).tolist() == [4.0, 1.0]
    found = torch.take_along_dim(x, torch.tensor([[1], [2]]), 1)
    assert found.tolist() == [[1.0], [5.0]]


def test_row_027_masked_select_is_flat(torch):
    x = torch.arange(4.0).view(2, 2)
    assert torch.masked_select(x, torch.tensor([True, False])).tolist() == [0.0, 2.0]


def test_row_028_byte_masks_index_with_a_warning(torch):
    x = torch.arange(3.0)
    with pytest.warns(UserWarning, match="uint8"):
        assert x[torch.tensor([1, 0, 1], dtype=torch.uint8)].tolist() == [0.0, 2.0]
    assert (~(x > 1)).tolist() == [True, True, False]


def test_row_029_where(torch):
    x = torch.linspace(1, 27, 27).view(9, 3)
    assert torch.where(x > 5, torch.full_like(x, 5), x).tolist() == x.clamp(max=5).tolist()
    assert torch.where(x > 5, 5.0, x).max().item() == 5.0
    y = torch.tensor([0.0, 1.0], requires_grad=True)
    torch.where(y > 0, y.log(), 0.0).sum().backward()
    assert np.isnan(y.grad[0].item())
    assert y.grad[1].item() == 1.0


def test_row_030_gather_along_a_dimension(torch):
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    index = torch.tensor([[0, 1], [1, 0], [0, 0]])
    assert x.gather(0, index).tolist() == [[1.0, 4.0], [3.0, 2.0], [1.0, 2.0]]
    with pytest.raises(RuntimeError):
        x.gather(0, torch.zeros(1, 3, dtype=torch.int64))


def test_row_031_gather_may_be_smaller_and_is_bounded(torch):
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert x.gather(0, torch.tensor([[1]])).tolist() == [[3.0]]
    with pytest.raises(RuntimeError, match="out of bounds"):
        x.gather(0, torch.tensor([[5]]))


def test_row_032_permute_is_a_view(torch):
    x = torch.zeros(2, 3, 4)
    y = x.permute(1, 0, 2)
    assert (y.shape, x.shape, y.data_ptr()) == ((3, 2, 4), (2, 3, 4), x.data_ptr())


def test_row_033_transpose_leaves_the_original(torch):
    x = torch.zeros(2, 3)
    y = x.transpose(0, 1)
    assert x.shape == (2, 3)
    assert y.data_ptr() == x.data_ptr()
    assert not y.is_contiguous()
    x.t_()
    assert x.shape == (3, 2)


def test_row_034_resize_in_place(torch):
    x = torch.zeros(4)
    assert x.resize_(2, 3).shape == x.shape == (2, 3)
    with pytest.raises(RuntimeError, match="resize"):
        torch.zeros(2, requires_grad=True).resize_(3)


def test_row_035_a_view_shares_values_and_versions(torch):
    x = torch.zeros(4)
    x.view(2, 2)[0, 0] = 5
    assert x[0].item() == 5.0
    assert x._version == 1


def test_row_036_reshape_copies_only_where_it_must(torch):
    x = torch.zeros(2, 3)
    assert x.reshape(6).data_ptr() == x.data_ptr()
    assert x.t().reshape(6).data_ptr() != x.data_ptr()


def test_row_037_expand_as_leaves_the_original(torch):
    x = torch.zeros(4, 1)
    y = x.expand_as(torch.zeros(4, 2))
    assert (x.shape, y.shape, y.stride()) == ((4, 1), (4, 2), (1, 0))
    with pytest.raises(RuntimeError, match="single memory location"):
        y.add_(1)
    with pytest.raises(RuntimeError):
        torch.zeros(3, 2).expand_as(torch.zeros(4, 2))


def test_row_038_squeeze_and_unsqueeze(torch):
    x = torch.zeros(1, 3, 1)
    assert x.squeeze().shape == (3,)
    assert x.squeeze(1).shape == (1, 3, 1)
    assert x.squeeze((0, 2)).shape == (3,)
    assert torch.zeros(3).unsqueeze(1).shape == (3, 1)


def test_row_039_sort_is_lower_case(torch):
    x = torch.tensor([2.0, 1.0])
    assert [part.tolist() for part in x.sort()] == [[1.0, 2.0], [1, 0]]
    with pytest.raises(AttributeError, match="Sort"):
        _ = x.Sort


def test_row_040_view_needs_fitting_strides(torch):
    x = torch.zeros(2, 3).t()
    with pytest.raises(RuntimeError, match="reshape"):
        x.view(6)
    assert x.contiguous().view(6).shape == (6,)


def test_row_041_one_storage_strided_access(torch):
    x = torch.arange(6).view(2, 3)
    assert (x.stride(), x.t().stride(), x[1].storage_offset()) == ((3, 1), (1, 3), 3)


def test_row_042_is_contiguous(torch):
    x = torch.zeros(2, 3, 4, 5)
    assert x.is_contiguous()
    last = x.to(memory_format=torch.channels_last)
    assert not last.is_contiguous()
    assert last.is_contiguous(memory_format=torch.channels_last)


def test_row_043_ceil_goes_up_round_to_even(torch):
    x = torch.tensor([0.5, 1.5, 2.5])
    assert x.ceil().tolist() == [1.0, 2.0, 3.0]
    assert x.clone().round_().tolist() == [0.0, 2.0, 2.0]
    assert torch.tensor([3]).ceil().tolist() == [3]


def test_row_044_clamp(torch):
    x = torch.tensor([-1.0, 0.0, 1.0], requires_grad=True)
    torch.clamp(x, min=0).sum().backward()
    assert x.grad.tolist() == [0.0, 1.0, 1.0]
    assert x.detach().clamp(max=torch.zeros(3)).tolist() == [-1.0, 0.0, 0.0]
    with pytest.raises(RuntimeError):
        torch.clamp(x)


def test_row_045_fill_in_place(torch):
    assert torch.zeros(2).fill_(3).zero_().tolist() == [0.0, 0.0]
    with pytest.raises(RuntimeError, match="leaf"):
        torch.zeros(2, requires_grad=True).fill_(1)


def test_row_046_index_copy(torch):
    x = torch.zeros(3)
    assert x.index_copy_(0, torch.tensor([2, 0]), torch.tensor([1.0, 2.0])).tolist() == [2, 0, 1]
    with pytest.raises(RuntimeError):
        x.index_copy_(0, torch.tensor([0], dtype=torch.int32), torch.ones(1))


def test_row_047_scatter(torch):
    index = torch.tensor([[1, 0]])
    assert torch.zeros(2, 2).scatter_(0, index, 5.0).tolist() == [[0.0, 5.0], [5.0, 0.0]]
    src = torch.tensor([[1.0, 2.0]], requires_grad=True)
    torch.zeros(2, 2).scatter(0, index, src).sum().backward()
    assert src.grad.tolist() == [[1.0, 1.0]]


def test_row_048_copies(torch):
    x = torch.ones(2, requires_grad=True)
    assert x.clone().grad_fn is not None
    assert x.detach().clone().is_leaf
    twin = copy.deepcopy(x)
    assert twin.is_leaf
    assert twin.requires_grad
    with pytest.raises(RuntimeError):
        copy.deepcopy(x * 2)


def test_row_049_repeat_tiles(torch):
    x = torch.tensor([1, 2])
    assert x.repeat(2, 2).tolist() == [[1, 2, 1, 2]] * 2
    assert x.repeat_interleave(2).tolist() == [1, 1, 2, 2]
    with pytest.raises(RuntimeError):
        torch.zeros(2, 2).repeat(2)


def test_row_050_stack_and_cat(torch):
    a, b = torch.zeros(2), torch.ones(2)
    assert torch.stack([a, b], dim=1).tolist() == [[0.0, 1.0]] * 2
    out = torch.empty(4)
    assert torch.cat([a, b], out=out) is out
    assert out.tolist() == [0.0, 0.0, 1.0, 1.0]
    assert torch.cat([torch.empty(0), torch.ones(1, 2)]).shape == (1, 2)
    assert torch.concat([a, b]).tolist() == torch.concatenate([a, b]).tolist() == out.tolist()


def test_row_051_eq_keeps_the_dtype_in_place(torch):
    x = torch.tensor([1.0, 2.0])
    assert x.eq(1).dtype is torch.bool
    assert x.eq_(torch.tensor([1.0, 3.0])).tolist() == [1.0, 0.0]
    assert x.dtype is torch.float32


def test_row_052_mm_takes_matrices(torch):
    assert torch.mm(torch.ones(2, 3), torch.ones(3, 4)).tolist() == [[3.0] * 4] * 2
    with pytest.raises(RuntimeError, match="matrix"):
        torch.mm(torch.ones(3), torch.ones(3, 4))
    with pytest.raises(AttributeError, match="Mm"):
        _ = torch.Mm


def test_row_053_matmul(torch):
    assert torch.matmul(torch.ones(3), torch.ones(3)).item() == 3.0
    assert torch.matmul(torch.ones(5, 1, 2, 3), torch.ones(4, 3, 2)).shape == (5, 4, 2, 2)


def test_row_056_numpy_shares_and_refuses(torch):
    x = torch.zeros(2)
    x.numpy()[0] = 5
    assert x[0].item() == 5.0
    with pytest.raises(RuntimeError, match="detach\\(\\)"):
        torch.zeros(2, requires_grad=True).numpy()
    with pytest.raises(TypeError):
        torch.eye(2).to_sparse().numpy()


def test_row_057_coo_from_numpy(torch):
    scipy = pytest.importorskip("scipy.sparse")
    assert scipy.coo_matrix(torch.eye(2).numpy()).nnz == 2


def test_row_058_coo_and_a_constant(torch):
    scipy = pytest.importorskip("scipy.sparse")
    m = scipy.coo_matrix(torch.eye(2).numpy())
    with pytest.raises(NotImplementedError):
        m + 1
    assert (m * 2).sum() == 4.0


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_row_059_coo_and_a_tensor(torch):
    scipy = pytest.importorskip("scipy.sparse")
    m = scipy.coo_matrix(np.eye(2, dtype=np.float32))
    with pytest.raises(TypeError):
        m + torch.ones(2, 2)


def test_row_060_sparse_arithmetic(torch):
    s = torch.eye(2).to_sparse()
    assert (torch.ones(2, 2) + s).tolist() == [[2.0, 1.0], [1.0, 2.0]]
    assert (s * 3).to_dense().tolist() == [[3.0, 0.0], [0.0, 3.0]]
