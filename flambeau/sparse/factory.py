"""Where core finds what it asks about sparse tensors. Stands on build, legacy,
pointwise and shape."""

from __future__ import annotations

from flambeau.sparse.build import like, unfilled
from flambeau.sparse.legacy import new
from flambeau.sparse.pointwise import check_ordered
from flambeau.sparse.shape import check_alike, resized

__all__ = ["check_alike", "check_ordered", "like", "new", "resized", "unfilled"]
