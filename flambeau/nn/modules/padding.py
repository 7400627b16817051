"""Padding layers: constant, zero, circular, reflection, replication, in 1 to 3 dimensions.

``padding`` is one number for all sides or (left, right, top, bottom, front, back), as ``F.pad``
takes it.
"""

from __future__ import annotations

from typing import Any

from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F
from flambeau.nn.common_types import _size_2_t, _size_4_t, _size_6_t
from flambeau.nn.modules.module import Module
from flambeau.nn.modules.utils import _ntuple, _pair, _quadruple

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]

_sextuple = _ntuple(6)


class _ConstantPadNd(Module):
    __constants__ = ["padding", "value"]
    value: float
    padding: Any

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        """The padded input."""
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        """Sizes and value."""
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPadNd):
    """Pad (N, C, W) or (C, W) with ``value``."""

    def __init__(self, padding: _size_2_t, value: float) -> None:
        super().__init__(value)
        self.padding = _pair(padding)


class ConstantPad2d(_ConstantPadNd):
    """Pad (N, C, H, W) or (C, H, W) with ``value``."""

    __constants__ = ["padding", "value"]

    def __init__(self, padding: _size_4_t, value: float) -> None:
        super().__init__(value)
        self.padding = _quadruple(padding)


class ConstantPad3d(_ConstantPadNd):
    """Pad (N, C, D, H, W) or (C, D, H, W) with ``value``."""

    def __init__(self, padding: _size_6_t, value: float) -> None:
        super().__init__(value)
        self.padding = _sextuple(padding)


class ZeroPad1d(ConstantPad1d):
    """Pad (N, C, W) or (C, W) with zeros."""

    def __init__(self, padding: _size_2_t) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        """The sizes."""
        return f"{self.padding}"


class ZeroPad2d(ConstantPad2d):
    """Pad (N, C, H, W) or (C, H, W) with zeros."""

    def __init__(self, padding: _size_4_t) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        """The sizes."""
        return f"{self.padding}"


class ZeroPad3d(ConstantPad3d):
    """Pad (N, C, D, H, W) or (C, D, H, W) with zeros."""

    def __init__(self, padding: _size_6_t) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        """The sizes."""
        return f"{self.padding}"


class _BorderPadNd(Module):
    """Padding with values of the input itself; ``mode`` says which."""

    __constants__ = ["padding"]
    padding: Any
    mode: str

    def forward(self, input: Tensor) -> Tensor:
        """The padded input."""
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        """The sizes."""
        return f"{self.padding}"


class _ReflectionPadNd(_BorderPadNd):
    mode = "reflect"


class _ReplicationPadNd(_BorderPadNd):
    mode = "replicate"


class _CircularPadNd(_BorderPadNd):
    mode = "circular"

    def _check_input_dim(self, input: Tensor) -> None:
        raise NotImplementedError

    def forward(self, input: Tensor) -> Tensor:
        """The padded input."""
        self._check_input_dim(input)
        return F.pad(input, self.padding, self.mode)


class CircularPad1d(_CircularPadNd):
    """Pad (N, C, W) or (C, W) with the other end's values."""

    padding: tuple[int, int]

    def __init__(self, padding: _size_2_t) -> None:
        super().__init__()
        self.padding = _pair(padding)

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() not in (2, 3):
            message = f"expected 2D or 3D input (got {input.dim()}D input)"
            raise fail(ValueError, "CircularPad1d", message)


class CircularPad2d(_CircularPadNd):
    """Pad (N, C, H, W) or (C, H, W) with the other end's values."""

    padding: tuple[int, int, int, int]

    def __init__(self, padding: _size_4_t) -> None:
        super().__init__()
        self.padding = _quadruple(padding)

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() not in (3, 4):
            message = f"expected 3D or 4D input (got {input.dim()}D input)"
            raise fail(ValueError, "CircularPad2d", message)


class CircularPad3d(_CircularPadNd):
    """Pad (N, C, D, H, W) or (C, D, H, W) with the other end's values."""

    padding: tuple[int, int, int, int, int, int]

    def __init__(self, padding: _size_6_t) -> None:
        super().__init__()
        self.padding = _sextuple(padding)

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() not in (4, 5):
            message = f"expected 4D or 5D input (got {input.dim()}D input)"
            raise fail(ValueError, "CircularPad3d", message)


class ReflectionPad1d(_ReflectionPadNd):
    """Pad (N, C, W) or (C, W) by mirroring, without repeating the border."""

    def __init__(self, padding: _size_2_t) -> None:
        super().__init__()
        self.padding = _pair(padding)


class ReflectionPad2d(_ReflectionPadNd):
    """Pad (N, C, H, W) or (C, H, W) by mirroring, without repeating the border."""

    def __init__(self, padding: _size_4_t) -> None:
        super().__init__()
        self.padding = _quadruple(padding)


class ReflectionPad3d(_ReflectionPadNd):
    """Pad (N, C, D, H, W) or (C, D, H, W) by mirroring, without repeating the border."""

    def __init__(self, padding: _size_6_t) -> None:
        super().__init__()
        self.padding = _sextuple(padding)


class ReplicationPad1d(_ReplicationPadNd):
    """Pad (N, C, W) or (C, W) by repeating the border."""

    def __init__(self, padding: _size_2_t) -> None:
        super().__init__()
        self.padding = _pair(padding)


class ReplicationPad2d(_ReplicationPadNd):
    """Pad (N, C, H, W) or (C, H, W) by repeating the border."""

    def __init__(self, padding: _size_4_t) -> None:
        super().__init__()
        self.padding = _quadruple(padding)


class ReplicationPad3d(_ReplicationPadNd):
    """Pad (N, C, D, H, W) or (C, D, H, W) by repeating the border."""

    def __init__(self, padding: _size_6_t) -> None:
        super().__init__()
        self.padding = _sextuple(padding)
