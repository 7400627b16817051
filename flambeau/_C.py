"""``torch._C``: what libraries ask of PyTorch's extension module, where it has a meaning here.

There is no extension module; a name that is not here raises as everywhere. Stands on the root.
"""

from __future__ import annotations

from typing import Any

from flambeau import Generator, Size, Tensor, device, dtype, layout, memory_format
from flambeau.core.lower import disabled as _disabled_torch_dispatch_impl  # noqa: F401
from flambeau.core.ops.linalg_checks import LinAlgError as _LinAlgError  # noqa: F401
from flambeau.core.overrides import disabled as _disabled_torch_function_impl  # noqa: F401
from flambeau.overrides import (
    DisableTorchFunction,  # noqa: F401
    DisableTorchFunctionSubclass,  # noqa: F401
)

__all__ = [
    "Generator",
    "Graph",
    "Size",
    "TensorBase",
    "Value",
    "device",
    "dtype",
    "layout",
    "memory_format",
]

TensorBase = Tensor
_TensorBase = Tensor
_TensorMeta = type(Tensor)


def _log_api_usage_once(event: str) -> None:
    """PyTorch counts calls for those who run it; nothing is counted here."""


def _get_tracing_state() -> Any:
    """The running TorchScript trace: None, programs run as they are."""
    return None


class Graph:
    """A TorchScript graph: a name for annotations (``symbolic``), of which there are none here."""


class Value:
    """A value in a TorchScript graph: a name for annotations."""


class _nn:
    """``torch._C._nn``: what `Module.to` reads its arguments with."""

    @staticmethod
    def _parse_to(*args: Any, **kwargs: Any) -> tuple[Any, Any, bool, Any]:
        """Device, dtype, non_blocking and memory format of a call of `to`."""
        from flambeau.nn.modules._convert import _parse_to

        return _parse_to(*args, **kwargs)


def _are_functorch_transforms_active() -> bool:
    """Whether a transform (vmap) runs now."""
    from flambeau.core import state

    return bool(state.current().levels)
