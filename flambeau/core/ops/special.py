"""The error function's and the gamma function's families, entropy and x log y. Elementwise,
differentiable.

Bessel functions are in `bessel`, polynomials in `polynomial`. Stands on kernels.special and
kernels.special_gamma.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from flambeau.core.declare import composite, elementwise, ops
from flambeau.core.dtypes import REAL_FLOAT, Rule
from flambeau.core.errors import fail
from flambeau.core.kernels import special as error_functions
from flambeau.core.kernels import special_gamma as gammas
from flambeau.core.kernels.native.choose import lazily, offer
from flambeau.core.kernels.native.gammas import GAMMAS, mvlgamma_of
from flambeau.core.kernels.native.special import SPECIAL
from flambeau.core.kernels.order import row_major
from flambeau.core.methods import bind
from flambeau.core.ops.either import keep
from flambeau.core.output import write_one
from flambeau.core.tensor import Tensor

__all__: list[str] = []

_FLOATS = Rule("FLOATS", refuses=frozenset({"bool", "int", "complex", "float8"}))
_PRIVATE: dict[str, Any] = {"function": False, "method": False, "inplace": False}
_no_half = error_functions.no_half
offer(SPECIAL | GAMMAS)


@elementwise(
    types=REAL_FLOAT,
    kernel=error_functions.erf,
    upcast=True,
    inplace_function=True,
    vjp=lambda g, input: 1.1283791670955126 * ops.exp(-(input * input)) * g,
)
def erf(input):
    """The error function, ``2 / sqrt(pi)`` times the integral of ``exp(-t^2)`` from 0 to input."""
    return error_functions.erf(input)


@elementwise(
    types=REAL_FLOAT,
    kernel=error_functions.erfc,
    upcast=True,
    inplace_function=True,
    vjp=lambda g, input: -1.1283791670955126 * ops.exp(-(input * input)) * g,
)
def erfc(input):
    """``1 - erf(input)``, accurate in the tail."""
    return error_functions.erfc(input)


@elementwise(
    types=REAL_FLOAT,
    kernel=error_functions.erfinv,
    upcast=True,
    vjp=lambda g, out: 0.8862269254527579 * ops.exp(out * out) * g,
)
def erfinv(input):
    """The inverse of erf on (-1, 1)."""
    return error_functions.erfinv(input)


@elementwise(
    types=REAL_FLOAT,
    kernel=_no_half("erfcx", error_functions.erfcx),
    name="special_erfcx",
    **_PRIVATE,
    vjp=lambda g, input, out: (2 * input * out - 1.1283791670955126) * g,
)
def special_erfcx(input):
    """``exp(input^2) erfc(input)``."""
    return error_functions.erfcx(input)


@composite(name="special_ndtr", function=False)
def special_ndtr(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The standard normal distribution's cumulative function, ``(1 + erf(input / sqrt(2))) / 2``.

    The tail below -5 loses its digits, as PyTorch's does; `log_ndtr` keeps them.
    """
    found = (1 + ops.erf(ops.mul(input, 0.7071067811865476))) * 0.5
    return found if out is None else write_one("ndtr", found, out)


@elementwise(
    types=REAL_FLOAT,
    kernel=_no_half("ndtri", error_functions.ndtri),
    name="special_ndtri",
    **_PRIVATE,
    vjp=lambda g, out: g * 2.5066282746310002 * ops.exp(out * out / 2),
)
def special_ndtri(input):
    """The inverse of ndtr."""
    return error_functions.ndtri(input)


@elementwise(
    types=REAL_FLOAT,
    kernel=_no_half("log_ndtr", error_functions.log_ndtr),
    name="special_log_ndtr",
    **_PRIVATE,
    vjp=lambda g, input, out: g / 2.5066282746310002 * ops.exp(-(out + input * input / 2)),
)
def special_log_ndtr(input):
    """``log(ndtr(input))``, accurate far in the left tail."""
    return error_functions.log_ndtr(input)


@elementwise(
    types=REAL_FLOAT,
    kernel=gammas.lgamma,
    upcast=True,
    inplace_function=False,
    vjp=lambda g, input: g * ops.digamma(input),
)
def lgamma(input):
    """``log |gamma(input)|``."""
    return gammas.lgamma(input)


@elementwise(
    types=REAL_FLOAT,
    kernel=gammas.digamma,
    upcast=True,
    vjp=lambda g, input: g * ops.polygamma(1, input),
)
def digamma(input):
    """The derivative of lgamma."""
    return gammas.digamma(input)


_trigamma = lazily("trigamma", lambda x: gammas.polygamma(x, 1))


_higher = lazily("polygamma_of", lambda x, s, _: gammas.polygamma(x, int(s) - 1))


def _polygamma_kernel(input, n):
    if n == 1:
        return _trigamma(input)
    return _higher(input, n + 1.0, gammas.slope(n)) if n else gammas.polygamma(input, n)


@elementwise(
    types=REAL_FLOAT,
    kernel=_polygamma_kernel,
    name="_polygamma",
    node="Polygamma",
    upcast=True,
    function=False,
    method=False,
    vjp=lambda g, input, n: g * ops.polygamma(n + 1, input),
)
def _polygamma(input, n: int):
    """The n-th derivative of digamma."""
    return _polygamma_kernel(input, n)


def _order(name: str, n: Any) -> int:
    if not isinstance(n, int) or n < 0:
        raise fail(
            RuntimeError,
            name,
            f"polygamma(n, x) does not support negative n: expected an integer n >= 0, got {n}",
        )
    return n


@composite()
def polygamma(n: int, input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The n-th derivative of digamma at `input`.

    Raises:
        RuntimeError: `n` is negative.
    """
    return ops._polygamma(input, _order("polygamma", n), out=out)


def _method(self: Tensor, n: int) -> Tensor:
    """The n-th derivative of digamma."""
    return polygamma(n, self)


def _written(self: Tensor, n: int) -> Tensor:
    """`polygamma`, in place."""
    return ops._polygamma_(self, _order("polygamma_", n))


bind(polygamma=_method, polygamma_=_written)


def _mvlgamma_grad(g, input, p):
    total = ops.digamma(input)
    for j in range(1, p):
        total = total + ops.digamma(input - j / 2)
    return g * total


_any_dimension = lazily("mvlgamma", gammas.mvlgamma)
_FEW = 4
"""Dimensions of mvlgamma that have a kernel each."""


@cache
def _of_dimension(p: int) -> Any:
    return lazily(f"mvlgamma_{p}", lambda x: gammas.mvlgamma(x, p), mvlgamma_of(p))


def _mvlgamma_kernel(input, p):
    return _of_dimension(p)(input) if p <= _FEW else _any_dimension(input, p)


@elementwise(
    types=REAL_FLOAT,
    kernel=_mvlgamma_kernel,
    name="_mvlgamma",
    node="Mvlgamma",
    function=False,
    method=False,
    upcast=True,
    vjp=_mvlgamma_grad,
)
def _mvlgamma(input, p: int):
    """The logarithm of the multivariate gamma function."""
    return _mvlgamma_kernel(input, p)


def _dimensions(name: str, p: int) -> int:
    if p < 1:
        raise fail(RuntimeError, name, f"p has to be greater than or equal to 1, got {p}")
    return p


@composite(method=True)
def mvlgamma(input: Tensor, p: int, *, out: Tensor | None = None) -> Tensor:
    """``log gamma_p(input)``: the multivariate gamma function's logarithm, of dimension `p`."""
    found = ops._mvlgamma(input, _dimensions("mvlgamma", p), out=out)
    if out is None:
        found._array = row_major(found._array)
    return found  # type: ignore[no-any-return]


@composite(method=True, function=False)
def mvlgamma_(input: Tensor, p: int) -> Tensor:
    """`mvlgamma` in place."""
    return ops._mvlgamma_(input, _dimensions("mvlgamma_", p))


def _no_gradient(name: str, argument: str) -> Any:
    def rule(g):
        raise fail(
            NotImplementedError,
            name,
            f"the derivative for '{name}: {argument}' is not implemented. detach() it.",
        )

    return rule


def _density(g, input, other):
    return g * ops.exp((input - 1) * ops.log(other) - other - ops.lgamma(input))


@elementwise(
    operands="tensors",
    types=_FLOATS,
    kernel=gammas.igamma,
    upcast=True,
    vjp={"input": _no_gradient("igamma", "input"), "other": _density},
)
def igamma(input, other):
    """The regularised lower incomplete gamma function P(input, other)."""
    return gammas.igamma(input, other)


@elementwise(
    operands="tensors",
    types=_FLOATS,
    kernel=gammas.igammac,
    upcast=True,
    vjp={
        "input": _no_gradient("igammac", "input"),
        "other": lambda g, input, other: -_density(g, input, other),
    },
)
def igammac(input, other):
    """The regularised upper incomplete gamma function ``1 - igamma(input, other)``."""
    return gammas.igammac(input, other)


def _numbered(name: str) -> Any:
    """PyTorch's names: 0 for two tensors, 1 where the first is a number, 2 where the second is."""

    def node_name(node: Any) -> str:
        saved = node.saved if isinstance(node.saved, (tuple, list)) else (None, None)
        first, second = (
            edge is None and value is not None and not hasattr(value, "dtype")
            for edge, value in zip(node.edges, saved, strict=False)
        )
        return f"{name}Backward{1 if first else 2 if second else 0}"

    return node_name


@elementwise(
    types=REAL_FLOAT,
    kernel=_no_half("zeta", gammas.zeta),
    name="special_zeta",
    node=_numbered("SpecialZeta"),
    **_PRIVATE,
    vjp={
        "input": _no_gradient("zeta", "self"),
        "other": lambda g, input, other: g * -input * ops.special_zeta(input + 1, other),
    },
)
def special_zeta(input, other):
    """Hurwitz's zeta function ``sum_k (k + other) ** -input``."""
    return gammas.zeta(input, other)


def _weighted_log(input, other, log):
    other = np.asarray(other, input.dtype)
    found = np.where(input == 0, input.dtype.type(0), input * log(other))
    return np.where(np.isnan(other), other, found)


def _xlogy(input, other):
    return _weighted_log(input, other, np.log)


@elementwise(
    types=REAL_FLOAT,
    kernel=_xlogy,
    inplace_function=True,
    node=_numbered("Xlogy"),
    vjp={
        "input": lambda g, input, other: keep(
            g * ops.log(_tensor(other, g)), ((input == 0) & (other <= 0)) == 0
        ),
        "other": lambda g, input, other: g * input / other,
    },
)
def xlogy(input, other):
    """``input * log(other)``, 0 where input is 0 and NaN where other is."""
    return _xlogy(input, other)


def _tensor(value: Any, like: Tensor) -> Tensor:
    return value if isinstance(value, Tensor) else ops.full_like(like, value)


def _xlog1py(input, other):
    return _weighted_log(input, other, np.log1p)


@elementwise(
    types=REAL_FLOAT,
    kernel=_xlog1py,
    name="special_xlog1py",
    node=_numbered("SpecialXlog1Py"),
    **_PRIVATE,
    vjp={
        "input": lambda g, input, other: keep(
            g * ops.log1p(_tensor(other, g)), ((input == 0) & (other <= -1)) == 0
        ),
        "other": lambda g, input, other: g * input / (other + 1),
    },
)
def special_xlog1py(input, other):
    """``input * log1p(other)``, 0 where input is 0 and NaN where other is."""
    return _xlog1py(input, other)


def _entr(input):
    found = np.where(input > 0, -input * np.log(input), np.where(input == 0, 0, -np.inf))
    return np.where(np.isnan(input), input, found).astype(input.dtype)


@elementwise(
    types=REAL_FLOAT,
    kernel=_entr,
    name="special_entr",
    upcast=True,
    **_PRIVATE,
    vjp=lambda g, input: g * (-ops.log(input) - 1),
)
def special_entr(input):
    """``-input * log(input)``, 0 at 0 and -inf below."""
    return _entr(input)
