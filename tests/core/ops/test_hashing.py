"""hash_tensor: exclusive or of 64-bit patterns."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau as torch


def test_the_hash_is_the_exclusive_or_of_the_bits():
    x = torch.tensor([[1.5, -2.0, 3.0], [0.0, 4.0, 5.0]])
    bits = x.double().numpy().view(np.uint64)
    assert torch.hash_tensor(x).item() == np.bitwise_xor.reduce(bits.reshape(-1))
    rows = torch.hash_tensor(x, 1, keepdim=True)
    assert rows.dtype is torch.uint64
    assert rows.tolist() == np.bitwise_xor.reduce(bits, axis=1, keepdims=True).tolist()


def test_truth_values_and_small_integers_count_as_int64():
    assert torch.hash_tensor(torch.tensor([True, True, True])).item() == 1
    assert torch.hash_tensor(torch.tensor([-1], dtype=torch.int8)).item() == 2**64 - 1


def test_what_has_no_hash_is_refused():
    with pytest.raises(RuntimeError, match="mode"):
        torch.hash_tensor(torch.ones(2), mode=1)
    with pytest.raises(RuntimeError, match="reduction dim"):
        torch.hash_tensor(torch.ones(0))
    with pytest.raises(IndexError, match="non-zero"):
        torch.hash_tensor(torch.ones(0, 3), 0)
