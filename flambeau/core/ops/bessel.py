"""Bessel, modified Bessel and Airy functions. Only the scaled and plain I0 and I1 have gradients,
as in PyTorch.

Stands on kernels.special_bessel.
"""

from __future__ import annotations

from typing import Any

from flambeau.core.declare import elementwise, ops
from flambeau.core.dtypes import REAL_FLOAT, Rule, finfo
from flambeau.core.kernels import special_bessel as kernels
from flambeau.core.kernels.native.bessel import BESSEL
from flambeau.core.kernels.native.choose import offer
from flambeau.core.kernels.special import no_half

__all__: list[str] = []

offer(BESSEL)
_SINGLE = Rule("SINGLE", refuses=frozenset({"complex", "float8"}), ints_to_float=True)


def _near_zero(input: Any) -> Any:
    """Where a quotient by input is not formed, and the input with 1 in those places."""
    small = ~(ops.abs(input) > finfo(input.dtype).eps)  # NaN is small
    return small, ops.where(small, ops.ones_like(input), input)


def _i1_grad(g, input, out):
    small, safe = _near_zero(input)
    return g * ops.where(small, ops.full_like(input, 0.5), ops.i0(safe) - out / safe)


def _i1e_grad(g, input, out):
    small, safe = _near_zero(input)
    slope = ops.special_i0e(safe) - out * (ops.sgn(safe) + ops.reciprocal(safe))
    return g * ops.where(small, ops.full_like(input, 0.5), slope)


@elementwise(
    types=REAL_FLOAT,
    kernel=kernels.i0,
    upcast=True,
    inplace_function=True,
    vjp=lambda g, input: g * ops.special_i1(input),
)
def i0(input):
    """The modified Bessel function of the first kind and order 0."""
    return kernels.i0(input)


_PRIVATE: dict[str, Any] = {"function": False, "method": False, "inplace": False}


@elementwise(
    types=REAL_FLOAT,
    kernel=kernels.i0e,
    upcast=True,
    **_PRIVATE,
    vjp=lambda g, input, out: g * (ops.special_i1e(input) - ops.sgn(input) * out),
)
def special_i0e(input):
    """``exp(-|input|) i0(input)``."""
    return kernels.i0e(input)


@elementwise(types=REAL_FLOAT, kernel=kernels.i1, upcast=True, **_PRIVATE, vjp=_i1_grad)
def special_i1(input):
    """The modified Bessel function of the first kind and order 1."""
    return kernels.i1(input)


@elementwise(types=REAL_FLOAT, kernel=kernels.i1e, upcast=True, **_PRIVATE, vjp=_i1e_grad)
def special_i1e(input):
    """``exp(-|input|) i1(input)``."""
    return kernels.i1e(input)


PLAIN = {
    "airy_ai": (kernels.airy_ai, "Airy's function Ai."),
    "bessel_j0": (kernels.bessel_j0, "The Bessel function of the first kind and order 0."),
    "bessel_j1": (kernels.bessel_j1, "The Bessel function of the first kind and order 1."),
    "bessel_y0": (kernels.bessel_y0, "The Bessel function of the second kind and order 0."),
    "bessel_y1": (kernels.bessel_y1, "The Bessel function of the second kind and order 1."),
    "modified_bessel_i0": (
        kernels.i0,
        "The modified Bessel function of the first kind and order 0.",
    ),
    "modified_bessel_i1": (
        kernels.i1,
        "The modified Bessel function of the first kind and order 1.",
    ),
    "modified_bessel_k0": (
        kernels.k0,
        "The modified Bessel function of the second kind and order 0.",
    ),
    "modified_bessel_k1": (
        kernels.k1,
        "The modified Bessel function of the second kind and order 1.",
    ),
    "scaled_modified_bessel_k0": (kernels.k0e, "``exp(input) modified_bessel_k0(input)``."),
    "scaled_modified_bessel_k1": (kernels.k1e, "``exp(input) modified_bessel_k1(input)``."),
    "spherical_bessel_j0": (kernels.spherical_j0, "``sin(input) / input``, 1 at 0."),
}
"""Without gradients: public name -> (kernel, meaning)."""


def _declare(name: str, kernel: Any, meaning: str) -> None:
    def body(input):
        return kernel(input)

    body.__doc__ = meaning
    spelled = ("x",) if name.startswith(("airy", "scaled", "spherical")) else ("input",)
    elementwise(
        types=_SINGLE, kernel=no_half(name, kernel), name=f"special_{name}", spelled=spelled,
        **_PRIVATE,
    )(body)  # fmt: skip


for _name, (_kernel, _meaning) in PLAIN.items():
    _declare(_name, _kernel, _meaning)
