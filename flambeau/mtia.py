"""``torch.mtia``: absent; what may be asked answers, what needs the device says so."""

from __future__ import annotations

from flambeau.cuda.surface import StreamContext, mtia_names



globals().update(mtia_names())
__all__ = ["StreamContext", *sorted(mtia_names())]
