"""Transforms of transforms: one after another, at random, in a random order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import flambeau as torch
from flambeau import nn
from flambeau.vision.transforms.v2.base import Transform

__all__ = ["Compose", "RandomApply", "RandomChoice", "RandomOrder"]


def _check(name: str, transforms: Any, kinds: Any = Sequence) -> None:
    if not isinstance(transforms, kinds):
        raise TypeError(f"{name}: Argument transforms should be a sequence of callables, got "
                        f"{type(transforms).__name__}.")  # fmt: skip


def _through(transforms: Any, inputs: tuple[Any, ...]) -> Any:
    """The sample after all of them."""
    outputs: Any = inputs if len(inputs) > 1 else inputs[0]
    for transform in transforms:
        outputs = transform(*inputs)
        inputs = outputs if len(inputs) > 1 else (outputs,)
    return outputs


class Compose(Transform):
    """Transforms one after another."""

    def __init__(self, transforms: Sequence[Callable]) -> None:
        super().__init__()
        _check("Compose", transforms)
        if not transforms:
            raise ValueError("Compose: Pass at least one transform.")
        self.transforms = transforms

    def forward(self, *inputs: Any) -> Any:
        return _through(self.transforms, inputs)

    def extra_repr(self) -> str:
        return "\n".join(f"    {each}" for each in self.transforms)


class RandomApply(Transform):
    """All of the transforms with probability p, or none."""

    def __init__(self, transforms: Sequence[Callable] | nn.ModuleList, p: float = 0.5) -> None:
        super().__init__()
        _check("RandomApply", transforms, (Sequence, nn.ModuleList))
        if not 0.0 <= p <= 1.0:
            raise ValueError("`p` should be a floating point value in the interval [0.0, 1.0].")
        self.transforms = transforms
        self.p = p

    def forward(self, *inputs: Any) -> Any:
        if torch.rand(1) >= self.p:
            return inputs if len(inputs) > 1 else inputs[0]
        return _through(self.transforms, inputs)

    def extra_repr(self) -> str:
        return "\n".join(f"    {each}" for each in self.transforms)


class RandomChoice(Transform):
    """One of the transforms; ``p`` are their weights."""

    def __init__(self, transforms: Sequence[Callable], p: list[float] | None = None) -> None:
        super().__init__()
        _check("RandomChoice", transforms)
        weights = [1.0] * len(transforms) if p is None else p
        if len(weights) != len(transforms):
            raise ValueError(
                f"RandomChoice: Length of p doesn't match the number of transforms: {len(weights)} "
                f"!= {len(transforms)}."
            )
        self.transforms = transforms
        self.p = [weight / sum(weights) for weight in weights]

    def forward(self, *inputs: Any) -> Any:
        return self.transforms[int(torch.multinomial(torch.tensor(self.p), 1))](*inputs)


class RandomOrder(Transform):
    """The transforms in an order that is drawn."""

    def __init__(self, transforms: Sequence[Callable]) -> None:
        super().__init__()
        _check("RandomOrder", transforms)
        self.transforms = transforms

    def forward(self, *inputs: Any) -> Any:
        order = torch.randperm(len(self.transforms)).tolist()
        return _through([self.transforms[i] for i in order], inputs)
