"""Fourier transforms by generated code against NumPy's in double precision: every kind of length,
few and many rows, columns, both directions, layouts in memory, threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from flambeau.core import threads
from flambeau.core.kernels import fft, fft_lengths, fft_plans
from flambeau.core.kernels.jit import build
from flambeau.core.kernels.native.prepared import launch

pytestmark = pytest.mark.skipif(not build.available(), reason="no code can be generated here")

LENGTHS = [1, 2, 3, 5, 8, 11, 15, 16, 17, 37, 60, 64, 74, 128, 256, 1000, 1009, 4096]
ERROR = {"c8": 5e-7, "c16": 1e-15}  # relative to the largest number, as the root of the mean square


def _numbers(shape: Any, dtype: str) -> Any:
    rng = np.random.default_rng(1)
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(dtype)


def along(kind: str, x: Any, found: Any, axis: int, n: int, swapped: bool, scale: float) -> bool:
    """Transform along one axis into an array."""
    plans = fft_plans.planned(
        kind, x.real.dtype, n, swapped, scale, axis % x.ndim,
        fft_plans.Array(x.shape, x.strides), fft_plans.Array(found.shape, found.strides),
    )  # fmt: skip
    if plans is None:
        return False
    between = np.empty(plans[1], "u1")
    for k, plan in enumerate(plans[0]):
        source = x if k == 0 else between
        target = found if k == len(plans[0]) - 1 else between
        launch()(plan.words, source, target, np.empty(plan.scratch, "u1"))
    return True


def _near(found: Any, wanted: Any, dtype: str) -> None:
    assert found.shape == wanted.shape
    size = np.sqrt(np.mean(np.abs(wanted) ** 2)) + 1e-300
    assert np.abs(found - wanted).max() / size < 10 * ERROR[dtype]


@pytest.mark.parametrize("dtype", ["c8", "c16"])
@pytest.mark.parametrize("n", LENGTHS)
def test_rows(n: int, dtype: str) -> None:
    real = fft.REAL[np.dtype(dtype)]
    for batch in ((), (3,), (37,)):
        x = _numbers((*batch, n), dtype)
        wide = x.astype("c16")
        for swapped in (False, True):
            found = np.empty_like(x)
            assert along("c2c", x, found, -1, n, swapped, 0.5)
            way = np.fft.ifft(wide, norm="forward") if swapped else np.fft.fft(wide)
            _near(found, way / 2, dtype)
        given = x.real.copy()
        found = np.empty((*batch, n // 2 + 1), dtype)
        assert along("r2c", given, found, -1, n, False, 2.0)
        _near(found, np.fft.rfft(wide.real) * 2, dtype)
        half = x[..., : n // 2 + 1].copy()
        found = np.empty((*batch, n), real)
        assert along("c2r", half, found, -1, n, True, 2.0)
        wanted = np.fft.irfft(wide[..., : n // 2 + 1], n, norm="forward") * 2
        _near(found, wanted, dtype)


@pytest.mark.parametrize("dtype", ["c8", "c16"])
@pytest.mark.parametrize("n", [2, 5, 8, 60, 74, 128])
def test_columns_in_any_layout(n: int, dtype: str) -> None:
    """Columns to columns, columns to rows, and numbers that lie apart."""
    for outer, inner in ((1, 1), (2, 40), (3, 7)):
        x = _numbers((outer, n, inner), dtype)
        wanted = np.fft.fft(x.astype("c16"), axis=1)
        for found in (np.empty_like(x), np.empty((outer, inner, n), dtype).swapaxes(1, 2)):
            assert along("c2c", x, found, 1, n, False, 1.0)
            _near(found, wanted, dtype)
        real = x.real
        found = np.empty((outer, n // 2 + 1, inner), dtype)
        assert along("r2c", real, found, 1, n, False, 1.0)
        _near(found, np.fft.rfft(real.astype("f8"), axis=1), dtype)
        half = x[:, : n // 2 + 1]
        back = np.empty((outer, n, inner), real.dtype)
        assert along("c2r", half, back, 1, n, True, 1.0)
        _near(back, np.fft.irfft(half.astype("c16"), n, axis=1, norm="forward"), dtype)


@pytest.mark.parametrize("dtype", ["c8", "c16"])
def test_long_rows(dtype: str) -> None:
    for n in (1 << 18, 300000):
        x = _numbers((2, n), dtype)
        found = np.empty_like(x)
        assert along("c2c", x, found, -1, n, False, 1.0)
        _near(found, np.fft.fft(x.astype("c16")), dtype)
        assert along("c2c", x, x, -1, n, False, 1.0)
        assert np.array_equal(x, found)  # where the numbers lie


@pytest.mark.parametrize("shape", [(5, 6), (4, 7, 3), (2, 3, 8, 9)])
def test_whole_spectra_of_real_numbers(shape: tuple[int, ...]) -> None:
    x = _numbers(shape, "c16").real
    dim = tuple(range(len(shape)))
    _near(fft.r2c(x, dim, 1.0, False), np.fft.fftn(x), "c16")
    _near(fft.c2c(x + 0j, dim, 1.0, True), np.fft.fftn(x), "c16")
    half = np.fft.rfftn(x)
    _near(fft.c2r(half, dim, 1 / x.size, shape[-1]), x, "c16")


def test_threads_do_not_change_results() -> None:
    before = threads.count()
    cases = [(4096, 64), (300, 1000), (1, 1 << 18)]
    found: list[list[Any]] = []
    try:
        for count in (1, 2, 3):
            threads.set_count(count)
            found.append([fft.c2c(_numbers(shape, "c8"), (1,), 1.0, True) for shape in cases])
    finally:
        threads.set_count(before)
    for other in found[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(found[0], other, strict=True))


@pytest.mark.parametrize("n", [8, 60, 1000, 4096, 10007])
def test_errors_are_no_larger_than_pytorchs(n: int, oracle: Any) -> None:
    """As the root of the mean square, and at most a fifth larger for one length or another."""
    for dtype, wide in (("c8", "c16"), ("c16", "c32")):
        x = _numbers((8, n), dtype)
        j = np.arange(n)
        re, im = fft_lengths.turns(np.multiply.outer(j, j[:7]), n)
        matrix = re.astype(wide) + np.asarray(1j, wide) * im
        wanted = x.astype(wide) @ matrix
        found = fft.c2c(x, (1,), 1.0, True), oracle.fft.fft(oracle.tensor(x)).numpy()
        ours, theirs = (np.sqrt(np.mean(np.abs(y[:, :7] - wanted) ** 2)) for y in found)
        assert ours < 1.5 * theirs + 1e-30


def test_turns_are_rounded_once() -> None:
    n = 1 << 12
    re, im = fft_lengths.turns(np.arange(n), n)
    angle = np.arange(n).astype(np.longdouble) * (8 * np.arctan(np.longdouble(1)) / n)
    assert np.abs(re - np.cos(angle)).max() < 1e-16
    assert np.abs(im + np.sin(angle)).max() < 1e-16
    assert (re[n // 4], im[n // 4], re[n // 2]) == (0, -1, -1)
