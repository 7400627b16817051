"""What the cyclic schedules share: the momentum (or beta1) that moves against the rate.

Stands on `base`.
"""

from __future__ import annotations

from typing import Any

from flambeau.core.errors import fail
from flambeau.optim.lr_scheduler.base import per_group
from flambeau.optim.optimizer import Optimizer

__all__ = ["set_momentum", "start_momentum"]


def start_momentum(
    name: str, optimizer: Optimizer, lowest: Any, highest: Any, fresh: bool
) -> tuple[bool, list[Any], list[Any]]:
    """Whether the optimizer's momentum is beta1, and the bounds per group; a fresh schedule starts
    at the highest.

    Raises:
        ValueError: the optimizer has neither momentum nor betas.
    """
    if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
        raise fail(
            ValueError,
            name,
            "optimizer must support momentum or beta1 with `cycle_momentum` option enabled; "
            f"{type(optimizer).__name__} has neither, give cycle_momentum=False",
        )
    beta1 = "betas" in optimizer.defaults
    low, high = (
        per_group("base_momentum", optimizer, lowest),
        per_group("max_momentum", optimizer, highest),
    )
    if fresh:
        for top, bottom, group in zip(high, low, optimizer.param_groups, strict=True):
            set_momentum(group, beta1, top)
            group["max_momentum"] = top
            group["base_momentum"] = bottom
    return beta1, low, high


def set_momentum(group: dict[str, Any], beta1: bool, value: Any) -> None:
    """Write the momentum, or the first beta."""
    if beta1:
        group["betas"] = (value, *group["betas"][1:])
    else:
        group["momentum"] = value
