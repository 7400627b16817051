"""Layers that belong together, as one module each: what `fuse_modules` makes.

Their training forms are in `qat`, those that compute with integers in `quantized`.
"""

from __future__ import annotations

from typing import Any

from flambeau import nn

__all__ = [
    "BNReLU2d",
    "BNReLU3d",
    "ConvBn1d",
    "ConvBn2d",
    "ConvBn3d",
    "ConvBnReLU1d",
    "ConvBnReLU2d",
    "ConvBnReLU3d",
    "ConvReLU1d",
    "ConvReLU2d",
    "ConvReLU3d",
    "LinearBn1d",
    "LinearReLU",
    "_FusedModule",
]


class _FusedModule(nn.Sequential):
    """Modules that are observed as one.

    Raises:
        AssertionError: the parts are of other types.
    """

    kinds: tuple[type, ...] = ()

    def __init__(self, *parts: Any) -> None:
        given = tuple(type(part) for part in parts)
        if self.kinds and not (
            len(given) == len(self.kinds) and all(map(issubclass, given, self.kinds))
        ):
            names = ", ".join(kind.__name__ for kind in given)
            raise AssertionError(f"Incorrect types for input modules: {names}")
        super().__init__(*parts)


def _fused(name: str, *kinds: type) -> type:
    words = ", ".join(kind.__name__ for kind in kinds)
    body = {"kinds": kinds, "__doc__": f"{words}, one after the other.", "__module__": __name__}
    return type(name, (_FusedModule,), body)


ConvReLU1d = _fused("ConvReLU1d", nn.Conv1d, nn.ReLU)
ConvReLU2d = _fused("ConvReLU2d", nn.Conv2d, nn.ReLU)
ConvReLU3d = _fused("ConvReLU3d", nn.Conv3d, nn.ReLU)
LinearReLU = _fused("LinearReLU", nn.Linear, nn.ReLU)
ConvBn1d = _fused("ConvBn1d", nn.Conv1d, nn.BatchNorm1d)
ConvBn2d = _fused("ConvBn2d", nn.Conv2d, nn.BatchNorm2d)
ConvBn3d = _fused("ConvBn3d", nn.Conv3d, nn.BatchNorm3d)
ConvBnReLU1d = _fused("ConvBnReLU1d", nn.Conv1d, nn.BatchNorm1d, nn.ReLU)
ConvBnReLU2d = _fused("ConvBnReLU2d", nn.Conv2d, nn.BatchNorm2d, nn.ReLU)
ConvBnReLU3d = _fused("ConvBnReLU3d", nn.Conv3d, nn.BatchNorm3d, nn.ReLU)
BNReLU2d = _fused("BNReLU2d", nn.BatchNorm2d, nn.ReLU)
BNReLU3d = _fused("BNReLU3d", nn.BatchNorm3d, nn.ReLU)
LinearBn1d = _fused("LinearBn1d", nn.Linear, nn.BatchNorm1d)
