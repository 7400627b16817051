"""sin, cos and tan near 0 and far away: PyTorch's numbers."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau as torch


def angles(kind):
    rng = np.random.default_rng(0)
    sizes = [1e-8, 1.0, 30.0, 9e4, 1.1e5, 1e9, 1.1e9, 1e15, 1e22, 1e37]
    sizes += [1e100, 1e300] if kind == "float64" else []
    parts = [rng.normal(size=100) * size for size in sizes]
    return np.concatenate(
        [*parts, [0.0, -0.0, np.pi, np.pi / 2, 1e-310, np.inf, -np.inf, np.nan]]
    ).astype(kind)


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_as_pytorch(name, kind, oracle):
    x = angles(kind)
    got, want = (getattr(t, name)(t.from_numpy(x.copy())).numpy() for t in (torch, oracle))
    eps = np.finfo(kind).eps
    np.testing.assert_allclose(got, want, rtol=8 * eps, atol=2 * eps)
    assert np.signbit(got[x == 0]).tolist() == np.signbit(want[x == 0]).tolist()


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_written_in_place_where_one_is_far(name, oracle):
    """More than one piece, the large angle in the second; strides that are not an element's."""
    x = np.linspace(-50, 50, 5000)
    x[4000] = 1e18
    got, want = (
        getattr(t, name + "_")(t.from_numpy(x.copy())[::2]).numpy() for t in (torch, oracle)
    )
    np.testing.assert_allclose(got, want, rtol=1e-14, atol=1e-15)
    got, want = (getattr(t, name + "_")(t.from_numpy(x.copy())).numpy() for t in (torch, oracle))
    np.testing.assert_allclose(got, want, rtol=1e-14, atol=1e-15)
