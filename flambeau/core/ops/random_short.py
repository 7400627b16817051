"""The usual draws from the process's generator as native functions: fills of small tensors, and
new ones.

Each gives None where the long way must look: dtypes, modes, histories, bounds. Who calls them asks
whether `vmap` draws.
Stands on entry.process, factory.short, kernels.native.draws.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache as once
from typing import Any, NamedTuple, cast

import numpy as np

from flambeau.core.entry import process
from flambeau.core.factory.short import Filled
from flambeau.core.random.generator import default_generator

__all__ = ["Filling", "new"]


@once
def _drawing(law: str) -> Callable[..., Any] | None:
    return default_generator.drawing(law)


class _Fill(NamedTuple):
    """What the native entry asks of an operation: a tensor that is written, and numbers."""

    names: tuple[str, ...]
    tensor_names: tuple[str, ...] = ("input",)
    tensors: tuple[tuple[int, int], ...] = ((0, 1),)
    lists: bool = False
    varargs: None = None
    outputs: tuple[str, ...] = ()
    multiple: bool = False
    rules: tuple[Any, ...] = ()
    differentiable: tuple[int, ...] = ()


KINDS = tuple(np.dtype(t) for t in ("f4", "f8", "?", "i8"))


class Filling:
    """``filling.write(tensor, *parameters)``: the tensor, or None.

    Args:
        title: the method that writes.
        law: of ``kernels.native.draws``.
        parameters: how many it takes.
    """

    __slots__ = ("write",)
    write: Callable[..., Any]

    def __init__(self, title: str, law: str, parameters: int) -> None:
        def first(*args: Any) -> Any:
            draw = _drawing(law)
            op = cast(Any, _Fill(("input", *"abc"[:parameters])))
            short = draw and process.several(op, draw, KINDS, title, into=1)
            self.write = short or _unserved
            return self.write(*args)

        self.write = first


def _unserved(*args: Any) -> None:
    """There is no short way."""


def new(law: str, parameters: int, *, like: bool = False) -> Filled:
    """``drawn[dtype](*sizes, *parameters)``: a new tensor of numbers of a law, or None;
    ``drawn[dtype](tensor, *parameters)`` where it is made like one.
    """
    return Filled(None, like=like, draw=lambda: _drawing(law), trailing=parameters)
