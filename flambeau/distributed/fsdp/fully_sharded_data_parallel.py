"""`FullyShardedDataParallel` by PyTorch's path: parameters are not spread over processes here."""

from __future__ import annotations

from typing import Any, NoReturn

from flambeau.core.errors import fail
from flambeau.distributed.fsdp.api import *  # noqa: F403
from flambeau.distributed.fsdp.api import __all__ as _settings
from flambeau.nn import Module

__all__ = ["FSDPModule", "FullyShardedDataParallel", "fully_shard", *_settings]  # noqa: PLE0604


def _refuse(name: str) -> NoReturn:
    raise fail(
        NotImplementedError,
        name,
        "parameters are not spread over processes here. Each process keeps them all: use "
        "torch.nn.parallel.DistributedDataParallel.",
    )


class FullyShardedDataParallel(Module):
    """A module whose parameters the processes share out: there are none here.

    Raises:
        NotImplementedError: when one is made.
    """

    def __init__(self, module: Module, *args: Any, **kwargs: Any) -> None:
        _refuse("FullyShardedDataParallel")


class FSDPModule:
    """What `fully_shard` makes of a module: no module is one here."""


def fully_shard(module: Any, **options: Any) -> NoReturn:
    """Raises NotImplementedError: parameters are not spread over processes here."""
    _refuse("fully_shard")
