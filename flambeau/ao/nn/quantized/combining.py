"""Sums and products of two tensors as modules, so that they can be observed (`FloatFunctional`) and
become sums of integers (`QFunctional`). Stands on affine."""

from __future__ import annotations

from typing import Any

import flambeau
from flambeau import nn
from flambeau.ao.nn.quantized import affine
from flambeau.ao.nn.quantized.linear import parameters
from flambeau.ao.nn.quantized.scaled import Scaled

__all__ = ["FXFloatFunctional", "FloatFunctional", "QFunctional"]


class FXFloatFunctional(nn.Module):
    """Operations of two tensors, not observed."""

    def forward(self, x: Any) -> Any:
        """Not to be called.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError(
            f"{type(self).__name__} is not called: call its add, mul, cat, add_relu or matmul."
        )

    def _seen(self, value: Any) -> Any:
        return value

    def add(self, x: Any, y: Any) -> Any:
        """``x + y``."""
        return self._seen(flambeau.add(x, y))

    def add_scalar(self, x: Any, y: float) -> Any:
        """``x + y``, not observed."""
        return flambeau.add(x, y)

    def mul(self, x: Any, y: Any) -> Any:
        """``x y``."""
        return self._seen(flambeau.mul(x, y))

    def mul_scalar(self, x: Any, y: float) -> Any:
        """``x y``, not observed."""
        return flambeau.mul(x, y)

    def cat(self, x: Any, dim: int = 0) -> Any:
        """One tensor after the other."""
        return self._seen(flambeau.cat(x, dim))

    def add_relu(self, x: Any, y: Any) -> Any:
        """``relu(x + y)``."""
        return self._seen(flambeau.relu(flambeau.add(x, y)))

    def matmul(self, x: Any, y: Any) -> Any:
        """``x @ y``."""
        return self._seen(flambeau.matmul(x, y))


class FloatFunctional(FXFloatFunctional):
    """Operations of two tensors whose results an observer sees."""

    def __init__(self) -> None:
        super().__init__()
        self.activation_post_process: Any = nn.Identity()

    def _seen(self, value: Any) -> Any:
        return self.activation_post_process(value)


class QFunctional(Scaled):
    """Operations of two tensors of integers; results have `scale` and `zero_point`."""

    def __init__(self) -> None:
        super().__init__()
        self.scale, self.zero_point = 1.0, 0
        self.activation_post_process = nn.Identity()

    def _get_name(self) -> str:
        return "QFunctional"

    def extra_repr(self) -> str:
        """The scale."""
        return f"scale={self.scale}, zero_point={self.zero_point}"

    def forward(self, x: Any) -> Any:
        """Not to be called.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError("QFunctional is not called: call its add, mul, cat, add_relu or matmul.")

    def _made(self, value: Any, like: Any) -> Any:
        return affine.from_values(value, like, self.scale, self.zero_point)

    def add(self, x: Any, y: Any) -> Any:
        """``x + y``."""
        return self._made(x.dequantize() + y.dequantize(), x)

    def add_scalar(self, x: Any, y: float) -> Any:
        """``x + y``, the zero point moved where the integers reach."""
        return affine.moved(x, y)

    def mul(self, x: Any, y: Any) -> Any:
        """``x y``."""
        return self._made(x.dequantize() * y.dequantize(), x)

    def mul_scalar(self, x: Any, y: float) -> Any:
        """``x y``, the scale changed."""
        return affine.stretched(x, y)

    def cat(self, x: Any, dim: int = 0) -> Any:
        """One tensor after the other."""
        return self._made(flambeau.cat([each.dequantize() for each in x], dim), x[0])

    def add_relu(self, x: Any, y: Any) -> Any:
        """``relu(x + y)``."""
        return self._made((x.dequantize() + y.dequantize()).relu(), x)

    def matmul(self, x: Any, y: Any) -> Any:
        """``x @ y``."""
        return self._made(x.dequantize() @ y.dequantize(), x)

    @classmethod
    def from_float(cls, mod: Any, use_precomputed_fake_quant: bool = False) -> QFunctional:
        """From an observed `FloatFunctional`."""
        made = cls()
        made.scale, made.zero_point = parameters(mod)
        return made
