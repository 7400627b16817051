"""`swap_in_optimizer_params_and_state`: an optimizer on other tensors for the time of a block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flambeau.core.tensor import Tensor
from flambeau.optim.optimizer import Optimizer

__all__ = ["swap_in_optimizer_params_and_state"]


@contextmanager
def swap_in_optimizer_params_and_state(
    optimizer: Optimizer,
    swapin_parameters: dict[str, Tensor],
    swapin_optim_state: dict[str, Any],
) -> Iterator[None]:
    """The block in which an optimizer has these parameters and this state instead of its own.

    Args:
        swapin_parameters: name -> tensor, in the order of the optimizer's own.
        swapin_optim_state: as `state_dict` gives it; its tensors are changed in place.
    """
    groups = optimizer.param_groups
    own = [dict(group) for group in groups]
    state = optimizer.state
    given = iter(swapin_parameters.values())
    numbered: dict[int, Tensor] = {}
    for group, other in zip(groups, swapin_optim_state["param_groups"], strict=True):
        fresh = [next(given) for _ in group["params"]]
        numbered.update(zip(other["params"], fresh, strict=True))
        group.update({k: v for k, v in other.items() if k != "params"}, params=fresh)
    optimizer.state = type(state)(
        state.default_factory,
        {numbered[k]: dict(v) for k, v in swapin_optim_state["state"].items()},
    )
    try:
        yield
    finally:
        optimizer.state = state
        for group, before in zip(groups, own, strict=True):
            group.clear()
            group.update(before)
