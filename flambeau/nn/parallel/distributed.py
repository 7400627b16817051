"""DistributedDataParallel: it needs a process group, and this build has none."""

from __future__ import annotations

from typing import Any

import flambeau
from flambeau.nn.modules.module import Module

__all__ = ["DistributedDataParallel"]


class DistributedDataParallel(Module):
    """Average the gradients of a group of processes.

    Raises:
        ValueError: there is no group; call the module itself.
    """

    def __init__(self, module: Module, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        flambeau.distributed.get_world_size()
