"""`differentiable=True`: the step is part of the graph, with PyTorch's values and gradients."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

import flambeau

CASES: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1, "nesterov": True}),
    ("Adam", {"weight_decay": 0.1}),
    ("AdamW", {}),
    ("RMSprop", {"momentum": 0.9, "weight_decay": 0.1}),
    ("Adagrad", {"weight_decay": 0.1, "lr_decay": 0.1}),
    ("Adadelta", {"weight_decay": 0.1}),
    ("NAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RAdam", {"weight_decay": 0.1}),
    ("ASGD", {"weight_decay": 0.1, "t0": 2}),
]


@pytest.mark.parametrize(("name", "options"), CASES)
def test_same_gradients(oracle: ModuleType, name: str, options: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    start, slope = rng.standard_normal(4), rng.standard_normal(4)

    def run(torch: Any) -> Any:
        leaf = torch.from_numpy(start.copy()).requires_grad_()
        factor = torch.from_numpy(slope.copy()).requires_grad_()
        p = leaf.clone()
        optimizer = getattr(torch.optim, name)([p], differentiable=True, **options)
        for step in range(8):
            p.grad = factor * (1 + step) + factor * factor
            optimizer.step()
        grads = torch.autograd.grad((p * p).sum(), [leaf, factor])
        return [p.detach().numpy(), *(grad.numpy() for grad in grads)]

    for ours, theirs in zip(run(flambeau), run(oracle), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "options"), [("Adam", {"amsgrad": True}), ("RMSprop", {"centered": True})]
)
def test_both_notice_state_written_after_it_was_saved(
    oracle: ModuleType, name: str, options: dict[str, Any]
) -> None:
    """Several steps of these write what an earlier step saved: PyTorch raises at backward, and so
    does flambeau.
    """
    for torch in (flambeau, oracle):
        leaf = torch.ones(4, requires_grad=True)
        p = leaf.clone()
        optimizer = getattr(torch.optim, name)([p], differentiable=True, **options)
        for _ in range(3):
            p.grad = leaf * 2
            optimizer.step()
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            p.sum().backward()
