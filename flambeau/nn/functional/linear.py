"""``F.linear`` and ``F.bilinear``: the native functions. They are in ``core.ops.linear``."""

from __future__ import annotations

from flambeau.core.ops.linear import bilinear, linear

__all__ = ["bilinear", "linear"]
