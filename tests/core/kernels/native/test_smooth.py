"""The error function and the hypotenuse in double precision, to the last digit."""

import math

import numpy as np
import pytest

import flambeau as torch


def _units(found, want):
    return np.abs(found - want) / np.spacing(np.abs(want))


def test_erf_in_double_precision():
    x = np.concatenate([np.linspace(-7, 7, 5001), 10.0 ** np.linspace(-300, 0, 100), [1.0]])
    found = torch.erf(torch.tensor(x)).numpy()
    want = np.array([math.erf(each) for each in x])
    assert _units(found[x != 0], want[x != 0]).max() <= 2
    special = torch.erf(torch.tensor([0.0, -0.0, math.inf, -math.inf, math.nan] * 4).double())
    np.testing.assert_array_equal(special.numpy()[:5], [0, 0, 1, -1, math.nan])
    assert np.signbit(special.numpy()[1])


@pytest.mark.filterwarnings("ignore:overflow")
def test_hypot_in_double_precision(oracle):
    rng = np.random.default_rng(0)
    scale = 10.0 ** rng.integers(-320, 308, 2000)
    a, b = (rng.standard_normal(2000) * scale for _ in range(2))
    special = [
        (3, 4),
        (math.inf, math.nan),
        (math.nan, 1),
        (0, -0.0),
        (5e-324, 0),
        (1.7e308, 1e300),
    ]
    a, b = (np.concatenate([x, [pair[k] for pair in special]]) for k, x in enumerate((a, b)))
    found = torch.hypot(torch.tensor(a), torch.tensor(b)).numpy()
    want = np.array([math.hypot(*pair) for pair in zip(a, b, strict=True)])
    finite = np.isfinite(want) & (want > 0)
    assert _units(found[finite], want[finite]).max() <= 1
    theirs = oracle.hypot(oracle.tensor(a), oracle.tensor(b)).numpy()
    np.testing.assert_array_equal(found[~finite], theirs[~finite])
