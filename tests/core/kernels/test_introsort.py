"""Of equal elements sort, topk, kthvalue and mode name those that PyTorch names."""

import numpy as np
import pytest

import flambeau as torch

rng = np.random.default_rng(0)


@pytest.mark.parametrize("size", [1, 2, 15, 16, 17, 33, 100, 1000])
@pytest.mark.parametrize("distinct", [2, 5, 50])
@pytest.mark.parametrize("descending", [False, True])
def test_indices_of_equal_elements_are_pytorchs(oracle, size, distinct, descending):
    rows = rng.integers(0, distinct, (3, size))
    ours, theirs = torch.from_numpy(rows), oracle.from_numpy(rows)
    assert ours.sort(descending=descending).indices.tolist() == (
        theirs.sort(descending=descending).indices.tolist()
    )
    for k in {1, size // 2 + 1, size}:
        for in_order in (True, False):
            mine = ours.topk(k, largest=descending, sorted=in_order).indices.tolist()
            assert mine == theirs.topk(k, largest=descending, sorted=in_order).indices.tolist()
        assert ours.kthvalue(k).indices.tolist() == theirs.kthvalue(k).indices.tolist()
    assert ours.mode().indices.tolist() == theirs.mode().indices.tolist()
    assert ours.median(1).indices.tolist() == theirs.median(1).indices.tolist()


@pytest.mark.parametrize("size", [5, 20, 200])
@pytest.mark.parametrize("largest", [False, True])
def test_nans_are_equal_elements(oracle, size, largest):
    rows = rng.integers(0, 6, (3, size)).astype(np.float32)
    rows[rows > 2] = np.nan
    ours, theirs = torch.from_numpy(rows), oracle.from_numpy(rows)
    assert ours.sort(descending=largest).indices.tolist() == (
        theirs.sort(descending=largest).indices.tolist()
    )
    for k in (2, size - 1, size):
        assert ours.topk(k, largest=largest).indices.tolist() == (
            theirs.topk(k, largest=largest).indices.tolist()
        )
        assert ours.kthvalue(k).indices.tolist() == theirs.kthvalue(k).indices.tolist()
