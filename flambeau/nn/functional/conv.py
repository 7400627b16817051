"""``F.conv*`` and ``F.conv_transpose*``: the native functions, as in PyTorch, under this room's
name.

The operations and their rules are in ``core.ops.convolving``.
"""

from __future__ import annotations

from flambeau.core.ops.convolving import (
    conv1d,
    conv2d,
    conv3d,
    conv_tbc,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
)

__all__ = [
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_tbc",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
]
