"""Weight normalisation by a forward pre-hook: w = g v / ||v||. Deprecated in PyTorch.

The form in ``parametrizations`` replaces it; checkpoints with ``weight_g``, ``weight_v`` need
this one.

Reference: Salimans, Kingma, Weight normalization, 2016, arXiv:1602.07868.
"""

from __future__ import annotations

import warnings
from typing import Any

from flambeau.core.errors import fail
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import Tensor
from flambeau.nn.modules.module import Module
from flambeau.nn.parameter import Parameter, UninitializedParameter

__all__ = ["WeightNorm", "norm_except_dim", "remove_weight_norm", "weight_norm"]


def norm_except_dim(v: Tensor, pow: float = 2, dim: int = 0) -> Tensor:
    """The p-norm over all dimensions but ``dim``, which is kept; over all for dim -1."""
    if dim == -1:
        return v.norm(pow)
    others = [d for d in range(v.dim()) if d != dim]
    return v.norm(pow, dim=others, keepdim=True)


def scaled(v: Tensor, g: Tensor, dim: int) -> Tensor:
    """g v / ||v||, the norm over all dimensions but ``dim``."""
    return v * (g / norm_except_dim(v, 2, dim))


class WeightNorm:
    """The forward pre-hook that computes the weight from ``_g`` and ``_v``."""

    name: str
    dim: int

    def __init__(self, name: str, dim: int | None) -> None:
        self.name = name
        self.dim = -1 if dim is None else dim

    def compute_weight(self, module: Module) -> Any:
        """The weight from its two parts."""
        return scaled(
            getattr(module, self.name + "_v"), getattr(module, self.name + "_g"), self.dim
        )

    @staticmethod
    def apply(module: Module, name: str, dim: int | None) -> WeightNorm:
        """Split a parameter and register the hook."""
        warnings.warn(
            "`torch.nn.utils.weight_norm` is deprecated in favor of "
            "`torch.nn.utils.parametrizations.weight_norm`.",
            FutureWarning,
            stacklevel=stack_level(),
        )
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, WeightNorm) and hook.name == name:
                message = f"Cannot register two weight_norm hooks on the same parameter {name}"
                raise fail(RuntimeError, "weight_norm", message)
        weight = getattr(module, name)
        if isinstance(weight, UninitializedParameter):
            raise fail(
                ValueError,
                "weight_norm",
                "The module passed to `WeightNorm` can't have uninitialized parameters. Make sure "
                "to run the dummy forward before applying weight normalization",
            )
        norm = WeightNorm(name, dim)
        del module._parameters[name]
        magnitude = norm_except_dim(weight, 2, norm.dim).data
        module.register_parameter(name + "_g", Parameter(magnitude))
        module.register_parameter(name + "_v", Parameter(weight.data))
        setattr(module, name, norm.compute_weight(module))
        module.register_forward_pre_hook(norm)
        return norm

    def remove(self, module: Module) -> None:
        """Make the weight one parameter again."""
        weight = self.compute_weight(module)
        delattr(module, self.name)
        del module._parameters[self.name + "_g"]
        del module._parameters[self.name + "_v"]
        setattr(module, self.name, Parameter(weight.data))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))


def weight_norm(module: Any, name: str = "weight", dim: int | None = 0) -> Any:
    """Split a parameter into magnitude ``name_g`` and direction ``name_v``.

    Args:
        module: the module; it is changed and returned.
        name: the parameter.
        dim: the dimension with a magnitude of its own; None for one magnitude.
    """
    WeightNorm.apply(module, name, dim)
    return module


def remove_weight_norm(module: Any, name: str = "weight") -> Any:
    """Undo ``weight_norm``.

    Raises:
        ValueError: the parameter has none.
    """
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, WeightNorm) and hook.name == name:
            hook.remove(module)
            del module._forward_pre_hooks[key]
            return module
    message = f"weight_norm of '{name}' not found in {module}"
    raise fail(ValueError, "remove_weight_norm", message)
