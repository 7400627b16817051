"""Window functions: symmetric and periodic ones, known values, errors."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau as torch
from flambeau.signal import windows


@pytest.mark.parametrize("name", windows.__all__)
def test_ends_of_the_range(name):
    f = getattr(windows, name)
    more = {"a": [0.5, 0.5]} if name == "general_cosine" else {}
    assert f(0, **more).shape == (0,) and f(1, **more).tolist() == [1.0]
    whole = f(9, **more)
    assert np.allclose(whole.numpy(), whole.numpy()[::-1], atol=1e-6)
    periodic = f(8, sym=False, **more)
    assert np.allclose(periodic.numpy(), whole.numpy()[:8], atol=1e-6)


def test_top_level_windows_are_numpys():
    for name in ("bartlett", "hamming", "blackman"):
        ours = getattr(torch, f"{name}_window")(7, periodic=False, dtype=torch.float64)
        assert np.allclose(ours.numpy(), getattr(np, name)(7))
    assert np.allclose(torch.hann_window(7, False).numpy(), np.hanning(7))
    assert np.allclose(torch.kaiser_window(7, False, 5.0).numpy(), np.kaiser(7, 5.0))


def test_errors():
    with pytest.raises(ValueError, match="non-negative window length"):
        windows.hann(-1)
    with pytest.raises(ValueError, match="float32 or float64"):
        windows.hann(4, dtype=torch.int64)
    with pytest.raises(RuntimeError, match="non-negative window_length"):
        torch.hann_window(-1)


@pytest.mark.parity
@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("name", ["bartlett", "blackman"])
def test_windows_round_as_pytorchs(oracle, name, periodic):
    for length in (6, 7, 10):
        ours = getattr(torch, f"{name}_window")(length, periodic=periodic)
        theirs = getattr(oracle, f"{name}_window")(length, periodic=periodic)
        assert (ours.numpy() == theirs.numpy()).all()
