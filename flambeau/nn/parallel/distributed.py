"""DistributedDataParallel by PyTorch's name; it stands in the room of many processes."""

from __future__ import annotations

from flambeau.distributed.data_parallel import DistributedDataParallel

__all__ = ["DistributedDataParallel"]
