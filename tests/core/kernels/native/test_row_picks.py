"""Slices by number: NumPy's `take`, what is not served, and PyTorch's errors through the operations."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau as fb
from flambeau.core.kernels.jit import build
from flambeau.core.kernels.native import row_picks

needs_code = pytest.mark.skipif(not build.available(), reason="no code can be generated here")


def function(name):
    return row_picks.native(name, lambda *args: "the NumPy form")


@needs_code
@pytest.mark.parametrize("dtype", ["f4", "f8", "i8", "i4", "i2", "u1", "?", "F", "D", "f2"])
def test_values(dtype):
    x = (np.arange(60).reshape(3, 4, 5) % 7).astype(dtype)
    for dim in (0, 1, 2, -1):
        index = np.array([1, 0, 2, 2, 1])
        for found in (
            function("index_select")(x, dim, index), function("_index_one")(x, index, dim),
        ):  # fmt: skip
            assert np.array_equal(found, x.take(index, dim)) and found.dtype == x.dtype
            assert found.flags.c_contiguous and found.flags.owndata
    index = np.array([[0, 2], [1, 1]])
    assert np.array_equal(function("_index_one")(x, index, 1), x.take(index, 1))
    other = np.array([[1, 2], [0, 0]])
    assert np.array_equal(function("_index_pair")(x, index, other, 0), x[index, other])
    assert np.array_equal(function("_index_pair")(x, index, other, 1), x[:, index, other])
    for second, dim in ((other[0], 0), (other, 2), (other + 2, 0), (other - 1, 0), (other.T, 0)):
        assert function("_index_pair")(x, index, second, dim) == "the NumPy form"
    assert np.array_equal(function("_embedding")(x[0].copy(), index, -1, False), x[0][index])


@needs_code
def test_what_is_not_served():
    x, i = np.zeros((4, 5), "f4"), np.array([0, 3])
    for given in (
        (x.T, 0, i), (x, 2, i), (x, 0, i + 1), (x, 0, i - 1), (x, 0, i.astype("i4")),
        (x, 0, i[None]), (x, 0, i[:0]), (x, 0, i[::-1]), (x.astype("O"), 0, i), (x[0, 0], 0, i),
        (np.zeros((4, 1 << 13), "f4"), 0, i), (x, 0.0, i), (x,), (x, 0, [0, 1]),
    ):  # fmt: skip
        assert isinstance(function("index_select")(*given), str)


CODES = [
    "a.index_select(0, i)", "a.index_select(1, i)", "a[i]", "a[:, i]", "a[j]", "F.embedding(j, a)",
    "a[i - 2]", "a[i + 3]", "a.index_select(0, i + 3)", "F.embedding(i + 3, a)", "a[i.int()]",
    "a.index_select(0, j)", "a.T[i]", "a.T.index_select(0, i)", "F.embedding(i, a.T)",
    "F.embedding(i - 2, a)", "a[i[:0]]", "k[i]", "a[i, :2]", "F.embedding(i, a, padding_idx=1)",
    "a[:, i - 2]", "a[..., i]", "a[:, j]", "a.view(2, 2, 4)[:, :, i]", "a[:, i, :]", "a[1:, i]",
    "a[i, :]", "a[:, i + 3]", "a[:, i, None]", "a[:, i > 0]", "a[:, :, i]", "a[::2, i[:2]]",
    "a[i, i]", "a[i, i - 2]", "a[j, j]", "a[j, i[:2]]", "a[i[:, None], i]", "a[i, i + 3]", "k[i, i]",
    "a[i, i.int()]", "a[i, i > 0]", "a.view(2, 2, 4)[:, i[:2] // 2, i[:2]]", "a.T[i, i]", "a[i, j]",
    "a.view(2, 2, 4)[i[:2] // 2, :, i[:2]]", "a[i[0], i[0]]", "a[i[:0], i[:0]]", "a[0][i, i]",
]  # fmt: skip


@pytest.mark.parametrize("code", CODES)
def test_as_pytorch(oracle, code):
    found = []
    for torch in (fb, oracle):
        a = (torch.arange(16.0).view(4, 4) + 1).requires_grad_()
        names = {"a": a, "i": torch.tensor([2, 0, 2]), "j": torch.tensor([[0, 1], [3, 3]])}
        names |= {"F": torch.nn.functional, "k": torch.arange(8).view(4, 2)}
        try:
            made = eval(code, names)
        except Exception as error:
            found.append(type(error))
            continue
        if made.requires_grad:
            (made * made).sum().backward()
        gradient = None if a.grad is None else a.grad.tolist()
        found.append((made.tolist(), made.stride(), made.is_contiguous(), gradient))
    assert found[0] == found[1]
