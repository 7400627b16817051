"""Where core finds what it asks about sparse tensors. Stands on build, legacy and
pointwise."""

from __future__ import annotations

from flambeau.sparse.build import like, unfilled
from flambeau.sparse.legacy import new
from flambeau.sparse.pointwise import check_ordered

__all__ = ["check_ordered", "like", "new", "unfilled"]
