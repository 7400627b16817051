"""The one-cycle schedule: up to a high rate, then down far below where it began.

Reference: L. Smith, N. Topin, Super-Convergence: Very Fast Training of Neural Networks Using Large
Learning Rates, 2017, arXiv:1708.07120. Stands on `base`.
"""

from __future__ import annotations

import math
from typing import Any

from flambeau.core.errors import fail
from flambeau.optim.lr_scheduler.base import LRScheduler, Rates, check_optimizer, per_group
from flambeau.optim.lr_scheduler.momentum import set_momentum, start_momentum
from flambeau.optim.optimizer import Optimizer

__all__ = ["OneCycleLR"]


def _phase(end: float, rates: tuple[str, str], momenta: tuple[str, str]) -> dict[str, Any]:
    return {
        "end_step": end,
        "start_lr": rates[0],
        "end_lr": rates[1],
        "start_momentum": momenta[0],
        "end_momentum": momenta[1],
    }


class OneCycleLR(LRScheduler):
    """From ``max_lr / div_factor`` up to `max_lr`, then down to ``max_lr / div_factor /
    final_div_factor``; step after every batch.

    Args:
        optimizer: whose rates are set.
        max_lr: the highest rate, or one per group.
        total_steps: length of the cycle; or give `epochs` and `steps_per_epoch`.
        epochs, steps_per_epoch: their product is the length.
        pct_start: the part of the cycle in which the rate rises, in [0, 1].
        anneal_strategy: "cos" or "linear".
        cycle_momentum: move momentum (or beta1) the other way, between `max_momentum` and
            `base_momentum`.
        div_factor: how far below `max_lr` it begins.
        final_div_factor: how far below the beginning it ends.
        three_phase: come down to the beginning as fast as up, then to the end; else down in one.
        last_epoch: see `LRScheduler`.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer, type(self).__name__)
        self.optimizer = optimizer
        self.total_steps = _length(total_steps, epochs, steps_per_epoch)
        if not isinstance(pct_start, float) or not 0 <= pct_start <= 1:
            raise fail(
                ValueError,
                "OneCycleLR",
                f"Expected float between 0 and 1 pct_start, but got {pct_start}",
            )
        if anneal_strategy not in ("cos", "linear"):
            raise fail(
                ValueError,
                "OneCycleLR",
                f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}",
            )
        self._schedule_phases = self._phases(pct_start, three_phase)
        self._anneal_func_type = anneal_strategy
        highest = per_group("max_lr", optimizer, max_lr)
        if last_epoch == -1:
            for rate, group in zip(highest, optimizer.param_groups, strict=True):
                group["initial_lr"] = rate / div_factor
                group["max_lr"] = rate
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1, _, _ = start_momentum(
                "OneCycleLR", optimizer, base_momentum, max_momentum, last_epoch == -1
            )
        super().__init__(optimizer, last_epoch)

    def _phases(self, rising: float, three: bool) -> list[dict[str, Any]]:
        end, top = self.total_steps - 1, float(rising * self.total_steps) - 1
        falls, rises = ("max_momentum", "base_momentum"), ("base_momentum", "max_momentum")
        first = _phase(top, ("initial_lr", "max_lr"), falls)
        if not three:
            return [first, _phase(end, ("max_lr", "min_lr"), rises)]
        return [
            first,
            _phase(float(2 * rising * self.total_steps) - 2, ("max_lr", "initial_lr"), rises),
            _phase(end, ("initial_lr", "min_lr"), ("max_momentum", "max_momentum")),
        ]

    def _anneal(self, start: Any, end: Any, part: float) -> Any:
        if self._anneal_func_type == "cos":
            return end + (start - end) / 2.0 * (math.cos(math.pi * part) + 1)
        return (end - start) * part + start

    def get_lr(self) -> Rates:
        """The rates of this step; sets the momenta too."""
        self._warn_unless_in_step()
        step = self.last_epoch
        if step > self.total_steps:
            raise fail(
                ValueError,
                "OneCycleLR.step",
                f"Tried to step {step} times. The specified number of total steps is "
                f"{self.total_steps}",
            )
        start = 0.0
        phase = self._schedule_phases[0]
        for phase in self._schedule_phases:
            if step <= phase["end_step"] or phase is self._schedule_phases[-1]:
                break
            start = phase["end_step"]
        part = (step - start) / (phase["end_step"] - start)
        rates = []
        for group in self.optimizer.param_groups:
            rates.append(self._anneal(group[phase["start_lr"]], group[phase["end_lr"]], part))
            if self.cycle_momentum:
                bounds = group[phase["start_momentum"]], group[phase["end_momentum"]]
                set_momentum(group, self.use_beta1, self._anneal(*bounds, part))
        return rates


def _length(total_steps: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
    if total_steps is None and (epochs is None or steps_per_epoch is None):
        raise fail(
            ValueError,
            "OneCycleLR",
            "You must define either total_steps OR (epochs AND steps_per_epoch)",
        )
    given = {"total_steps": total_steps}
    if total_steps is None:
        given = {"epochs": epochs, "steps_per_epoch": steps_per_epoch}
    length = 1
    for name, value in given.items():
        if not isinstance(value, int) or value <= 0:
            raise fail(
                ValueError, "OneCycleLR", f"Expected positive integer {name}, but got {value}"
            )
        length *= value
    return length
