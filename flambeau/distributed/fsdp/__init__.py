"""``torch.distributed.fsdp``: parameters are not spread over processes.

Settings and wrapping policies are values and plain functions and work; the wrapper itself raises
NotImplementedError and names what to use instead. Libraries ask ``isinstance(model, FSDP)``.
"""

from __future__ import annotations

from flambeau.distributed.fsdp.fully_sharded_data_parallel import *
from flambeau.distributed.fsdp.fully_sharded_data_parallel import __all__ as _shown

__all__ = [*_shown]  # noqa: PLE0604
