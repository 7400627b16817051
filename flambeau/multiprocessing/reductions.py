"""How tensors travel between processes: by shared memory, as in PyTorch.

Importing this file teaches Python's pickler for processes. Stands on core.sharing.
"""

from __future__ import annotations

from multiprocessing import reduction
from typing import Any

from flambeau.core.sharing import rebuilt, taken_apart
from flambeau.core.tensor import Tensor
from flambeau.nn.parameter import Buffer, Parameter

__all__ = ["init_reductions", "rebuild_tensor", "reduce_tensor"]


def reduce_tensor(tensor: Tensor) -> tuple[Any, ...]:
    """A tensor as a descriptor of its memory, which becomes shared; elsewhere as its values.

    Raises:
        RuntimeError: a tensor with a graph.
    """
    if type(tensor._array).__name__ != "ndarray" or not hasattr(reduction, "DupFd"):
        return tensor.__reduce_ex__(4)
    segment, layout = taken_apart(tensor)
    if segment is None:
        return rebuild_tensor, (None, 0, type(tensor), layout)
    return rebuild_tensor, (
        reduction.DupFd(segment.fd),
        segment.bytes.nbytes,
        type(tensor),
        layout,
    )


def rebuild_tensor(handle: Any, size: int, cls: type[Tensor], layout: Any) -> Tensor:
    """The tensor of a descriptor that came from another process."""
    return rebuilt(None if handle is None else handle.detach(), size, cls, layout)


def init_reductions() -> None:
    """Let Python's pickler for processes send tensors by shared memory."""
    for kind in (Tensor, Parameter, Buffer):
        reduction.ForkingPickler.register(kind, reduce_tensor)


init_reductions()
