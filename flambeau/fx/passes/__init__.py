"""Passes over graphs: `shape_prop`."""

from __future__ import annotations

from flambeau.fx.passes import shape_prop

__all__ = ["shape_prop"]
