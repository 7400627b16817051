"""Masked reductions of sparse tensors: what is kept and what the mask lets count."""

from __future__ import annotations

import pytest

import flambeau as torch


def _coo():
    return torch.tensor([[1.0, 0.0, 2.0], [0.0, 3.0, 4.0]]).to_sparse()


def _mask():
    return torch.tensor([[True, True, False], [False, True, True]]).to_sparse()


@pytest.mark.parametrize(
    ("name", "rows"), [("sum", [1.0, 7.0]), ("prod", [1.0, 12.0]), ("amax", [1.0, 4.0])]
)
def test_what_the_mask_lets_count(name, rows):
    found = getattr(torch.masked, name)(_coo(), 1, mask=_mask())
    assert found.layout is torch.sparse_coo
    assert found.to_dense().tolist() == rows


def test_a_place_without_a_value_is_neutral():
    found = torch.masked.amin(_coo(), 0, mask=_mask())
    assert found.to_dense().tolist() == [1.0, 3.0, 4.0]
    assert torch.masked.amin(_coo(), 1, keepdim=True).shape == (2, 1)


def test_compressed_rows_keep_their_dimensions():
    found = torch.masked.mean(_coo().to_sparse_csr(), 1, keepdim=True, mask=_mask().to_sparse_csr())
    assert found.layout is torch.sparse_csr
    assert found.to_dense().tolist() == [[0.5], [3.5]]
    with pytest.raises(ValueError, match="keepdim"):
        torch.masked.sum(_coo().to_sparse_csr(), 1)
    with pytest.raises(ValueError, match="mask"):
        torch.masked.mean(_coo().to_sparse_csr(), 1, keepdim=True)
