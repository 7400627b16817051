"""The base of the schedules: counts steps, writes the rates into the groups, warns about the usual
mistakes.

Stands on `optimizer`.
"""

from __future__ import annotations

import types
import warnings
import weakref
from functools import wraps
from typing import Any

from flambeau.core.errors import fail
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import Tensor
from flambeau.optim.elementwise import scalar
from flambeau.optim.optimizer import Optimizer

__all__ = ["EPOCH_DEPRECATION_WARNING", "LRScheduler", "Rates", "per_group", "rates_of", "set_rate"]

Rates = list[Any]
"""One rate per parameter group: a float, or a tensor where the group's is one."""

_ORDER = "https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"
EPOCH_DEPRECATION_WARNING = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where "
    "possible. Please use "
    "`scheduler.step()` to step the scheduler. During the deprecation, if epoch is different from "
    "None, the closed form "
    "is used instead of the new chainable form, where available."
)


def per_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """One value per group: the same for all, or those of a list of that length."""
    groups = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        value = [value] * groups
    elif len(value) != groups:
        raise fail(
            ValueError,
            name,
            f"{name} must have the same length as optimizer.param_groups. {name} has {len(value)} "
            f"values, "
            f"param_groups has {groups}.",
        )
    return [item.clone() if isinstance(item, Tensor) else item for item in value]


def rates_of(optimizer: Optimizer, key: str) -> Rates:
    """``group[key]`` of every group; tensors are copied."""
    values = [group[key] for group in optimizer.param_groups]
    return [value.clone() if isinstance(value, Tensor) else value for value in values]


def set_rate(group: dict[str, Any], key: str, value: Any) -> None:
    """Write a rate; a tensor in the group keeps its identity and is filled."""
    if isinstance(group[key], Tensor):
        group[key].fill_(scalar(value))
    else:
        group[key] = value


def check_optimizer(optimizer: Any, name: str) -> None:
    """A schedule needs an optimizer."""
    if not isinstance(optimizer, Optimizer):
        raise fail(TypeError, name, f"{type(optimizer).__name__} is not an Optimizer")


class LRScheduler:
    """Base of all schedules; a subclass gives `get_lr`.

    Args:
        optimizer: whose rates are set. Making a schedule sets them at once.
        last_epoch: -1 for a new schedule; else the epoch to go on from, with an optimizer that was
            loaded.
    """

    _get_lr_called_within_step: bool = False
    _is_initial: bool = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        name = type(self).__name__
        check_optimizer(optimizer, name)
        self.optimizer = optimizer
        for number, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                rate = group["lr"]
                group.setdefault("initial_lr", rate.clone() if isinstance(rate, Tensor) else rate)
            elif "initial_lr" not in group:
                raise fail(
                    KeyError,
                    name,
                    f"param 'initial_lr' is not specified in param_groups[{number}] when resuming "
                    f"scheduler with "
                    "last_epoch >= 0. Load the optimizer's checkpoint first, or start with "
                    "last_epoch=-1.",
                )
        self.base_lrs: Rates = rates_of(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        _note_steps(optimizer)
        self._initial_step()

    def _initial_step(self) -> None:
        """The first step, which sets the first rates."""
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def state_dict(self) -> dict[str, Any]:
        """All of the schedule but the optimizer."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self.__dict__.update(state_dict)

    def get_last_lr(self) -> Rates:
        """The rates that the last step set, one per group."""
        return self._last_lr

    def get_lr(self) -> Rates:
        """The next rates, one per group; called by `step`. To read the present ones use
        `get_last_lr`."""
        raise NotImplementedError

    def step(self, epoch: int | None = None) -> None:
        """Set the next rates. Call it after the optimizer's step.

        Args:
            epoch: (deprecated) jump to this epoch.
        """
        if self._step_count == 1:
            self._warn_of_order()
        self._step_count += 1
        if epoch is not None:
            warnings.warn(EPOCH_DEPRECATION_WARNING, UserWarning, stacklevel=stack_level())
        self._update_lr(epoch)

    def _warn_of_order(self) -> None:
        if not hasattr(self.optimizer.step, "_wrapped_by_lr_sched"):
            warnings.warn(
                "Seems like `optimizer.step()` has been overridden after learning rate scheduler "
                "initialization. "
                "Please, make sure to call `optimizer.step()` before `lr_scheduler.step()`. See "
                "more details at " + _ORDER,
                UserWarning,
                stacklevel=stack_level(),
            )
        elif not getattr(self.optimizer, "_opt_called", False):
            warnings.warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`. In PyTorch "
                "1.1.0 and later, you "
                "should call them in the opposite order: `optimizer.step()` before "
                "`lr_scheduler.step()`.  Failure to "
                "do this will result in PyTorch skipping the first value of the learning rate "
                "schedule. See more "
                "details at " + _ORDER,
                UserWarning,
                stacklevel=stack_level(),
            )

    def _update_lr(self, epoch: int | None = None) -> None:
        with CalledWithinStep(self):
            if epoch is None:
                self.last_epoch += 1
                rates = self.get_lr()
            else:
                self.last_epoch = epoch
                closed_form = getattr(self, "_get_closed_form_lr", self.get_lr)
                rates = closed_form()
        self._set_rates(rates)

    def _set_rates(self, rates: Rates) -> None:
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            set_rate(group, "lr", rate)
        self._last_lr = rates_of(self.optimizer, "lr")

    def _now(self) -> Rates:
        return rates_of(self.optimizer, "lr")

    def _times(self, factor: float) -> Rates:
        return [group["lr"] * factor for group in self.optimizer.param_groups]

    def _warn_unless_in_step(self) -> None:
        if not self._get_lr_called_within_step:
            warnings.warn(
                "To get the last learning rate computed by the scheduler, please use "
                "`get_last_lr()`.",
                UserWarning,
                stacklevel=stack_level(),
            )


class _LRScheduler(LRScheduler):
    """The name of the base before PyTorch 2.0."""


class CalledWithinStep:
    """Tells `get_lr` that it is the schedule itself that asks."""

    __slots__ = ("scheduler",)

    def __init__(self, scheduler: LRScheduler) -> None:
        self.scheduler = scheduler

    def __enter__(self) -> None:
        self.scheduler._get_lr_called_within_step = True

    def __exit__(self, *_: object) -> None:
        self.scheduler._get_lr_called_within_step = False


def _note_steps(optimizer: Optimizer) -> None:
    """Wrap the optimizer's `step` once, so that a schedule stepped before it can warn."""
    if hasattr(optimizer.step, "_wrapped_by_lr_sched"):
        return
    function = optimizer.step.__func__  # type: ignore[attr-defined]
    reference = weakref.ref(optimizer)

    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        owner: Any = reference()
        owner._opt_called = True
        return function(owner, *args, **kwargs)

    wrapper._wrapped_by_lr_sched = True  # type: ignore[attr-defined]
    optimizer.step = wrapper  # type: ignore[method-assign]


def functions_state(functions: list[Any]) -> list[Any]:
    """What a checkpoint keeps of functions: nothing of plain ones, the attributes of callable
    objects."""
    return [None if isinstance(f, types.FunctionType) else f.__dict__.copy() for f in functions]
