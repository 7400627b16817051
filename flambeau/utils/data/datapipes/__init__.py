"""PyTorch's place of the ready-made data pipes: ``datapipes.iter``, ``datapipes.map``."""

from flambeau.utils.data.datapipes import iter, map

__all__ = ["iter", "map"]
