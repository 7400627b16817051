"""Complex convolutions: the bilinear form by three real ones, and PyTorch's digits of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import flambeau
from flambeau.core.kernels.conv_complex import by_three, gradient_by_three

RNG = np.random.default_rng(0)


def drawn(*shape: int) -> Any:
    return RNG.normal(size=shape) + 1j * RNG.normal(size=shape)


def test_three_real_products_are_a_complex_one() -> None:
    x, w, b = drawn(4, 3), drawn(3, 5), drawn(5)

    def product(a: Any, m: Any, bias: Any) -> Any:
        assert a.dtype.kind == "f" and m.dtype.kind == "f"
        return a @ m if bias is None else a @ m + bias

    np.testing.assert_allclose(by_three(product, x, w, b), x @ w + b)
    np.testing.assert_allclose(by_three(product, x, w, None), x @ w)


def test_gradients_are_the_adjoint() -> None:
    g, w = drawn(4, 5), drawn(3, 5)
    found = gradient_by_three(lambda grad, factor: grad @ factor.T, g, w)
    np.testing.assert_allclose(found, g @ w.T)


@pytest.mark.parametrize("name", ["conv2d", "conv_transpose2d"])
def test_digits_are_pytorchs(oracle: Any, name: str) -> None:
    """Within a few of float32's last digits: the product of four sums differs by more."""
    x, w = drawn(1, 3, 6, 6).astype("c8") * 8, drawn(3, 3, 3, 3).astype("c8") * 8

    def run(of: Any) -> Any:
        a, b = (of.from_numpy(v.copy()).requires_grad_() for v in (x, w))
        made = getattr(of.nn.functional, name)(a, b, stride=2)
        return [made, *of.autograd.grad(made, (a, b), of.ones_like(made) * (1 + 2j))]

    for ours, theirs in zip(run(flambeau), run(oracle), strict=True):
        np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), 2e-6, 2e-4)
