"""``torch.distributed.distributed_c10d``: the file in which PyTorch keeps groups and collectives.

Here they stand in `collectives`, `groups`, `objects`, `options` and `store`; this room gives their
names under PyTorch's path, and the few that only this path has. Stands on those.
"""

from __future__ import annotations

from typing import Any

from flambeau.distributed import *  # noqa: F403
from flambeau.distributed import __all__ as _shown
from flambeau.distributed.groups import ProcessGroup, default_group, default_pg_timeout

__all__ = [*_shown]  # noqa: PLE0604


def _get_default_group() -> ProcessGroup:
    """The group of all processes.

    Raises:
        ValueError: there is none yet.
    """
    return default_group()


def _get_default_timeout(backend: Any) -> Any:
    """How long a collective waits."""
    return default_pg_timeout
