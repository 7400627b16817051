"""``torch._C``: what libraries ask of PyTorch's extension module, where it has a meaning here.

There is no extension module; a name that is not here raises as everywhere. Stands on the root.
"""

from __future__ import annotations

from typing import Any

from flambeau import Generator, Size, Tensor, device, dtype, layout, memory_format

__all__ = ["Generator", "Size", "TensorBase", "device", "dtype", "layout", "memory_format"]

TensorBase = Tensor
_TensorBase = Tensor
_TensorMeta = type(Tensor)


def _log_api_usage_once(event: str) -> None:
    """PyTorch counts calls for those who run it; nothing is counted here."""


def _get_tracing_state() -> Any:
    """The running TorchScript trace: None, programs run as they are."""
    return None
