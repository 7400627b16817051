"""The exponential of matrices: PyTorch's digits, far from the origin too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import flambeau
from flambeau.core.kernels.expm import expm

NORMS = (5e-8, 1e-5, 3e-3, 0.03, 0.1, 0.4, 1.2, 2.5, 8.0, 40.0)


def drawn(size: int, norm: float, count: int, kind: str) -> Any:
    a = np.random.default_rng(size).standard_normal((count, size, size))
    return (a / np.abs(a).sum(-2).max(-1)[:, None, None] * norm).astype(kind)


@pytest.mark.parametrize("kind", ["f4", "f8"])
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("size", [2, 5])
def test_digits(size: int, count: int, kind: str, oracle: Any) -> None:
    for norm in NORMS:
        a = drawn(size, norm, count, kind)
        theirs = oracle.linalg.matrix_exp(oracle.from_numpy(a)).numpy()
        assert np.array_equal(flambeau.linalg.matrix_exp(flambeau.from_numpy(a)).numpy(), theirs)


def test_complex_and_large(oracle: Any) -> None:
    a = drawn(12, 3.0, 2, "f8") + 1j * drawn(12, 2.0, 2, "f8")
    theirs = oracle.linalg.matrix_exp(oracle.from_numpy(a)).numpy()
    assert np.allclose(expm(a), theirs, rtol=1e-12, atol=1e-12)


def test_what_is_not_finite_stays_apart() -> None:
    a = drawn(3, 1.0, 2, "f4")
    a[0, 1, 1] = np.inf
    found = expm(a)
    assert np.isnan(found[0]).all()
    assert np.array_equal(found[1], expm(np.stack([a[1], a[1]]))[0])


def test_one_number_is_an_exponential() -> None:
    assert expm(np.array([[[2.0]], [[-1.0]]])).tolist() == np.exp([[[2.0]], [[-1.0]]]).tolist()
