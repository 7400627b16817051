"""A schedule that watches a metric and lowers the rate when it no longer improves.

Stands on `base`.
"""

from __future__ import annotations

import math
import warnings
from typing import Any, SupportsFloat

from flambeau.core.errors import fail
from flambeau.core.provenance import stack_level
from flambeau.optim.lr_scheduler.base import (
    EPOCH_DEPRECATION_WARNING,
    LRScheduler,
    check_optimizer,
    rates_of,
    set_rate,
)
from flambeau.optim.optimizer import Optimizer

__all__ = ["ReduceLROnPlateau"]


class ReduceLROnPlateau(LRScheduler):
    """``lr *= factor`` after more than `patience` epochs without a better metric; call
    ``step(metric)``.

    Args:
        optimizer: whose rates are set.
        mode: "min" or "max": what is better.
        factor: below 1.
        patience: bad epochs that are allowed.
        threshold: how much better counts.
        threshold_mode: "rel" to the best so far, or "abs".
        cooldown: epochs after a reduction that do not count.
        min_lr: lower bound, or one per group.
        eps: a smaller change of the rate is not made.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: list[float] | float = 0,
        eps: float = 1e-8,
    ) -> None:
        name = type(self).__name__
        if factor >= 1.0:
            raise fail(ValueError, name, f"Factor should be < 1.0, given {factor}.")
        self.factor = factor
        check_optimizer(optimizer, name)
        self.optimizer = optimizer
        groups = len(optimizer.param_groups)
        self.default_min_lr: float | None = None
        if isinstance(min_lr, (list, tuple)):
            if len(min_lr) != groups:
                raise fail(ValueError, name, f"expected {groups} min_lrs, got {len(min_lr)}")
            self.min_lrs = list(min_lr)
        else:
            self.default_min_lr = min_lr
            self.min_lrs = [min_lr] * groups
        self.patience = patience
        self.cooldown = cooldown
        self.eps = eps
        self.last_epoch = 0
        self._last_lr = rates_of(optimizer, "lr")
        self._init_is_better(mode, threshold, threshold_mode)
        self._reset()

    def _reset(self) -> None:
        self.best = self.mode_worse
        self.cooldown_counter = 0
        self.num_bad_epochs = 0

    def step(  # type: ignore[override]  # it takes the metric, as PyTorch's does
        self, metrics: SupportsFloat, epoch: int | None = None
    ) -> None:
        """Note this epoch's metric and lower the rates if it has not improved for too long."""
        current = float(metrics)
        if epoch is None:
            epoch = self.last_epoch + 1
        else:
            warnings.warn(EPOCH_DEPRECATION_WARNING, UserWarning, stacklevel=stack_level())
        self.last_epoch = epoch
        if self._is_better(current, self.best):
            self.best = current
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce_lr()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = rates_of(self.optimizer, "lr")

    def _reduce_lr(self) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):
            if self.default_min_lr is None:
                raise fail(
                    RuntimeError,
                    "ReduceLROnPlateau.step",
                    f"The number of param groups in the `optimizer` ({len(groups)}) differs from "
                    f"when "
                    f"`ReduceLROnPlateau` was initialized ({len(self.min_lrs)}), usually due to a "
                    f"new param group being "
                    "added to the optimizer. Please modify the `min_lrs` field to match.",
                )
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, lowest in zip(groups, self.min_lrs, strict=True):
            old = float(group["lr"])
            new = max(old * self.factor, lowest)
            if old - new > self.eps:
                set_rate(group, "lr", new)

    @property
    def in_cooldown(self) -> bool:
        """Whether a reduction was too recent to count bad epochs."""
        return self.cooldown_counter > 0

    def _is_better(self, a: float, best: float) -> bool:
        if self.threshold_mode == "rel":
            bound = best * (1.0 - self.threshold if self.mode == "min" else 1.0 + self.threshold)
        else:
            bound = best - self.threshold if self.mode == "min" else best + self.threshold
        return a < bound if self.mode == "min" else a > bound

    def _init_is_better(self, mode: str, threshold: float, threshold_mode: str) -> None:
        name = type(self).__name__
        if mode not in ("min", "max"):
            raise fail(ValueError, name, f"mode {mode} is unknown! Give 'min' or 'max'.")
        if threshold_mode not in ("rel", "abs"):
            raise fail(
                ValueError,
                name,
                f"threshold mode {threshold_mode} is unknown! Give 'rel' or 'abs'.",
            )
        self.mode_worse = math.inf if mode == "min" else -math.inf
        self.mode = mode
        self.threshold = threshold
        self.threshold_mode = threshold_mode

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self.__dict__.update(state_dict)
        self._init_is_better(self.mode, self.threshold, self.threshold_mode)
