"""What a workload is: a name, a limit, a builder, and what it costs on paper.

Written in PyTorch's API alone; ``torch`` is whichever engine the worker imported. Inputs and
weights come from NumPy, so that both engines start from equal values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np


class Workload(NamedTuple):
    """One line of the table."""

    kind: str
    name: str
    build: Callable[[Any], Callable[[], Any]]
    """Makes the state; its result runs one iteration and returns what both engines agree on."""
    limit: float | None = None
    """Time over PyTorch's at most, None where none is promised."""
    flops: float = 0
    """Multiplications and additions of an iteration, where arithmetic is what it costs."""
    moved: float = 0
    """Bytes that an iteration must read and write, where memory is what it costs."""
    tolerance: float = 1e-4
    """Relative and absolute, between the engines' values."""


def array(*shape: int, seed: int = 0, low: float = -1, high: float = 1) -> np.ndarray:
    """float32 values, uniform."""
    return np.random.default_rng(seed).uniform(low, high, shape).astype(np.float32)


def tensor(torch: Any, *shape: int, grad: bool = False, **how: Any) -> Any:
    """The same as a tensor of the engine that owns its memory."""
    return torch.from_numpy(array(*shape, **how)).clone().requires_grad_(grad)


def labels(torch: Any, count: int, classes: int) -> Any:
    """Class numbers, int64."""
    return torch.from_numpy(np.random.default_rng(7).integers(0, classes, count)).clone()


def weigh(torch: Any, model: Any, scale: float = 1.0) -> Any:
    """Give a model weights of a sensible size that both engines share: biases are zeros, norms
    keep their ones.
    """
    with torch.no_grad():
        for seed, (name, parameter) in enumerate(model.named_parameters()):
            if parameter.dim() > 1:
                fan_in = parameter.numel() // parameter.shape[0]
                values = array(*parameter.shape, seed=seed) * scale / fan_in**0.5
                parameter.copy_(torch.from_numpy(values))
            elif "bias" in name:
                parameter.zero_()
    return model


def training(
    torch: Any,
    model: Any,
    optimizer: Any,
    loss_of: Callable[[], Any],
) -> Callable[[], Any]:
    """One whole training step; its loss is the value."""

    def once() -> Any:
        loss = loss_of()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return once


def gather(modules: Iterable[Any]) -> list[Workload]:
    """The tables of several files as one."""
    return [line for module in modules for line in module.table()]
