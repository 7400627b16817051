"""Special functions under the names of ``torch.special``.

They are operations; here are their public names only. Stands on core.ops.
"""

from __future__ import annotations

from typing import Any

from flambeau.core import late as _late
from flambeau.core.declare import ops
from flambeau.core.ops.bessel import PLAIN
from flambeau.core.ops.polynomial import POLYNOMIALS
from flambeau.core.tensor import Tensor
from flambeau.core.titles import entitle as _entitle

__all__ = [
    "airy_ai", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "chebyshev_polynomial_t",
    "chebyshev_polynomial_u", "chebyshev_polynomial_v", "chebyshev_polynomial_w", "digamma", "entr",
    "erf", "erfc", "erfcx", "erfinv", "exp2", "expit", "expm1", "gammainc", "gammaincc", "gammaln",
    "hermite_polynomial_h", "hermite_polynomial_he", "i0", "i0e", "i1", "i1e",
    "laguerre_polynomial_l", "legendre_polynomial_p", "log1p", "log_ndtr", "log_softmax", "logit",
    "logsumexp", "modified_bessel_i0", "modified_bessel_i1", "modified_bessel_k0",
    "modified_bessel_k1", "multigammaln", "ndtr", "ndtri", "polygamma", "psi", "round",
    "scaled_modified_bessel_k0", "scaled_modified_bessel_k1", "shifted_chebyshev_polynomial_t",
    "shifted_chebyshev_polynomial_u", "shifted_chebyshev_polynomial_v",
    "shifted_chebyshev_polynomial_w", "sinc", "softmax", "spherical_bessel_j0", "xlog1py", "xlogy",
    "zeta",
]  # fmt: skip

_late.load("special")
globals().update({_name: getattr(ops, f"special_{_name}") for _name in (*PLAIN, *POLYNOMIALS)})

digamma = psi = ops.digamma
entr = ops.special_entr
erf = ops.erf
erfc = ops.erfc
erfcx = ops.special_erfcx
erfinv = ops.erfinv
exp2 = ops.exp2
expm1 = ops.expm1
gammainc = ops.igamma
gammaincc = ops.igammac
gammaln = ops.lgamma
i0 = ops.i0
i0e = ops.special_i0e
i1 = ops.special_i1
i1e = ops.special_i1e
log1p = ops.log1p
log_ndtr = ops.special_log_ndtr
logit = ops.logit
multigammaln = ops.mvlgamma
ndtr = ops.special_ndtr
ndtri = ops.special_ndtri
polygamma = ops.polygamma
round = ops.round
sinc = ops.sinc
xlog1py = ops.special_xlog1py
xlogy = ops.xlogy
zeta = ops.special_zeta


def expit(input: Tensor, *, out: Tensor | None = None) -> Tensor:
    """``1 / (1 + exp(-input))``: sigmoid."""
    return ops.sigmoid(input, out=out)


def softmax(input: Tensor, dim: Any = None, dtype: Any = None, *, axis: Any = None) -> Tensor:
    """``exp(input) / sum(exp(input))`` along `dim`."""
    return ops.softmax(input, dim, dtype, axis=axis)


def log_softmax(input: Tensor, dim: Any = None, *, dtype: Any = None, axis: Any = None) -> Tensor:
    """``log(softmax(input))`` along `dim`."""
    return ops.log_softmax(input, dim, dtype, axis=axis)


def logsumexp(
    input: Tensor, dim: Any, keepdim: bool = False, *, out: Tensor | None = None
) -> Tensor:
    """``log(sum(exp(input)))`` over `dim`."""
    return ops.logsumexp(input, dim, keepdim, out=out)


for _name in __all__:
    if globals()[_name].__qualname__ == f"special_{_name}":
        _entitle(globals()[_name], _name, __name__)
