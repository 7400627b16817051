"""``torch.distributed.tensor``: tensors spread over processes are not built.

The names are here because libraries ask ``isinstance(parameter, DTensor)``, which is never so;
making one says what to do instead. Stands on core.errors.
"""

from __future__ import annotations

from typing import Any, NoReturn

from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.distributed.device_mesh import DeviceMesh
from flambeau.distributed.tensor.placement_types import Partial, Placement, Replicate, Shard

__all__ = [
    "DTensor",
    "DeviceMesh",
    "Partial",
    "Placement",
    "Replicate",
    "Shard",
    "distribute_module",
    "distribute_tensor",
]


def _refuse(name: str) -> NoReturn:
    raise fail(
        NotImplementedError,
        name,
        "tensors are not spread over processes here. Keep the whole tensor in each process and "
        "average gradients with torch.nn.parallel.DistributedDataParallel.",
    )


class DTensor(Tensor):
    """A tensor of which each process holds a piece: there are none here.

    Raises:
        NotImplementedError: when one is made.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> NoReturn:  # type: ignore[misc]
        _refuse("DTensor")

    @staticmethod
    def from_local(local_tensor: Tensor, *args: Any, **kwargs: Any) -> NoReturn:
        """Raises NotImplementedError."""
        _refuse("DTensor.from_local")


def distribute_tensor(
    tensor: Tensor, device_mesh: Any = None, placements: Any = None, **options: Any
) -> NoReturn:
    """Raises NotImplementedError: tensors are not spread over processes here."""
    _refuse("distribute_tensor")


def distribute_module(module: Any, device_mesh: Any = None, *args: Any, **options: Any) -> NoReturn:
    """Raises NotImplementedError: parameters are not spread over processes here."""
    _refuse("distribute_module")
