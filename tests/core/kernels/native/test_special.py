"""Native special functions against their NumPy forms and, through operations, against PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau as torch
from flambeau.core.kernels import special, special_bessel, special_gamma
from flambeau.core.kernels.jit import build
from flambeau.core.kernels.native import choose
from flambeau.core.kernels.native.bessel import BESSEL
from flambeau.core.kernels.native.gammas import GAMMAS
from flambeau.core.kernels.native.special import SPECIAL
from flambeau.core.ops import bessel
from flambeau.core.ops import special as operations

FORMS = {
    "erfc": special.erfc, "erfinv": special.erfinv, "special_erfcx": special.erfcx,
    "special_ndtri": special.ndtri, "special_log_ndtr": special.log_ndtr,
    "lgamma": special_gamma.lgamma, "digamma": special_gamma.digamma,
    "trigamma": lambda x: special_gamma.polygamma(x, 1), "i0": special_bessel.i0,
    "special_i0e": special_bessel.i0e, "special_i1": special_bessel.i1,
    "special_i1e": special_bessel.i1e, "special_entr": operations._entr,
    "special_xlog1py": operations._xlog1py,
    "igamma": special_gamma.igamma, "igammac": special_gamma.igammac,
    "special_zeta": special_gamma.zeta, "mvlgamma": lambda x, p: special_gamma.mvlgamma(x, int(p)),
    "polygamma_of": lambda x, s, _: special_gamma.polygamma(x, int(s) - 1),
    **{f"special_{name}": kernel for name, (kernel, _) in bessel.PLAIN.items()},
}  # fmt: skip
FORMULAS = SPECIAL | BESSEL | GAMMAS
PARAMETERS = {"polygamma_of": (4.0, 6.0), "mvlgamma": (3.0,)}
ULPS = {
    "digamma": 1000,  # by pi / tan(pi x), next to a pole
    "special_zeta": 200,  # by powers of hundreds
    "special_airy_ai": 2000,  # by the order of its polynomial's sums
}
ATOL = {"f4": 1e-7, "f8": 1e-15}
"""Next to a zero of lgamma or digamma the digits are lost in both forms."""


def numbers(dtype):
    rng = np.random.default_rng(0)
    parts = [
        rng.normal(size=500) * 3, rng.uniform(-1, 1, 500), rng.uniform(0, 1, 300) ** 8,
        rng.normal(size=300) * 40, np.arange(-12.0, 13), np.arange(-6, 6) + 0.5,
        [0.0, -0.0, np.inf, np.nan, 1e-40, -1e-40, 1e8, 28, 27.9, 8, 3, 0.5, -0.5, 1e-16],
    ]  # fmt: skip
    return np.concatenate(parts).astype(dtype)


@pytest.mark.skipif(not build.available(), reason="there is only the NumPy form")
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("name", sorted(FORMULAS))
def test_the_numpy_form(name, dtype):
    def never(*arrays):
        raise AssertionError("these operands are the function's own")

    x = numbers(dtype)
    given = (x, x[::-1].copy())[: FORMULAS[name].arity]
    if name in PARAMETERS:
        given = (x, *PARAMETERS[name])
    with np.errstate(all="ignore"):
        want = FORMS[name](*given)
    got = choose.native(name, never, FORMULAS[name])(*given)
    assert got.dtype == want.dtype
    np.testing.assert_allclose(
        got, want, rtol=ULPS.get(name, 8) * np.finfo(dtype).eps, atol=ATOL[dtype]
    )


FUNCTIONS = (
    "erfc", "erfinv", "lgamma", "digamma", "i0", "sinc", "special.erfcx", "special.ndtri",
    "special.log_ndtr", "special.i0e", "special.i1", "special.i1e", "special.entr",
    *(f"special.{name}" for name in bessel.PLAIN),
)  # fmt: skip


def function(torch, name):
    found = torch
    for part in name.split("."):
        found = getattr(found, part)
    return found


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_as_pytorch(name, kind, oracle):
    # Whole numbers up to 0 are poles or their neighbours: PyTorch's own reflection is off there.
    edges = [0.0, -0.0, float("inf"), -float("inf"), float("nan"), 1.0, -1.0, 0.5, 100.0]
    values = [k / 7 + 0.01 for k in range(-40, 40)] + edges
    got, want = (
        np.array(function(t, name)(t.tensor(values, dtype=getattr(t, kind))).tolist())
        for t in (torch, oracle)
    )
    rough = "bessel_j" in name or "bessel_y" in name or "airy" in name
    tolerance = 3e-6 if kind == "float32" else 3e-6 if rough else 1e-12  # PyTorch's own digits
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_trigamma_as_pytorch(kind, oracle):
    values = [k / 7 + 0.01 for k in range(-20, 40)] + [float("inf"), 0.0, float("nan"), 1e6]
    values += [-1.0, -2.0, -50.0, -1000.0, -0.0, -float("inf")]
    got, want = (
        t.polygamma(1, t.tensor(values, dtype=getattr(t, kind))).tolist() for t in (torch, oracle)
    )
    np.testing.assert_allclose(got, want, rtol=1e-5)


EDGES = [0.0, -0.0, 0.3, -0.3, 1.0, 1.5, 2.0, -2.0, -2.5, 7.7, 16.5, 30.0, 150.0, 1113.0, 10701.0,
         1e5, 1e8, float("inf"), -float("inf"), float("nan")]  # fmt: skip


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("name", ["igamma", "igammac", "special.zeta"])
def test_pairs_as_pytorch(name, kind, oracle):
    pairs = [(a, b) for a in EDGES for b in EDGES]
    near = [(a, a * (1 + s * 0.07)) for a in (3.0, 16.0, 40.0, 700.0) for s in range(-8, 9)]
    left, right = zip(*pairs, *near, strict=True)
    got, want = (
        np.array(function(t, name)(
            t.tensor(left, dtype=getattr(t, kind)), t.tensor(right, dtype=getattr(t, kind))
        ).tolist())
        for t in (torch, oracle)
    )  # fmt: skip
    tolerance = 5e-6 if kind == "float32" else 1e-9  # PyTorch's own digits
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("n", [2, 3, 10])
def test_polygamma_as_pytorch(n, oracle):
    values = [-7.5, -2.5, -1.0, -0.3, 0.0, 0.2, 1.0, 3.7, 40.0, 1e6, float("inf"), float("nan")]
    got, want = (
        t.polygamma(n, t.tensor(values, dtype=t.float64)).tolist() for t in (torch, oracle)
    )
    np.testing.assert_allclose(got, want, rtol=1e-9)


@pytest.mark.parametrize("p", [1, 2, 4, 7])
def test_mvlgamma_as_pytorch(p, oracle):
    values = [p / 2 - 0.4, p + 0.3, 9.0, 33.3, 1e4]
    for kind, tolerance in (("float32", 3e-6), ("float64", 1e-13)):
        got, want = (
            t.mvlgamma(t.tensor(values, dtype=getattr(t, kind)), p).tolist()
            for t in (torch, oracle)
        )
        np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


def test_the_factor_of_a_high_derivative_is_endless(oracle):
    got, want = (t.polygamma(200, t.tensor([0.5, 2.0])).tolist() for t in (torch, oracle))
    np.testing.assert_allclose(got, want)
