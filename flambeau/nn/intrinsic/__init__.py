"""``torch.nn.intrinsic``: the old name of ``torch.ao.nn.intrinsic``."""

from __future__ import annotations

from typing import Any as _Any

from flambeau.ao.nn.intrinsic import *
from flambeau.ao.nn.intrinsic import __all__ as __all__


def __getattr__(name: str) -> _Any:
    """No such name.

    Raises:
        AttributeError: always; the nearest name is suggested.
    """
    from flambeau.shim.suggest import missing

    raise missing("torch.nn.intrinsic", name, globals())
