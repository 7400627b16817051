"""Forms of the notes that PyTorch refuses today: understood with a warning that names today's."""

from __future__ import annotations

import pytest

import flambeau as torch
from flambeau import compat


def _byte_mask():
    return torch.tensor([1, 0, 1], dtype=torch.uint8)


def test_row_028_masked_select_takes_bytes():
    x = torch.arange(3.0)
    with pytest.warns(compat.LegacyWarning, match="mask != 0") as caught:
        assert torch.masked_select(x, _byte_mask()).tolist() == [0.0, 2.0]
    assert caught[0].filename == __file__
    with compat.strict(), pytest.raises(RuntimeError, match="boolean"):
        torch.masked_select(x, _byte_mask())


def test_row_028_byte_tensor_takes_comparisons():
    x = torch.arange(3.0)
    with pytest.warns(compat.LegacyWarning, match="uint8") as caught:
        mask = torch.ByteTensor(x > 0)
    assert caught[0].filename == __file__
    assert (mask.dtype, mask.tolist()) == (torch.uint8, [0, 1, 1])
    with compat.strict(), pytest.raises(TypeError, match="ByteTensor"):
        torch.ByteTensor(x > 0)


def test_row_028_where_and_indexing_take_bytes():
    x = torch.arange(3.0)
    with pytest.warns(UserWarning, match="uint8"):
        assert x[_byte_mask()].tolist() == [0.0, 2.0]
    assert torch.where(_byte_mask() != 0, x, -1.0).tolist() == [0.0, -1.0, 2.0]


def test_row_081_retain_variables():
    x = torch.ones(1, requires_grad=True)
    y = (x**2).sum()
    with pytest.warns(compat.LegacyWarning, match="retain_graph=") as caught:
        y.backward(retain_variables=True)
    assert caught[0].filename == __file__
    y.backward()
    assert x.grad.item() == 4.0
    with compat.strict(), pytest.raises(TypeError, match="retain_variables"):
        y.backward(retain_variables=True)
    with pytest.raises(TypeError, match="unexpected keyword argument 'retain'"):
        y.backward(retain=True)
