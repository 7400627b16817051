"""Spectral normalisation by a forward pre-hook: w / sigma(w), sigma by power iteration.

The form in ``parametrizations`` replaces it; checkpoints with ``weight_orig``, ``weight_u``
need this one.

Reference: Miyato et al., Spectral normalization for generative adversarial networks, 2018,
arXiv:1802.05957.
"""

from __future__ import annotations

from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.nn import functional as F
from flambeau.nn.modules.conv import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from flambeau.nn.modules.module import Module
from flambeau.nn.parameter import Parameter, UninitializedParameter

__all__ = [
    "SpectralNorm",
    "SpectralNormLoadStateDictPreHook",
    "SpectralNormStateDictHook",
    "remove_spectral_norm",
    "spectral_norm",
]


def output_dim(module: Module) -> int:
    """The dimension of output channels: 1 in transposed convolutions, else 0."""
    return 1 if isinstance(module, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)) else 0


class SpectralNorm:
    """The forward pre-hook that divides the weight by its largest singular value."""

    # Version 1: v is kept in the state too, and no normalised weight.
    _version: int = 1

    def __init__(
        self, name: str = "weight", n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12
    ) -> None:
        if n_power_iterations <= 0:
            raise fail(
                ValueError,
                "spectral_norm",
                "Expected n_power_iterations to be positive, but got "
                f"n_power_iterations={n_power_iterations}",
            )
        self.name = name
        self.dim = dim
        self.n_power_iterations = n_power_iterations
        self.eps = eps

    def reshape_weight_to_matrix(self, weight: Tensor) -> Tensor:
        """The weight as (size of ``dim``, rest)."""
        if self.dim != 0:
            others = [d for d in range(weight.dim()) if d != self.dim]
            weight = weight.permute(self.dim, *others)
        return weight.reshape(weight.size(0), -1)

    def compute_weight(self, module: Module, do_power_iteration: bool) -> Tensor:
        """The normalised weight; an iteration improves the vectors in place first."""
        weight = getattr(module, self.name + "_orig")
        u = getattr(module, self.name + "_u")
        v = getattr(module, self.name + "_v")
        matrix = self.reshape_weight_to_matrix(weight)
        if do_power_iteration:
            with flambeau.no_grad():
                for _ in range(self.n_power_iterations):
                    v.copy_(F.normalize(flambeau.mv(matrix.t(), u), dim=0, eps=self.eps))
                    u.copy_(F.normalize(flambeau.mv(matrix, v), dim=0, eps=self.eps))
                # Copies: the next iteration writes the buffers while this graph may live.
                u, v = u.clone(), v.clone()
        return weight / flambeau.dot(u, flambeau.mv(matrix, v))

    def remove(self, module: Module) -> None:
        """Make the normalised weight the parameter."""
        with flambeau.no_grad():
            weight = self.compute_weight(module, do_power_iteration=False)
        for suffix in ("", "_u", "_v", "_orig"):
            delattr(module, self.name + suffix)
        module.register_parameter(self.name, Parameter(weight.detach()))

    def __call__(self, module: Module, inputs: Any) -> None:
        weight = self.compute_weight(module, do_power_iteration=module.training)
        setattr(module, self.name, weight)

    def _solve_v_and_rescale(self, matrix: Tensor, u: Tensor, sigma: Tensor) -> Tensor:
        """The v for which u^T W v = sigma, v = pinv(W) u up to scale."""
        inverse = matrix.t().mm(matrix).pinverse()
        v = flambeau.linalg.multi_dot([inverse, matrix.t(), u.unsqueeze(1)]).squeeze(1)
        return v.mul_(sigma / flambeau.dot(u, flambeau.mv(matrix, v)))

    @staticmethod
    def apply(
        module: Module, name: str, n_power_iterations: int, dim: int, eps: float
    ) -> SpectralNorm:
        """Move the parameter to ``name_orig`` and register vectors and hooks."""
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, SpectralNorm) and hook.name == name:
                message = f"Cannot register two spectral_norm hooks on the same parameter {name}"
                raise fail(RuntimeError, "spectral_norm", message)
        norm = SpectralNorm(name, n_power_iterations, dim, eps)
        weight = module._parameters[name]
        if weight is None:
            message = f"`SpectralNorm` cannot be applied as parameter `{name}` is None"
            raise fail(ValueError, "spectral_norm", message)
        if isinstance(weight, UninitializedParameter):
            raise fail(
                ValueError,
                "spectral_norm",
                "The module passed to `SpectralNorm` can't have uninitialized parameters. Make "
                "sure to run the dummy forward before applying spectral normalization",
            )
        with flambeau.no_grad():
            rows, columns = norm.reshape_weight_to_matrix(weight).size()
            u = F.normalize(weight.new_empty(rows).normal_(0, 1), dim=0, eps=eps)
            v = F.normalize(weight.new_empty(columns).normal_(0, 1), dim=0, eps=eps)
        delattr(module, name)
        module.register_parameter(name + "_orig", weight)
        # Kept as a plain attribute: the hook sets it anew at every call.
        setattr(module, name, weight.data)
        module.register_buffer(name + "_u", u)
        module.register_buffer(name + "_v", v)
        module.register_forward_pre_hook(norm)
        module._register_state_dict_hook(SpectralNormStateDictHook(norm))
        module._register_load_state_dict_pre_hook(SpectralNormLoadStateDictPreHook(norm))
        return norm


class SpectralNormLoadStateDictPreHook:
    """Before loading: compute v for checkpoints of version 0."""

    def __init__(self, fn: SpectralNorm) -> None:
        self.fn = fn

    def __call__(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        name = self.fn.name
        version = local_metadata.get("spectral_norm", {}).get(f"{name}.version", None)
        if version is not None and version >= 1:
            return
        key = prefix + name
        new_keys = all(key + suffix in state_dict for suffix in ("_orig", "_u", "_v"))
        if version is None and new_keys and key not in state_dict:
            return
        missing = [key + s for s in ("_orig", "", "_u") if key + s not in state_dict]
        if missing:
            if strict:
                missing_keys.extend(missing)
            return
        with flambeau.no_grad():
            original = state_dict[key + "_orig"]
            sigma = (original / state_dict.pop(key)).mean()
            matrix = self.fn.reshape_weight_to_matrix(original)
            v = self.fn._solve_v_and_rescale(matrix, state_dict[key + "_u"], sigma)
            state_dict[key + "_v"] = v


class SpectralNormStateDictHook:
    """After saving: note the version in the metadata."""

    def __init__(self, fn: SpectralNorm) -> None:
        self.fn = fn

    def __call__(
        self, module: Module, state_dict: Any, prefix: str, local_metadata: dict[str, Any]
    ) -> None:
        versions = local_metadata.setdefault("spectral_norm", {})
        key = self.fn.name + ".version"
        if key in versions:
            message = f"Unexpected key in metadata['spectral_norm']: {key}"
            raise fail(RuntimeError, "spectral_norm", message)
        versions[key] = self.fn._version


def spectral_norm(
    module: Any,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Any:
    """Divide a parameter by its spectral norm before every forward.

    Args:
        module: the module; it is changed and returned.
        name: the parameter.
        n_power_iterations: iterations a training step.
        eps: against division by zero.
        dim: the dimension of outputs (default 0; 1 in transposed convolutions).
    """
    dim = output_dim(module) if dim is None else dim
    SpectralNorm.apply(module, name, n_power_iterations, dim, eps)
    return module


def remove_spectral_norm(module: Any, name: str = "weight") -> Any:
    """Undo ``spectral_norm``.

    Raises:
        ValueError: the parameter has none.
    """
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, SpectralNorm) and hook.name == name:
            hook.remove(module)
            del module._forward_pre_hooks[key]
            break
    else:
        message = f"spectral_norm of '{name}' not found in {module}"
        raise fail(ValueError, "remove_spectral_norm", message)
    _drop(module._state_dict_hooks, SpectralNormStateDictHook, name)
    # Load pre-hooks are kept in a wrapper.
    _drop(module._load_state_dict_pre_hooks, SpectralNormLoadStateDictPreHook, name)
    return module


def _drop(table: dict[int, Any], kind: type, name: str) -> None:
    for key, hook in table.items():
        inner = getattr(hook, "hook", hook)
        if isinstance(inner, kind) and inner.fn.name == name:
            del table[key]
            return
