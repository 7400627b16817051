"""Every scheduler over fifty steps, its state dict carried to a new one in between: the same rates,
momenta and state as PyTorch's, for one and for two parameter groups.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

import flambeau

MAKE: dict[str, Callable[[Any, Any], Any]] = {
    "StepLR": lambda s, o: s.StepLR(o, 7, 0.5),
    "MultiStepLR": lambda s, o: s.MultiStepLR(o, [5, 5, 20], 0.3),
    "ConstantLR": lambda s, o: s.ConstantLR(o, 0.3, 10),
    "LinearLR": lambda s, o: s.LinearLR(o, 0.3, 0.9, 12),
    "ExponentialLR": lambda s, o: s.ExponentialLR(o, 0.9),
    "PolynomialLR": lambda s, o: s.PolynomialLR(o, 30, 2.0),
    "CosineAnnealingLR": lambda s, o: s.CosineAnnealingLR(o, 10, 0.01),
    "warm restarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 5, 2, 0.01),
    "LambdaLR": lambda s, o: s.LambdaLR(o, lambda e: 0.95**e),
    "MultiplicativeLR": lambda s, o: s.MultiplicativeLR(o, lambda e: 0.95),
    "CyclicLR": lambda s, o: s.CyclicLR(o, 0.01, 0.5, 4),
    "CyclicLR triangular2": lambda s, o: s.CyclicLR(
        o, 0.01, 0.5, 4, 6, mode="triangular2", cycle_momentum=False
    ),
    "CyclicLR exp_range": lambda s, o: s.CyclicLR(o, 0.01, 0.5, 4, mode="exp_range", gamma=0.9),
    "OneCycleLR": lambda s, o: s.OneCycleLR(o, 1.0, 60),
    "OneCycleLR linear": lambda s, o: s.OneCycleLR(
        o, 1.0, epochs=6, steps_per_epoch=10, anneal_strategy="linear", three_phase=True, pct_start=0.4
    ),
    "SequentialLR": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, 1, 5), s.ExponentialLR(o, 0.9), s.CosineAnnealingLR(o, 10)], [5, 20]
    ),
    "ChainedScheduler": lambda s, o: s.ChainedScheduler(
        [s.ConstantLR(o, 0.1, 4), s.ExponentialLR(o, 0.9)]
    ),
    "SWALR": lambda s, o: s.SWALR(o, 0.05, anneal_epochs=10),
    "SWALR linear": lambda s, o: s.SWALR(o, 0.05, anneal_epochs=10, anneal_strategy="linear"),
    "plateau": lambda s, o: s.ReduceLROnPlateau(o, patience=2, cooldown=1, factor=0.5, min_lr=1e-4),
    "plateau max": lambda s, o: s.ReduceLROnPlateau(
        o, mode="max", patience=1, threshold_mode="abs", threshold=0.1
    ),
}  # fmt: skip


class Room:
    """lr_scheduler, and SWALR beside its kin."""

    def __init__(self, library: ModuleType) -> None:
        self.library = library

    def __getattr__(self, name: str) -> Any:
        optim = self.library.optim
        return getattr(optim.swa_utils if name == "SWALR" else optim.lr_scheduler, name)


def plain(value: Any) -> Any:
    """Floats to twelve digits; of functions and objects the type."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.12g}")
    return value if isinstance(value, (int, str, type(None))) else type(value).__name__


def history(library: ModuleType, name: str, groups: int, optimizer: str) -> list[Any]:
    """What fifty steps show."""

    def build() -> tuple[Any, Any]:
        given = [
            {"params": [library.nn.Parameter(library.ones(2))], "lr": 0.1 * (k + 1)}
            for k in range(groups)
        ]
        options = {"momentum": 0.9} if optimizer == "SGD" else {}
        made = getattr(library.optim, optimizer)(given, lr=0.1, **options)
        return made, MAKE[name](Room(library), made)

    made, scheduler = build()
    seen = [plain(scheduler.state_dict())]
    for step in range(50):
        made.step()
        scheduler.step(*([abs(math.sin(step)) * 10 / (step + 1)] if "plateau" in name else []))
        rows = [[g["lr"], g.get("momentum"), g.get("betas")] for g in made.param_groups]
        seen.append(plain([rows, scheduler.get_last_lr()]))
        if step == 20:
            states = made.state_dict(), scheduler.state_dict()
            made, scheduler = build()
            made.load_state_dict(states[0])
            scheduler.load_state_dict(states[1])
    return [*seen, plain(scheduler.state_dict())]


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("name", MAKE)
def test_same_history(oracle: ModuleType, name: str, groups: int, optimizer: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert history(flambeau, name, groups, optimizer) == history(
            oracle, name, groups, optimizer
        )
