"""Special functions: identities and known values to float64, gradients of both orders, refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest

import flambeau as torch
from flambeau import special
from flambeau.autograd.gradcheck import gradcheck, gradgradcheck

D = torch.float64


def column(values: object) -> torch.Tensor:
    return torch.tensor(values, dtype=D, requires_grad=True)


def test_error_functions_against_the_standard_library() -> None:
    x = np.linspace(-6, 6, 301)
    assert np.allclose(
        torch.erf(torch.from_numpy(x)).numpy(), [math.erf(v) for v in x], rtol=1e-15, atol=0
    )
    assert np.allclose(
        torch.erfc(torch.from_numpy(x)).numpy(), [math.erfc(v) for v in x], rtol=1e-13, atol=0
    )


def test_gamma_against_the_standard_library() -> None:
    x = np.concatenate([np.linspace(0.01, 20, 301), np.linspace(-4.9, -0.1, 50), [1e5, 1e300]])
    assert np.allclose(
        torch.lgamma(torch.from_numpy(x)).numpy(),
        [math.lgamma(v) for v in x],
        rtol=1e-13,
        atol=1e-14,
    )
    euler = 0.5772156649015329
    assert torch.digamma(torch.tensor(1.0, dtype=D)).item() == pytest.approx(-euler, rel=1e-14)
    assert torch.polygamma(1, torch.tensor(1.0, dtype=D)).item() == pytest.approx(
        math.pi**2 / 6, rel=1e-14
    )
    assert special.zeta(torch.tensor(4.0, dtype=D), 1.0).item() == pytest.approx(
        math.pi**4 / 90, rel=1e-14
    )


def test_inverses() -> None:
    x = torch.tensor([-0.999999, -0.5, 0.0, 0.3, 0.7, 1 - 1e-12], dtype=D)
    assert torch.allclose(torch.erf(torch.erfinv(x)), x, rtol=1e-14, atol=0)
    p = torch.tensor([1e-300, 1e-20, 0.01, 0.5, 0.9], dtype=D)
    assert torch.allclose(special.log_ndtr(special.ndtri(p)), torch.log(p), rtol=1e-12, atol=1e-14)
    assert torch.erfinv(torch.tensor([1.0, 2.0])).tolist()[0] == math.inf


def test_bessel_wronskians() -> None:
    x = torch.tensor([0.1, 0.9, 2.0, 5.0, 7.9, 8.1, 30.0], dtype=D)
    j0, j1, y0, y1 = (getattr(special, "bessel_" + n)(x) for n in ("j0", "j1", "y0", "y1"))
    assert torch.allclose(j1 * y0 - j0 * y1, 2 / (math.pi * x), rtol=1e-12, atol=0)
    i0, i1, k0, k1 = (getattr(special, "modified_bessel_" + n)(x) for n in ("i0", "i1", "k0", "k1"))
    assert torch.allclose(i0 * k1 + i1 * k0, 1 / x, rtol=1e-12, atol=0)
    assert torch.allclose(special.i0e(x), torch.exp(-x) * torch.i0(x), rtol=1e-13, atol=0)


def test_airy_solves_its_equation() -> None:
    """Ai'' = x Ai, by central differences across the seams of the three forms."""
    x = torch.tensor([-20.0, -6.0, -1.0, 0.5, 2.0, 4.0], dtype=D)
    h = 1e-3
    ai = special.airy_ai
    second = (ai(x + h) - 2 * ai(x) + ai(x - h)) / h**2
    assert torch.allclose(second, x * ai(x), rtol=1e-4, atol=1e-6)


def test_incomplete_gamma() -> None:
    x = torch.tensor([0.1, 1.0, 3.0, 30.0], dtype=D)
    assert torch.allclose(torch.igamma(torch.ones_like(x), x), -torch.expm1(-x), rtol=1e-14, atol=0)
    a = torch.tensor([0.5, 2.0, 30.0, 500.0], dtype=D)
    assert torch.allclose(
        torch.igamma(a, x) + torch.igammac(a, x), torch.ones_like(x), rtol=1e-14, atol=0
    )
    assert gradcheck(lambda x: torch.igamma(a, x), (x.requires_grad_(),))
    with pytest.raises(NotImplementedError):
        torch.igamma(column([1.0]), torch.ones(1, dtype=D)).backward()


@pytest.mark.parametrize(
    ("function", "points"),
    [
        (torch.erf, [-1.5, 0.0, 0.4]), (torch.erfc, [-1.5, 0.2]), (torch.erfinv, [-0.7, 0.1]), (special.erfcx, [-1.0, 2.0]),
        (torch.lgamma, [0.4, 3.0]), (torch.digamma, [0.4, 3.0]), (torch.i0, [-1.0, 2.0]), (special.i0e, [-1.0, 2.0]),
        (special.i1, [-1.0, 2.0]), (special.i1e, [-1.0, 2.0]), (special.ndtr, [-1.0, 2.0]), (special.ndtri, [0.2, 0.7]),
        (special.log_ndtr, [-3.0, 2.0]), (special.entr, [0.2, 0.7]), (lambda x: torch.mvlgamma(x, 3), [2.2, 5.0]),
        (lambda x: torch.polygamma(2, x), [0.7, 2.0]), (lambda x: special.zeta(3.0, x), [0.7, 2.0]),
    ],
)  # fmt: skip
def test_gradients(function: object, points: list[float]) -> None:
    assert gradcheck(function, (column(points),))
    assert gradgradcheck(function, (column(points),))


def test_x_log_y_is_zero_at_zero() -> None:
    x, y = column([0.0, 2.0]), column([0.0, 3.0])
    assert torch.xlogy(x, y).tolist() == [0.0, pytest.approx(2 * math.log(3))]
    torch.xlogy(x, y).sum().backward()
    assert x.grad[0].item() == 0.0  # type: ignore[index]
    assert math.isnan(torch.xlogy(torch.tensor(0.0), float("nan")).item())
    assert special.xlog1py(torch.tensor([0.0]), torch.tensor([-1.0])).item() == 0.0


def test_polynomials() -> None:
    x = np.linspace(-1.5, 1.5, 31)
    for name, basis in (
        ("chebyshev_polynomial_t", np.polynomial.Chebyshev), ("hermite_polynomial_h", np.polynomial.Hermite),
        ("hermite_polynomial_he", np.polynomial.HermiteE), ("laguerre_polynomial_l", np.polynomial.Laguerre),
        ("legendre_polynomial_p", np.polynomial.Legendre),
    ):  # fmt: skip
        for n in (0, 1, 4, 9):
            found = getattr(special, name)(torch.from_numpy(x), n).numpy()
            assert np.allclose(found, basis.basis(n)(x), rtol=1e-9, atol=1e-9), (name, n)
        assert getattr(special, name)(torch.tensor([0.5]), -1).item() == 0.0


def test_refusals_and_dtypes() -> None:
    assert torch.erf(torch.tensor([1])).dtype is torch.float32
    assert torch.lgamma(torch.tensor([2.5], dtype=torch.bfloat16)).dtype is torch.bfloat16
    with pytest.raises(NotImplementedError):
        special.bessel_j0(torch.tensor([1.0], dtype=torch.float16))
    with pytest.raises(NotImplementedError):
        torch.erf(torch.tensor([1j]))
    with pytest.raises(RuntimeError, match="negative"):
        torch.polygamma(-1, torch.tensor([1.0]))
    with pytest.raises(RuntimeError, match="greater than or equal to 1"):
        torch.mvlgamma(torch.tensor([1.0]), 0)


@pytest.mark.parametrize("size", [3, 300])
@pytest.mark.parametrize("name", ["erfc", "erfinv", "lgamma", "digamma", "i0", "isreal"])
def test_results_are_laid_out_as_the_input(name, size):
    x = torch.linspace(0.1, 0.9, 4 * size).view(4, size).t()
    made = getattr(torch, name)(x)
    assert made.stride() == (1, size)
    assert torch.equal(made, getattr(torch, name)(x.contiguous()))


@pytest.mark.parametrize("name", ["igamma", "igammac", "complex", "polar"])
def test_pairs_are_laid_out_as_the_input(name):
    x = torch.linspace(0.1, 0.9, 12).view(4, 3).t()
    assert getattr(torch, name)(x, x).stride() == (1, 3)


def test_polynomials_of_billionth_degree_end_early():
    x = torch.tensor([3.0, 0.5, 1.0])
    assert torch.special.hermite_polynomial_h(x, 10**9).isnan().all()
    found = torch.special.chebyshev_polynomial_t(x, 10**9)
    assert found[0].isnan()
    assert found[1:].abs().max() <= 1


def test_a_number_widens_nothing():
    assert special.xlog1py(torch.tensor(0.5), 2.67).dtype == torch.float32
    assert special.xlog1py(torch.tensor([0.5]), 2).dtype == torch.float32


def test_polynomials_of_degrees_that_no_integer_holds(oracle):
    def run(of):
        n = of.tensor([float("inf"), float("-inf"), float("nan"), 1e30, 3.0], dtype=of.float64)
        x = of.tensor([[1.0], [-1.0], [0.5], [2.0]], dtype=of.float64)
        names = ("chebyshev_polynomial_u", "hermite_polynomial_h", "legendre_polynomial_p")
        return [getattr(of.special, name)(x, n).tolist() for name in names]

    assert run(torch) == run(oracle)
