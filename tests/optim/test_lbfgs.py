"""L-BFGS against PyTorch's on a quartic, with and without line search."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

import flambeau


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_same_losses(oracle: ModuleType, search: str | None) -> None:
    rng = np.random.default_rng(0)
    matrix, start = rng.standard_normal((6, 6)), rng.standard_normal(6)

    def run(torch: Any) -> Any:
        a, w = torch.from_numpy(matrix.copy()), torch.from_numpy(start.copy()).requires_grad_()
        options = {"lr": 0.5, "line_search_fn": search, "max_iter": 7, "history_size": 3}
        optimizer = torch.optim.LBFGS([w], **options)

        def closure() -> Any:
            optimizer.zero_grad()
            loss = ((a @ w - 1) ** 2).sum() + (w**4).sum()
            loss.backward()
            return loss

        losses = [optimizer.step(closure).item() for _ in range(5)]
        state = optimizer.state_dict()["state"][0]
        return losses, w.detach().numpy(), (sorted(state), state["func_evals"], state["n_iter"])

    ours, theirs = run(flambeau), run(oracle)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-9)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-7)
    assert ours[2] == theirs[2]


def test_errors() -> None:
    p = flambeau.zeros(2).requires_grad_()
    with pytest.raises(ValueError, match="parameter groups"):
        flambeau.optim.LBFGS([{"params": [p]}, {"params": [flambeau.zeros(1)]}])
    with pytest.raises(TypeError, match="closure"):
        flambeau.optim.LBFGS([p]).step()
