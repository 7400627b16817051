"""Which form of attention runs. There is one; the names let scripts choose among PyTorch's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from enum import IntEnum
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
