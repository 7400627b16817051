"""Tensors exchanged with other libraries without a copy, by the DLPack protocol. Stands on
core.factory.
"""

from __future__ import annotations

import enum
from typing import Any

from flambeau.core.factory import from_dlpack
from flambeau.core.tensor import Tensor

__all__ = ["DLDeviceType", "from_dlpack", "to_dlpack"]


class DLDeviceType(enum.IntEnum):
    """DLPack's numbers for kinds of devices."""

    kDLCPU = 1
    kDLCUDA = 2
    kDLCUDAHost = 3
    kDLOpenCL = 4
    kDLVulkan = 7
    kDLMetal = 8
    kDLVPI = 9
    kDLROCM = 10
    kDLROCMHost = 11
    kDLExtDev = 12
    kDLCUDAManaged = 13
    kDLOneAPI = 14
    kDLWebGPU = 15
    kDLHexagon = 16
    kDLMAIA = 17
    kDLTrn = 18


def to_dlpack(tensor: Tensor) -> Any:
    """The tensor as a DLPack capsule, to be taken once."""
    return tensor.__dlpack__()
