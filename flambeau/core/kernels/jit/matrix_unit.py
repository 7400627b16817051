"""Whether generated code may use the processor's matrix unit: tiles of bfloat16 (AMX).

Linux wants to be asked once a process; threads that begin later may use it too. Stands on build.
"""

from __future__ import annotations

import ctypes
import platform
import sys
from functools import cache as once

from flambeau.core.kernels.jit import build

__all__ = ["allowed"]

FEATURES = frozenset(("+amx-tile", "+amx-bf16", "+avx512bw", "+avx512vl"))
PRCTL, ASK, TILE_DATA = 158, 0x1023, 18
"""The system call, what is asked, and for which registers."""


@once
def allowed() -> bool:
    """Whether there is such a unit and the system lets this process use it."""
    if sys.platform != "linux" or platform.machine() != "x86_64" or not build.available():
        return False
    if not FEATURES.issubset(build.host().features.split(",")):
        return False
    try:
        return ctypes.CDLL(None).syscall(PRCTL, ASK, TILE_DATA) == 0
    except (OSError, AttributeError):
        return False
