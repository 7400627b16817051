"""Distances and similarities of vectors: the native functions. They are in
``core.ops.distance``."""

from __future__ import annotations

from flambeau.core.declare import ops
from flambeau.core.late import load

__all__ = ["cosine_similarity", "pairwise_distance", "pdist"]

load("distance")
cosine_similarity = ops.cosine_similarity
pairwise_distance = ops.pairwise_distance
pdist = ops.pdist
