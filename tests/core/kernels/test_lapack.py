"""NumPy's LAPACK functions called directly: `np.linalg`'s results, failures included."""

from __future__ import annotations

import numpy as np
import pytest

from flambeau.core.kernels import lapack

BATCHES = [(), (3,), (2, 2), (0,)]


def matrices(batch, rows, columns, dtype):
    rng = np.random.default_rng(0)
    found = rng.standard_normal((*batch, rows, columns))
    if np.dtype(dtype).kind == "c":
        found = found + 1j * rng.standard_normal(found.shape)
    return found.astype(dtype)


def same(found, expected):
    found, expected = (x if isinstance(x, tuple) else (x,) for x in (found, expected))
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", ["f4", "f8", "F", "D"])
@pytest.mark.parametrize("batch", BATCHES)
def test_values(batch, dtype):
    a, b = matrices(batch, 3, 3, dtype), matrices(batch, 3, 2, dtype)
    s = a @ a.swapaxes(-1, -2).conj() + 3 * np.eye(3, dtype=dtype)
    same(lapack.cholesky(s), np.linalg.cholesky(s))
    same(lapack.inv(a), np.linalg.inv(a))
    same(lapack.solve(a, b), np.linalg.solve(a, b))
    same(lapack.det(a), np.linalg.det(a))
    same(lapack.slogdet(a), tuple(np.linalg.slogdet(a)))
    for triangle in "LU":
        same(lapack.eigh(s, triangle), tuple(np.linalg.eigh(s, triangle)))
    for x in (a, b, b.swapaxes(-1, -2)):
        for full in (False, True):
            same(lapack.svd(x, full), tuple(np.linalg.svd(x, full_matrices=full)))
        if x.size:
            same(lapack.qr(x), tuple(np.linalg.qr(x)))


def test_failures():
    bad = np.stack([np.eye(2, dtype="f4"), np.zeros((2, 2), "f4")])
    for given in (bad, bad[1]):
        for call in (lapack.cholesky, lapack.inv, lambda x: lapack.solve(x, x)):
            with pytest.raises(np.linalg.LinAlgError):
                call(given)
    nan = np.full((2, 2), np.nan, "f4")
    for name, rest in (("inv", ()), ("eigh", ()), ("svd", (True,)), ("cholesky", ())):
        found = []
        for room in (lapack, np.linalg):
            try:
                found.append(getattr(room, name)(nan, *rest))
            except np.linalg.LinAlgError as error:
                found.append((np.array(str(error)),))
        same(*[tuple(x) if isinstance(x, tuple) else x for x in found])


def test_where_numpy_has_no_such_function(monkeypatch):
    a = matrices((), 3, 3, "f4")
    monkeypatch.setattr(lapack, "_functions", dict.fromkeys(
        ("cholesky_lo", "inv", "solve", "det", "slogdet", "eigh_lo", "svd_f", "qr_r_raw",
         "qr_reduced")))  # fmt: skip
    same(lapack.inv(a), np.linalg.inv(a))
    same(lapack.solve(a, a), np.linalg.solve(a, a))
    same(lapack.det(a), np.linalg.det(a))
    same(lapack.qr(a), tuple(np.linalg.qr(a)))
    same(lapack.svd(a, True), tuple(np.linalg.svd(a)))
