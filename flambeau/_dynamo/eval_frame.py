"""``torch._dynamo.eval_frame``: where libraries look for the class of compiled modules."""

from __future__ import annotations

from flambeau.compiler.module import OptimizedModule

__all__ = ["OptimizedModule"]
