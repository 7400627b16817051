"""Exponentials, circular functions and kin: values against NumPy in float64, gradients of both
orders, dtypes.
"""

from __future__ import annotations

import numpy as np
import pytest

import flambeau as torch
from flambeau.autograd.gradcheck import gradcheck, gradgradcheck

POSITIVE = [0.3, 0.9, 1.7, 4.2]
UNIT = [-0.8, -0.3, 0.2, 0.7]
ANY = [-2.3, -0.4, 0.6, 1.9]
ABOVE = [1.1, 1.9, 3.0, 7.5]
ROWS = [
    ("exp", np.exp, ANY), ("exp2", np.exp2, ANY), ("expm1", np.expm1, ANY), ("log", np.log, POSITIVE),
    ("log2", np.log2, POSITIVE), ("log10", np.log10, POSITIVE), ("log1p", np.log1p, POSITIVE), ("sqrt", np.sqrt, POSITIVE),
    ("rsqrt", lambda x: 1 / np.sqrt(x), POSITIVE), ("reciprocal", np.reciprocal, ANY), ("square", np.square, ANY),
    ("sin", np.sin, ANY), ("cos", np.cos, ANY), ("tan", np.tan, UNIT), ("asin", np.arcsin, UNIT), ("acos", np.arccos, UNIT),
    ("atan", np.arctan, ANY), ("sinh", np.sinh, ANY), ("cosh", np.cosh, ANY), ("asinh", np.arcsinh, ANY),
    ("acosh", np.arccosh, ABOVE), ("atanh", np.arctanh, UNIT), ("sinc", np.sinc, ANY), ("deg2rad", np.deg2rad, ANY),
    ("rad2deg", np.rad2deg, ANY), ("logit", lambda x: np.log(x / (1 - x)), [0.1, 0.4, 0.5, 0.9]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "reference", "points"), ROWS, ids=[row[0] for row in ROWS])
def test_values_and_gradients(name: str, reference: object, points: list[float]) -> None:
    function = getattr(torch, name)
    x = torch.tensor(points, dtype=torch.float64, requires_grad=True)
    assert np.allclose(function(x).detach().numpy(), reference(np.array(points)), rtol=1e-14)  # type: ignore[operator]
    assert gradcheck(function, (x,))
    assert gradgradcheck(function, (x,))


@pytest.mark.parametrize("name", ["exp", "log", "sqrt", "sin", "atanh", "rsqrt"])
def test_whole_numbers_become_the_default_float(name: str) -> None:
    assert getattr(torch, name)(torch.tensor([1, 2])).dtype is torch.float32
    assert getattr(torch, name)(torch.tensor([True])).dtype is torch.float32
    with pytest.raises(RuntimeError, match="can't be cast"):
        getattr(torch.tensor([1, 2]), name + "_")()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_halves_are_rounded_once(dtype: torch.dtype) -> None:
    x = torch.linspace(0.1, 3, 64).to(dtype)
    for name in ("exp", "rsqrt", "sinc", "log"):
        wanted = getattr(torch, name)(x.float()).to(dtype)
        assert torch.equal(getattr(torch, name)(x), wanted), name


@pytest.mark.parametrize("name", ["atan2", "hypot", "logaddexp", "logaddexp2"])
def test_two_operands(name: str) -> None:
    a = torch.tensor([0.3, -1.2, 2.0], dtype=torch.float64, requires_grad=True)
    b = torch.tensor([1.1, 0.4, -0.7], dtype=torch.float64, requires_grad=True)
    reference = {"atan2": np.arctan2}.get(name) or getattr(np, name)
    assert np.allclose(
        getattr(torch, name)(a, b).detach().numpy(),
        reference(a.detach().numpy(), b.detach().numpy()),
    )
    assert gradcheck(getattr(torch, name), (a, b))
    assert gradgradcheck(getattr(torch, name), (a, b))


def test_complex_gradient_is_conjugated() -> None:
    z = torch.tensor([0.5 + 1.0j, -0.3 + 0.2j], dtype=torch.complex128, requires_grad=True)
    for name in ("exp", "log", "sqrt", "tan", "acosh", "reciprocal"):
        assert gradcheck(getattr(torch, name), (z,)), name


def test_logit_clamps_with_eps() -> None:
    x = torch.tensor([0.0, 0.5, 1.0], requires_grad=True)
    torch.logit(x, 0.1).sum().backward()
    assert x.grad.tolist() == [0.0, 4.0, 0.0]  # type: ignore[union-attr]


def test_the_angle_of_the_origin_has_slope_0(oracle):
    for t in (oracle, torch):
        x = t.tensor([0.0, 3.0], requires_grad=True)
        y = t.tensor([0.0, 4.0], requires_grad=True)
        t.atan2(x, y).sum().backward()
        assert x.grad.tolist() == pytest.approx([0, 0.16])
        assert y.grad.tolist() == pytest.approx([0, -0.12])
