"""Where core's factories find `like` for sparse tensors. Stands on build."""

from __future__ import annotations

from flambeau.sparse.build import like

__all__ = ["like"]
