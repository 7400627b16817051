"""Helpers for gradient rules that work on arrays and Tensors alike, so that a rule made of them
needs no graph to run.

Their names stand in `rules.BOTH`. Stands on declare.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.declare import elementwise, ops
from flambeau.core.kernels.native.choose import lazily
from flambeau.core.tensor import Tensor

__all__ = ["cosine", "keep", "numbered", "sine", "tie", "vanish"]


@elementwise(
    name="_keep",
    node="MaskedFill",
    function=False,
    method=False,
    inplace=False,
    promote=("input",),
    vjp={"input": lambda g, mask: ops._keep(g, mask)},
)
def _keep(input, mask):
    """The elements of `input` where `mask` is true, else 0; infinities and NaN elsewhere do not
    leak through."""
    return np.where(mask, input, input.dtype.type(0))


def keep(g: Any, mask: Any) -> Any:
    """``g`` where `mask`, else exactly 0."""
    if isinstance(g, Tensor):
        return ops._keep(g, mask if isinstance(mask, Tensor) else ops.ones_like(g) * mask)
    return KEPT(mask, g)


def times(x: Any, number: Any) -> Any:
    """``x * number``; the number keeps its digits beside 16-bit floats, which alone it would not
    beside arrays of them.
    """
    if type(x) is np.ndarray and x.dtype.itemsize == 2:
        return (x.astype("f4") * number).astype(x.dtype)
    return x * number


ZEROS = {np.dtype(c): np.zeros((), c) for c in "efdFD"}
KEPT = lazily("keep_where", lambda mask, g: np.where(mask, g, ZEROS.get(g.dtype, 0)))


def tie(g: Any, mine: Any, theirs: Any) -> Any:
    """The gradient of the larger of two: all of it, half at a tie, none of it where the other one
    is larger."""
    found = keep(g, (mine < theirs) == 0)
    return found - keep(found / 2, mine == theirs)


def vanish(g: Any) -> Any:
    """The zero gradient of a step function."""
    return ops.zeros_like(g) if isinstance(g, Tensor) else np.zeros_like(g)


_sin, _cos = lazily("sin", np.sin), lazily("cos", np.cos)


def sine(x: Any) -> Any:
    """``sin(x)``."""
    return ops.sin(x) if isinstance(x, Tensor) else _sin(x)


def cosine(x: Any) -> Any:
    """``cos(x)``."""
    return ops.cos(x) if isinstance(x, Tensor) else _cos(x)


def numbered(name: str, operand: int = 1) -> Any:
    """The name of a node that PyTorch counts by its overload: 0 where the operand is a number, 1
    for a tensor."""

    def node_name(node: Any) -> str:
        saved = node.saved
        tensor = (
            node.edges[operand] is not None
            or not isinstance(saved, (tuple, list))
            or hasattr(saved[operand], "dtype")
        )
        return f"{name}Backward{int(tensor)}"

    return node_name
