"""`Variable`: the name of old for a Tensor; calling it gives a detached alias. Stands on
core.tensor.
"""

from __future__ import annotations

import warnings
from typing import Any

from flambeau.core.errors import fail
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import Tensor, wrap_like_view

__all__ = ["Variable"]


class _VariableMeta(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor)

    def __call__(
        cls, data: Any = None, requires_grad: bool | None = None, volatile: Any = None, **_: Any
    ) -> Tensor:
        if volatile is not None:
            warnings.warn(
                "volatile was removed (Variable.volatile is always False): use torch.no_grad() "
                "instead.",
                UserWarning,
                stacklevel=stack_level(),
            )
        if data is None:
            return Tensor()
        if not isinstance(data, Tensor):
            raise fail(
                TypeError,
                "Variable",
                f"Variable data has to be a tensor, but got {type(data).__name__}",
            )
        fresh = wrap_like_view(data._array, data)
        return fresh.requires_grad_() if requires_grad else fresh


class Variable(metaclass=_VariableMeta):
    """The wrapper of PyTorch before 0.4: today every Tensor is one."""
