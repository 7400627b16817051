"""Where core's factories find `like` and `unfilled` for sparse tensors. Stands on build."""

from __future__ import annotations

from flambeau.sparse.build import like, unfilled

__all__ = ["like", "unfilled"]
