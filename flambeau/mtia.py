"""``torch.mtia``: absent; what may be asked answers, what needs the device says so."""

from __future__ import annotations

from flambeau.cuda.surface import StreamContext, mtia_names

__all__ = ["StreamContext"]

_names = mtia_names()
globals().update(_names)
__all__.extend(sorted(_names))
