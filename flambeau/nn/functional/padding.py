"""``F.pad``: constant, reflecting, replicating and circular padding. The operations are in
``core.ops.pad``.
"""

from __future__ import annotations

from flambeau.core.ops.pad import pad

__all__ = ["pad"]
