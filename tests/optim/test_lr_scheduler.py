"""Every schedule against PyTorch's: rates, momenta, state, warnings; composed, reloaded, stepped to
an epoch.
"""

from __future__ import annotations

import copy
import random
import warnings
from types import ModuleType
from typing import Any

import pytest

import flambeau


def power(epoch: int) -> float:
    return float(0.9**epoch)


CASES: list[tuple[str, dict[str, Any]]] = [
    ("LambdaLR", {"lr_lambda": power}),
    ("LambdaLR", {"lr_lambda": [power, lambda epoch: 1 / (epoch + 1)]}),
    ("MultiplicativeLR", {"lr_lambda": lambda epoch: 0.95}),
    ("StepLR", {"step_size": 3}),
    ("MultiStepLR", {"milestones": [2, 5, 5, 8], "gamma": 0.5}),
    ("ConstantLR", {"factor": 0.2, "total_iters": 3}),
    ("LinearLR", {"start_factor": 0.1, "end_factor": 0.7, "total_iters": 8}),
    ("ExponentialLR", {"gamma": 0.8}),
    ("PolynomialLR", {"total_iters": 9, "power": 2.0}),
    ("CosineAnnealingLR", {"T_max": 5}),
    ("CosineAnnealingLR", {"T_max": 7, "eta_min": 0.01}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3}),
    ("CosineAnnealingWarmRestarts", {"T_0": 2, "T_mult": 2, "eta_min": 0.001}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 3, "step_size_down": 4}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": [0.1, 0.2], "step_size_up": 3, "mode": "triangular2"}),
    (
        "CyclicLR",
        {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 3, "mode": "exp_range", "gamma": 0.9},
    ),
    ("OneCycleLR", {"max_lr": 0.3, "total_steps": 40}),
    ("OneCycleLR", {"max_lr": 0.3, "epochs": 4, "steps_per_epoch": 10, "three_phase": True}),
    ("OneCycleLR", {"max_lr": [0.3, 0.4], "total_steps": 40, "anneal_strategy": "linear"}),
]


def make(torch: Any, kind: str = "SGD") -> Any:
    p, q = torch.zeros(2).requires_grad_(), torch.zeros(2).requires_grad_()
    options = {"momentum": 0.9} if kind == "SGD" else {}
    return getattr(torch.optim, kind)(
        [{"params": [p]}, {"params": [q], "lr": 0.1}], lr=0.5, **options
    )


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("jump", [False, True])
@pytest.mark.parametrize(("name", "options"), CASES)
def test_same_rates(
    oracle: ModuleType, name: str, options: dict[str, Any], kind: str, jump: bool
) -> None:
    def run(torch: Any) -> Any:
        optimizer = make(torch, kind)
        scheduler = getattr(torch.optim.lr_scheduler, name)(optimizer, **options)
        found = [scheduler.get_last_lr()]
        for epoch in range(15):
            optimizer.step()
            with warnings.catch_warnings(record=True) as seen:
                warnings.simplefilter("always")
                if jump:
                    scheduler.step(epoch * 2)
                else:
                    scheduler.step()
            momenta = [
                group.get("momentum", group.get("betas")) for group in optimizer.param_groups
            ]
            found.append(
                (list(scheduler.get_last_lr()), momenta, [str(w.message)[:60] for w in seen])
            )
            if epoch == 7:
                saved = copy.deepcopy(scheduler.state_dict())
                found.append(sorted(saved))
                scheduler.load_state_dict(saved)
        return found

    assert run(flambeau) == run(oracle)


@pytest.mark.filterwarnings("ignore:Detected call")
@pytest.mark.parametrize("number", range(5))
def test_composed(oracle: ModuleType, number: int) -> None:
    def build(s: Any, o: Any) -> Any:
        if number == 0:
            return s.SequentialLR(
                o, [s.ConstantLR(o, 0.1, 2), s.ExponentialLR(o, 0.9), s.StepLR(o, 2)], [2, 6]
            )
        if number == 1:
            return s.ChainedScheduler([s.ConstantLR(o, 0.1, 4), s.ExponentialLR(o, 0.9)])
        if number == 2:
            return s.SequentialLR(
                o, [s.LinearLR(o, 0.1, total_iters=3), s.CosineAnnealingLR(o, 10)], [3]
            )
        if number == 3:
            inner = s.SequentialLR(o, [s.ConstantLR(o, 0.1, 2), s.ExponentialLR(o, 0.9)], [2])
            return s.SequentialLR(o, [inner, s.StepLR(o, 2)], [6])
        return s.ChainedScheduler([s.StepLR(o, 3), s.MultiStepLR(o, [4])])

    def run(torch: Any) -> Any:
        optimizer = make(torch)
        scheduler = build(torch.optim.lr_scheduler, optimizer)
        found = [scheduler.get_last_lr()]
        for _ in range(12):
            optimizer.step()
            scheduler.step()
            found.append(list(scheduler.get_last_lr()))
        return found, sorted(scheduler.state_dict())

    assert run(flambeau) == run(oracle)


@pytest.mark.parametrize(
    "options",
    [
        {"patience": 1},
        {"patience": 0, "cooldown": 2, "mode": "max", "threshold_mode": "abs"},
        {"patience": 1, "min_lr": [0.1, 0.01], "threshold": 0.1},
    ],
)
def test_plateau(oracle: ModuleType, options: dict[str, Any]) -> None:
    def run(torch: Any) -> Any:
        random.seed(1)
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(make(torch), **options)
        found = []
        for _ in range(30):
            scheduler.step(random.random())
            found.append(scheduler.get_last_lr())
        return found, sorted(scheduler.state_dict())

    assert run(flambeau) == run(oracle)


def test_the_wrong_order_warns() -> None:
    scheduler = flambeau.optim.lr_scheduler.StepLR(make(flambeau), 2)
    with pytest.warns(UserWarning, match="before `optimizer.step"):
        scheduler.step()
    with pytest.warns(UserWarning, match="please use `get_last_lr"):
        scheduler.get_lr()


def test_errors() -> None:
    schedulers, optimizer = flambeau.optim.lr_scheduler, make(flambeau)
    with pytest.raises(TypeError, match="is not an Optimizer"):
        schedulers.StepLR(object(), 1)
    with pytest.raises(KeyError, match="initial_lr"):
        schedulers.StepLR(optimizer, 1, last_epoch=3)
    with pytest.raises(ValueError, match="Expected 2 lr_lambdas, but got 1"):
        schedulers.LambdaLR(optimizer, [power])
    with pytest.raises(ValueError, match="Factor should be < 1.0"):
        schedulers.ReduceLROnPlateau(optimizer, factor=1.5)
    with pytest.raises(ValueError, match="total_steps OR"):
        schedulers.OneCycleLR(optimizer, 0.1)
    with pytest.raises(ValueError, match="belong to the same optimizer"):
        schedulers.ChainedScheduler([schedulers.StepLR(make(flambeau), 1)], optimizer)
