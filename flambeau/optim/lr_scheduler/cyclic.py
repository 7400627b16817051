"""The cyclic schedule: up and down between two rates.

Reference: L. Smith, Cyclical Learning Rates for Training Neural Networks, 2015, arXiv:1506.01186.
Stands on `base`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from flambeau.core.errors import fail
from flambeau.optim.lr_scheduler.base import (
    LRScheduler,
    Rates,
    check_optimizer,
    functions_state,
    per_group,
    set_rate,
)
from flambeau.optim.lr_scheduler.momentum import set_momentum, start_momentum
from flambeau.optim.optimizer import Optimizer

__all__ = ["CyclicLR"]

MODES = ("triangular", "triangular2", "exp_range")


class CyclicLR(LRScheduler):
    """The rate goes from `base_lr` up to `max_lr` and back, once per cycle; step it after every
    batch.

    Args:
        optimizer: whose rates are set.
        base_lr: the lowest rate, or one per group.
        max_lr: the highest rate of an unscaled cycle, or one per group.
        step_size_up: steps up.
        step_size_down: steps down (default: as up).
        mode: "triangular"; "triangular2" halves the height each cycle; "exp_range" scales it by
            ``gamma ** step``.
        gamma: of "exp_range".
        scale_fn: own scaling, instead of `mode`.
        scale_mode: whether `scale_fn` gets the "cycle" or the "iterations".
        cycle_momentum: move momentum (or beta1) the other way, from `max_momentum` to
            `base_momentum` and back.
        last_epoch: see `LRScheduler`.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float = 0.8,
        max_momentum: float = 0.9,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer, type(self).__name__)
        self.optimizer = optimizer
        base_lrs = per_group("base_lr", optimizer, base_lr)
        if last_epoch == -1:
            for rate, group in zip(base_lrs, optimizer.param_groups, strict=True):
                set_rate(group, "lr", rate)
        self.max_lrs = per_group("max_lr", optimizer, max_lr)
        up = float(step_size_up)
        down = up if step_size_down is None else float(step_size_down)
        self.total_size = up + down
        self.step_ratio = up / self.total_size
        if mode not in MODES and scale_fn is None:
            raise fail(
                ValueError,
                "CyclicLR",
                f"mode is invalid and scale_fn is None: {mode!r} is none of {MODES}",
            )
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom = scale_fn
        self.scale_mode = scale_mode
        self._init_scale_fn()
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1, self.base_momentums, self.max_momentums = start_momentum(
                "CyclicLR", optimizer, base_momentum, max_momentum, last_epoch == -1
            )
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def _init_scale_fn(self) -> None:
        if self._scale_fn_custom is not None:
            return
        known: dict[str, tuple[Callable[[float], float], str]] = {
            "triangular": (_constant, "cycle"),
            "triangular2": (_halving, "cycle"),
            "exp_range": (partial(_power, self.gamma), "iterations"),
        }
        self._scale_fn_ref, self.scale_mode = known[self.mode]

    def scale_fn(self, x: float) -> float:
        """The height of the cycle (or step) `x`."""
        function = self._scale_fn_ref if self._scale_fn_custom is None else self._scale_fn_custom
        return function(x)

    def get_lr(self) -> Rates:
        """The rates of this step; sets the momenta too."""
        self._warn_unless_in_step()
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        height = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            rows = zip(
                self.optimizer.param_groups, self.base_momentums, self.max_momentums, strict=True
            )
            for group, low, high in rows:
                set_momentum(group, self.use_beta1, high - (high - low) * height * scale)
        pairs = zip(self.base_lrs, self.max_lrs, strict=True)
        return [low + (high - low) * height * scale for low, high in pairs]

    def state_dict(self) -> dict[str, Any]:
        """All but the optimizer; a function is not kept, a callable object by its attributes."""
        state = super().state_dict()
        state.pop("_scale_fn_ref", None)
        function = state.pop("_scale_fn_custom")  # stands last, as PyTorch writes it
        state["_scale_fn_custom"] = None if function is None else functions_state([function])[0]
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        attributes = state_dict["_scale_fn_custom"]
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "_scale_fn_custom"})
        if attributes is not None:
            self._scale_fn_custom.__dict__.update(attributes)
        self._init_scale_fn()


def _constant(x: float) -> float:
    return 1.0


def _halving(x: float) -> float:
    return 1 / 2.0 ** (x - 1)


def _power(gamma: float, x: float) -> float:
    return float(gamma**x)
