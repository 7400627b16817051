"""Singular vectors of wide matrices: PyTorch's signs and its basis of the null space."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import flambeau
from flambeau.core.kernels.bidiagonal import is_wide, wide_svd

SHAPES = [(2, 5), (3, 5), (3, 8), (4, 7), (4, 3, 20), (2, 3, 5, 12), (12, 30)]


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_vectors_are_pytorchs(shape: tuple[int, ...], full: bool, oracle: Any) -> None:
    a = np.random.default_rng(0).standard_normal(shape)
    assert is_wide(a)
    theirs = oracle.linalg.svd(oracle.from_numpy(a), full_matrices=full)
    ours = flambeau.linalg.svd(flambeau.from_numpy(a), full_matrices=full)
    for mine, other in zip(ours, theirs, strict=True):
        assert np.allclose(mine.numpy(), other.numpy(), rtol=1e-10, atol=1e-10)
        assert mine.stride() == other.stride()


@pytest.mark.parametrize("a", [np.zeros((2, 5)), np.ones((3, 7)), np.eye(3, 8), np.ones((0, 2, 6))])
def test_what_has_no_full_rank(a: Any) -> None:
    u, s, vh = wide_svd(a, True)
    m = a.shape[-2]
    assert np.allclose((u * s[..., None, :]) @ vh[..., :m, :], a)
    assert np.allclose(vh @ vh.swapaxes(-1, -2), np.eye(a.shape[-1]))
    assert (np.diff(s) <= 0).all()


def test_square_and_tall_ones_are_numpys() -> None:
    assert not any(is_wide(np.ones(shape)) for shape in ((5, 5), (8, 3), (4, 5), (1, 4), (90, 400)))
    assert not is_wide(np.ones((3, 8), complex))
