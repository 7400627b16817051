"""Layers that belong together, as one module each: what `fuse_modules` makes.

Their training forms are in `qat`, those that compute with integers in `quantized`.
"""

from __future__ import annotations

import inspect
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


NAMES = {"Conv": "conv", "BatchNorm": "bn", "Linear": "linear", "ReLU": "relu"}
"""What the parts are called as arguments."""


class _FusedModule(nn.Sequential):
    """Modules that are observed as one.

    Raises:
        AssertionError: the parts are of other types.
    """

    kinds: tuple[type, ...] = ()

    names: tuple[str, ...] = ()

    def __init__(self, *parts: Any, **named: Any) -> None:
        parts += tuple(named.pop(n) for n in self.names[len(parts) :] if n in named)
        if named:
            raise TypeError(f"{type(self).__name__}: expected {self.names}, got {[*named]} besides")
        given = tuple(type(part) for part in parts)
        if self.kinds and not (
            len(given) == len(self.kinds) and all(map(issubclass, given, self.kinds))
        ):
            names = ", ".join(kind.__name__ for kind in given)
            raise AssertionError(f"Incorrect types for input modules: {names}")
        super().__init__(*parts)


def _fused(name: str, *kinds: type) -> type:
    names = tuple(NAMES[kind.__name__.rstrip("123d")] for kind in kinds)
    if kinds[0] in (nn.BatchNorm2d, nn.BatchNorm3d):
        names = ("batch_norm", *names[1:])
    words = ", ".join(kind.__name__ for kind in kinds)
    body: dict[str, Any] = {"kinds": kinds, "names": names, "__module__": __name__}
    body["__doc__"] = f"{words}, one after the other."
    order = [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in names]
    body["__signature__"] = inspect.Signature(order)
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
