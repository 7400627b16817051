"""``torch.nn.parallel`` without devices or process groups to spread over."""

from __future__ import annotations

from flambeau.nn.parallel import distributed
from flambeau.nn.parallel.data_parallel import DataParallel, data_parallel
from flambeau.nn.parallel.distributed import DistributedDataParallel

__all__ = ["DataParallel", "DistributedDataParallel", "data_parallel", "distributed"]
