"""A tensor as the printer sees one: an array and the attributes it asks for."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from flambeau.core.device import CPU
from flambeau.core.dtypes import of
from flambeau.core.layout import strided


class Node:
    """A graph node that has a name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def name(self) -> str:
        return self._name


class Tensor:
    """What `tensor_text` may be given before, or without, the real Tensor."""

    def __init__(self, array: Any, **facts: Any) -> None:
        self._array = np.asarray(array)
        self.shape = self._array.shape
        self.dtype = of(self._array.dtype)
        self.device = CPU
        self.layout = strided
        self.requires_grad = False
        self.grad_fn: Any = None
        self.__dict__.update(facts)

    def item(self) -> Any:
        return self._array.item()


def parts(**named: Any) -> dict[str, Any]:
    """Index and value tensors as the methods that give them."""
    return {name: partial(Tensor, value) for name, value in named.items()}
