"""Fake tensors by PyTorch's path: no tensor is one here, and the mode names the meta device, which
does the same. Stands on core.
"""

from __future__ import annotations

from typing import Any, NoReturn

from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor

__all__ = ["FakeTensor", "FakeTensorMode", "is_fake", "unset_fake_temporarily"]


class _Kind(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return False


class FakeTensor(metaclass=_Kind):
    """The class that libraries ask about: no tensor is one."""


class FakeTensorMode:
    """A block whose tensors would have no memory.

    Raises:
        NotImplementedError: always; tensors of the meta device have none.
    """

    def __init__(self, **options: Any) -> None:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise fail(
            NotImplementedError,
            "FakeTensorMode",
            "fake tensors are not built. Tensors of the meta device compute shapes and dtypes "
            "alone: `with torch.device('meta'):`, or tensor.to('meta').",
        )


def is_fake(x: Tensor) -> bool:
    """Whether a tensor is fake: never."""
    return False


class unset_fake_temporarily:
    """A block in which no mode makes fakes: every block."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, *exc: object) -> None:
        return None
