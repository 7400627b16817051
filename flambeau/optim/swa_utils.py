"""Averaging of weights over training: stochastic weight averaging, exponential moving averages, and
their schedule.

Reference: P. Izmailov, D. Podoprikhin, T. Garipov, D. Vetrov, A. Wilson, Averaging Weights Leads to
Wider Optima and Better Generalization, 2018, arXiv:1803.05407. Stands on nn's modules and
`lr_scheduler`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.nn import Module
from flambeau.optim.lr_scheduler.base import LRScheduler, Rates, per_group
from flambeau.optim.optimizer import Optimizer

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]

Tensors = tuple[Tensor, ...] | list[Tensor]


def _check_decay(name: str, decay: float) -> None:
    if not 0.0 <= decay <= 1.0:
        raise fail(
            ValueError,
            name,
            f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.",
        )


def _continuous(tensor: Tensor) -> bool:
    return bool(tensor.is_floating_point() or tensor.is_complex())


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[[Tensors, Tensors, Any], None]:
    """``a = decay * a + (1 - decay) * p``, for lists of tensors in place."""
    _check_decay("get_ema_multi_avg_fn", decay)

    @flambeau.no_grad()
    def ema_update(ema_param_list: Tensors, current_param_list: Tensors, _: Any) -> None:
        for average, current in zip(ema_param_list, current_param_list, strict=True):
            if _continuous(ema_param_list[0]):
                average.lerp_(current, 1 - decay)
            else:
                average.copy_(average * decay + current * (1 - decay))

    return ema_update  # type: ignore[no-any-return]


def get_swa_multi_avg_fn() -> Callable[[Tensors, Tensors, Any], None]:
    """The running mean, for lists of tensors in place."""

    @flambeau.no_grad()
    def swa_update(
        averaged_param_list: Tensors, current_param_list: Tensors, num_averaged: Any
    ) -> None:
        part = 1 / (num_averaged + 1)
        for average, current in zip(averaged_param_list, current_param_list, strict=True):
            if _continuous(averaged_param_list[0]):
                average.lerp_(current, part.to(average.dtype) if isinstance(part, Tensor) else part)
            else:
                average.copy_(average + (current - average) / (num_averaged + 1))

    return swa_update  # type: ignore[no-any-return]


def get_ema_avg_fn(decay: float = 0.999) -> Callable[[Tensor, Tensor, Any], Tensor]:
    """``decay * a + (1 - decay) * p``."""
    _check_decay("get_ema_avg_fn", decay)

    @flambeau.no_grad()
    def ema_update(ema_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return decay * ema_param + (1 - decay) * current_param

    return ema_update  # type: ignore[no-any-return]


def get_swa_avg_fn() -> Callable[[Tensor, Tensor, Any], Tensor]:
    """The running mean: ``a + (p - a) / (n + 1)``."""

    @flambeau.no_grad()
    def swa_update(averaged_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update  # type: ignore[no-any-return]


class AveragedModel(Module):
    """A copy of a model whose parameters are the average of those it was updated with.

    Args:
        model: what is averaged; copied.
        device: where the copy lives (default: with the model).
        avg_fn: ``(average, parameter, count)`` to the new average, tensor by tensor.
        multi_avg_fn: the same for lists, in place; the running mean if neither is given.
        use_buffers: average the buffers too; else they are copied.
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Callable[[Tensor, Tensor, Any], Tensor] | None = None,
        multi_avg_fn: Callable[[Tensors, Tensors, Any], None] | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise fail(
                AssertionError,
                "AveragedModel",
                "Only one of avg_fn and multi_avg_fn should be provided",
            )
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", flambeau.tensor(0, dtype=flambeau.long, device=device))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The averaged model's output."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take the model's present parameters into the average."""
        mine, theirs = self._tensors(self.module), self._tensors(model)
        averages = [tensor.detach() for tensor in mine]
        currents = [
            tensor.detach().to(own.device) for tensor, own in zip(theirs, averages, strict=False)
        ]
        count = self.n_averaged
        if count == 0:
            for average, current in zip(averages, currents, strict=False):
                average.copy_(current)
        elif self.avg_fn is not None:
            for average, current in zip(averages, currents, strict=False):
                average.copy_(self.avg_fn(average, current, count))
        else:
            update = self.multi_avg_fn or get_swa_multi_avg_fn()
            for dtype in dict.fromkeys(average.dtype for average in averages):
                rows = [
                    pair for pair in zip(averages, currents, strict=False) if pair[0].dtype == dtype
                ]
                update([row[0] for row in rows], [row[1] for row in rows], count)
        if not self.use_buffers:
            for own, other in zip(self.module.buffers(), model.buffers(), strict=True):
                own.detach().copy_(other.detach().to(own.device))
        self.n_averaged += 1

    def _tensors(self, model: Module) -> list[Tensor]:
        if self.use_buffers:
            return list(itertools.chain(model.parameters(), model.buffers()))
        return list(model.parameters())


@flambeau.no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Recompute the running statistics of all batch norms by one pass over the data (averaged
    weights need their own).

    Args:
        loader: batches; of a list or tuple the first item is the input.
        model: what they are run through, in training mode; its mode is put back.
        device: where the inputs go.
    """
    kind = flambeau.nn.modules.batchnorm._BatchNorm
    momenta = {module: module.momentum for module in model.modules() if isinstance(module, kind)}
    if not momenta:
        return
    was_training = model.training
    model.train()
    for module in momenta:
        module.reset_running_stats()
        module.momentum = None
    for batch in loader:
        given = batch[0] if isinstance(batch, (list, tuple)) else batch
        model(given if device is None else given.to(device))
    for module, momentum in momenta.items():
        module.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """Anneals each group's rate to a constant `swa_lr` in `anneal_epochs` epochs.

    Args:
        optimizer: whose rates are set.
        swa_lr: the rate to end at, or one per group.
        anneal_epochs: how long; 0 for at once.
        anneal_strategy: "cos" or "linear".
        last_epoch: see `LRScheduler`.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float,
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        for rate, group in zip(
            per_group("swa_lr", optimizer, swa_lr), optimizer.param_groups, strict=True
        ):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise fail(
                ValueError,
                "SWALR",
                f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}",
            )
        self._anneal_strategy = anneal_strategy
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise fail(
                ValueError,
                "SWALR",
                f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}",
            )
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _part(self, step: int) -> float:
        t = max(0, min(1, step / max(1, self.anneal_epochs)))
        return (1 - math.cos(math.pi * t)) / 2 if self._anneal_strategy == "cos" else t

    def get_lr(self) -> Rates:
        """A mix of the rate annealing began with (told back from the present one) and `swa_lr`."""
        self._warn_unless_in_step()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._part(step - 1), self._part(step)
        rates = []
        for group in self.optimizer.param_groups:
            end = group["swa_lr"]
            start = end if before == 1 else (group["lr"] - before * end) / (1 - before)
            rates.append(end * now + start * (1 - now))
        return rates
