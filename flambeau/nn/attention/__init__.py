"""Which form of attention runs. There is one; the names let scripts choose among PyTorch's.

``flex_attention`` and ``bias``, for scores and masks of one's own, load at first use.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from enum import IntEnum
from importlib import import_module
from typing import Any

from flambeau.core.errors import fail

__all__ = ["SDPBackend", "sdpa_kernel"]


class SDPBackend(IntEnum):
    """PyTorch's forms of ``scaled_dot_product_attention``."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


@contextlib.contextmanager
def sdpa_kernel(backends: Any, set_priority: bool = False) -> Iterator[None]:
    """Within: the given forms are allowed. All give the same values, so nothing changes.

    Raises:
        AssertionError: neither a backend nor a list of them.
    """
    listed = [backends] if isinstance(backends, SDPBackend) else backends
    if not isinstance(listed, list) or not all(isinstance(b, SDPBackend) for b in listed):
        message = "Backend must be an instance of SDPBackend or a list of SDPBackend instances"
        raise fail(AssertionError, "sdpa_kernel", message)
    yield


def __getattr__(name: str) -> Any:
    """The rooms below, at first use.

    Raises:
        AttributeError: another name.
    """
    if name in ("bias", "flex_attention"):
        return import_module(f"{__name__}.{name}")
    from flambeau.shim.suggest import missing

    raise missing(__name__, name, globals())
