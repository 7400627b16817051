"""`swap_tensors`: two tensors change places, under every name they have. Stands on core.node."""

from __future__ import annotations

import weakref

from flambeau.core.errors import fail
from flambeau.core.node import AccumulateGrad
from flambeau.core.tensor import Tensor

__all__ = ["swap_tensors"]

PARTS = ("_array", "_edge", "_grad", "_storage", "_view")


def swap_tensors(t1: Tensor, t2: Tensor) -> None:
    """Give each tensor the other's class, data, gradient, history and attributes.

    Raises:
        RuntimeError: a weak reference looks at one of them.
    """
    for name, tensor in (("t1", t1), ("t2", t2)):
        watchers = set(weakref.getweakrefs(tensor))
        edge = tensor._edge
        if isinstance(edge, AccumulateGrad):
            watchers.discard(edge.variable_ref)
        if watchers:
            raise fail(
                RuntimeError,
                "swap_tensors",
                f"Cannot swap {name} because it has weakref associated with it: drop those first.",
            )
    t1.__class__, t2.__class__ = t2.__class__, t1.__class__
    t1.__dict__, t2.__dict__ = t2.__dict__, t1.__dict__
    for part in PARTS:
        one, two = getattr(t1, part), getattr(t2, part)
        setattr(t1, part, two)
        setattr(t2, part, one)
    for tensor in (t1, t2):
        if isinstance(tensor._edge, AccumulateGrad):
            tensor._edge.variable_ref = weakref.ref(tensor)
