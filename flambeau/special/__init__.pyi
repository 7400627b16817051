"""Special functions under the names of ``torch.special``.

Written by scripts/stubs.py; change what it was made from."""

from typing import Any as Any
from typing import Any as _Any

from flambeau.core.declare import ops as ops
from flambeau.core.ops.bessel import PLAIN as PLAIN
from flambeau.core.ops.polynomial import POLYNOMIALS as POLYNOMIALS
from flambeau.core.tensor import Tensor as Tensor
from flambeau.core.tensor import Tensor as _Tensor

def airy_ai(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """Airy's function Ai."""

def bessel_j0(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The Bessel function of the first kind and order 0."""

def bessel_j1(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The Bessel function of the first kind and order 1."""

def bessel_y0(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The Bessel function of the second kind and order 0."""

def bessel_y1(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The Bessel function of the second kind and order 1."""

def chebyshev_polynomial_t(
    input: _Tensor,
    n: _Tensor | complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The Chebyshev polynomial of the first kind. `n` is cut to a whole number; 0 ..."""

def chebyshev_polynomial_u(
    input: _Tensor,
    n: _Tensor | complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The Chebyshev polynomial of the second kind. `n` is cut to a whole number; 0 ..."""

def chebyshev_polynomial_v(
    input: _Tensor,
    n: _Tensor | complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The Chebyshev polynomial of the third kind. `n` is cut to a whole number; 0 ..."""

def chebyshev_polynomial_w(
    input: _Tensor,
    n: _Tensor | complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The Chebyshev polynomial of the fourth kind. `n` is cut to a whole number; 0 ..."""

def digamma(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The derivative of lgamma."""

def entr(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``-input * log(input)``, 0 at 0 and -inf below."""

def erf(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The error function, ``2 / sqrt(pi)`` times the integral of ``exp(-t^2)`` from 0 ..."""

def erfc(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``1 - erf(input)``, accurate in the tail."""

def erfcx(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``exp(input^2) erfc(input)``."""

def erfinv(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The inverse of erf on (-1, 1)."""

def exp2(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``2 ** input``."""

def expit(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``1 / (1 + exp(-input))``: sigmoid."""

def expm1(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``e ** input - 1``, exact for small input."""

def gammainc(input: _Tensor, other: _Tensor | complex, *, out: _Tensor | None = None) -> _Tensor:
    """The regularised lower incomplete gamma function P(input, other)."""

def gammaincc(input: _Tensor, other: _Tensor | complex, *, out: _Tensor | None = None) -> _Tensor:
    """The regularised upper incomplete gamma function ``1 - igamma(input, other)``."""

def gammaln(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``log |gamma(input)|``."""

def hermite_polynomial_h(
    input: _Tensor,
    n: _Tensor | complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The physicists' Hermite polynomial. `n` is cut to a whole number; 0 where it is ..."""

def hermite_polynomial_he(
    input: _Tensor,
    n: _Tensor | complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The probabilists' Hermite polynomial. `n` is cut to a whole number; 0 where it ..."""

def i0(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The modified Bessel function of the first kind and order 0."""

def i0e(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``exp(-|input|) i0(input)``."""

def i1(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The modified Bessel function of the first kind and order 1."""

def i1e(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``exp(-|input|) i1(input)``."""

def laguerre_polynomial_l(
    input: _Tensor,
    n: _Tensor | complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The Laguerre polynomial. `n` is cut to a whole number; 0 where it is negative."""

def legendre_polynomial_p(
    input: _Tensor,
    n: _Tensor | complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The Legendre polynomial. `n` is cut to a whole number; 0 where it is negative."""

def log1p(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``log(1 + input)``, exact for small input."""

def log_ndtr(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``log(ndtr(input))``, accurate far in the left tail."""

def log_softmax(
    input: _Tensor,
    dim: _Any = None,
    *,
    dtype: _Any = None,
    axis: _Any = None,
) -> _Tensor:
    """``log(softmax(input))`` along `dim`."""

def logit(input: _Tensor, eps: float | None = None, *, out: _Tensor | None = None) -> _Tensor:
    """``log(input / (1 - input))``, the inverse of sigmoid; with `eps` the input is ..."""

def logsumexp(
    input: _Tensor,
    dim: _Any,
    keepdim: bool = False,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """``log(sum(exp(input)))`` over `dim`."""

def modified_bessel_i0(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The modified Bessel function of the first kind and order 0."""

def modified_bessel_i1(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The modified Bessel function of the first kind and order 1."""

def modified_bessel_k0(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The modified Bessel function of the second kind and order 0."""

def modified_bessel_k1(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The modified Bessel function of the second kind and order 1."""

def multigammaln(input: _Tensor, p: int, *, out: _Tensor | None = None) -> _Tensor:
    """``log gamma_p(input)``: the multivariate gamma function's logarithm, of ..."""

def ndtr(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The standard normal distribution's cumulative function, ``(1 + erf(input / ..."""

def ndtri(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The inverse of ndtr."""

def polygamma(n: int, input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The n-th derivative of digamma at `input`."""

def psi(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """The derivative of lgamma."""

def round(input: _Tensor, *, decimals: int | None = None, out: _Tensor | None = None) -> _Tensor:
    """The nearest whole number, halves to even; to `decimals` places (of tens, where ..."""

def scaled_modified_bessel_k0(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``exp(input) modified_bessel_k0(input)``."""

def scaled_modified_bessel_k1(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``exp(input) modified_bessel_k1(input)``."""

def shifted_chebyshev_polynomial_t(
    input: _Tensor,
    n: _Tensor | complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The first kind, at 2 x - 1. `n` is cut to a whole number; 0 where it is negative."""

def shifted_chebyshev_polynomial_u(
    input: _Tensor,
    n: _Tensor | complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The second kind, at 2 x - 1. `n` is cut to a whole number; 0 where it is negative."""

def shifted_chebyshev_polynomial_v(
    input: _Tensor,
    n: _Tensor | complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The third kind, at 2 x - 1. `n` is cut to a whole number; 0 where it is negative."""

def shifted_chebyshev_polynomial_w(
    input: _Tensor,
    n: _Tensor | complex,
    *,
    out: _Tensor | None = None,
) -> _Tensor:
    """The fourth kind, at 2 x - 1. `n` is cut to a whole number; 0 where it is negative."""

def sinc(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``sin(pi input) / (pi input)``, 1 at 0."""

def softmax(input: _Tensor, dim: _Any = None, dtype: _Any = None, *, axis: _Any = None) -> _Tensor:
    """``exp(input) / sum(exp(input))`` along `dim`."""

def spherical_bessel_j0(input: _Tensor, *, out: _Tensor | None = None) -> _Tensor:
    """``sin(input) / input``, 1 at 0."""

def xlog1py(input: _Tensor, other: _Tensor | complex, *, out: _Tensor | None = None) -> _Tensor:
    """``input * log1p(other)``, 0 where input is 0 and NaN where other is."""

def xlogy(input: _Tensor, other: _Tensor | complex, *, out: _Tensor | None = None) -> _Tensor:
    """``input * log(other)``, 0 where input is 0 and NaN where other is."""

def zeta(input: _Tensor, other: _Tensor | complex, *, out: _Tensor | None = None) -> _Tensor:
    """Hurwitz's zeta function ``sum_k (k + other) ** -input``."""
