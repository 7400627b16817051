"""Gradients at special values are PyTorch's."""

from __future__ import annotations

from typing import Any

import pytest

import flambeau as torch

INF, NAN = float("inf"), float("nan")
VALUES = [0.0, 1.0, -1.0, INF, -INF, NAN, 100.0, -100.0, 1e30, -1e30, 0.5]
FORMS = {
    "amax": lambda of, x: of.amax(x),
    "amin": lambda of, x: of.amin(x.view(1, -1), 1),
    "max": lambda of, x: of.max(x),
    "i1": lambda of, x: of.special.i1(x),
    "i1e": lambda of, x: of.special.i1e(x),
    "polar": lambda of, x: of.polar(x[:3], x[1:4].detach().clamp(-3, 3)).real,
    "soft margin": lambda of, x: of.nn.functional.soft_margin_loss(x, of.ones_like(x)),
    "soft margin below": lambda of, x: of.nn.functional.soft_margin_loss(x, -of.ones_like(x)),
}


@pytest.mark.parametrize("form", FORMS)
def test_gradients_at_special_values(oracle: Any, form: str) -> None:
    def run(of: Any) -> Any:
        x = of.tensor(VALUES, dtype=of.float64, requires_grad=True)
        FORMS[form](of, x).sum().backward()
        return x.grad.tolist()

    assert run(torch) == pytest.approx(run(oracle), rel=1e-6, nan_ok=True)
