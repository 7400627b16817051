"""``torch.ao.nn``: layers of quantised networks.

`intrinsic` holds layers fused for it, `qat` those that train with rounded weights, `quantizable`
those of parts that can be observed, `quantized` those that compute with integers. Stands on
ao.quantization and nn.
"""

from __future__ import annotations

from importlib import import_module as _import_module
from typing import Any as _Any

__all__ = ["intrinsic", "qat", "quantizable", "quantized"]


def __getattr__(name: str) -> _Any:
    if name in __all__:
        return _import_module(f"flambeau.ao.nn.{name}")
    raise AttributeError(f"module 'torch.ao.nn' has no attribute {name!r}")
