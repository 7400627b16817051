"""Averaged models and their schedule against PyTorch's."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

import flambeau


@pytest.mark.parametrize("kind", ["mean", "ema", "ema list", "buffers"])
def test_same_averages(oracle: ModuleType, kind: str) -> None:
    rng = np.random.default_rng(0)
    values = [rng.standard_normal((2, 3)).astype("float32") for _ in range(4)]
    batches = [rng.standard_normal((8, 3)).astype("float32") for _ in range(3)]

    def run(torch: Any) -> Any:
        swa = torch.optim.swa_utils
        options = {
            "mean": dict,
            "ema": lambda: {"avg_fn": swa.get_ema_avg_fn(0.9)},
            "ema list": lambda: {"multi_avg_fn": swa.get_ema_multi_avg_fn(0.9)},
            "buffers": lambda: {"use_buffers": True},
        }[kind]()
        model = torch.nn.Sequential(torch.nn.Linear(3, 2, bias=False), torch.nn.BatchNorm1d(2))
        average = swa.AveragedModel(model, **options)
        for value in values:
            with torch.no_grad():
                model[0].weight.copy_(torch.from_numpy(value))
            average.update_parameters(model)
        swa.update_bn([torch.from_numpy(batch) for batch in batches], average)
        return {name: tensor.numpy() for name, tensor in average.state_dict().items()}

    ours, theirs = run(flambeau), run(oracle)
    assert list(ours) == list(theirs)
    for name, value in theirs.items():
        np.testing.assert_allclose(ours[name], value, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "options", [{"swa_lr": 0.05}, {"swa_lr": [0.05, 0.2], "anneal_strategy": "linear"}]
)
def test_swalr(oracle: ModuleType, options: dict[str, Any]) -> None:
    def run(torch: Any) -> Any:
        p, q = torch.zeros(2).requires_grad_(), torch.zeros(2).requires_grad_()
        optimizer = torch.optim.SGD([{"params": [p]}, {"params": [q], "lr": 0.1}], lr=0.5)
        scheduler = torch.optim.swa_utils.SWALR(optimizer, anneal_epochs=5, **options)
        found = [scheduler.get_last_lr()]
        for _ in range(8):
            optimizer.step()
            scheduler.step()
            found.append(list(scheduler.get_last_lr()))
        return found

    assert run(flambeau) == run(oracle)


def test_bad_decay() -> None:
    with pytest.raises(ValueError, match="Invalid decay value 2"):
        flambeau.optim.swa_utils.get_ema_avg_fn(2)
