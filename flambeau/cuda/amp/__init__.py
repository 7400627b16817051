"""The older names of mixed precision: ``torch.amp`` with the device "cuda" already said."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

from flambeau.core.provenance import stack_level

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd"]


def _deprecated(name: str) -> None:
    warnings.warn(
        f"`torch.cuda.amp.{name}(args...)` is deprecated. Please use "
        f"`torch.amp.{name}('cuda', args...)` instead.",
        FutureWarning,
        stacklevel=stack_level(),
    )


def autocast(enabled: bool = True, dtype: Any = None, cache_enabled: bool | None = True) -> Any:
    """``torch.amp.autocast("cuda", ...)``; without CUDA it warns and does nothing."""
    import flambeau

    _deprecated("autocast")
    dtype = flambeau.float16 if dtype is None else dtype
    return flambeau.amp.autocast("cuda", enabled=enabled, dtype=dtype, cache_enabled=cache_enabled)


def GradScaler(
    init_scale: float = 65536.0,
    growth_factor: float = 2.0,
    backoff_factor: float = 0.5,
    growth_interval: int = 2000,
    enabled: bool = True,
) -> Any:
    """``torch.amp.GradScaler("cuda", ...)``; without CUDA it warns and scales by 1."""
    import flambeau

    _deprecated("GradScaler")
    return flambeau.amp.GradScaler(
        "cuda", init_scale, growth_factor, backoff_factor, growth_interval, enabled
    )


def custom_fwd(fwd: Callable[..., Any] | None = None, *, cast_inputs: Any = None) -> Any:
    """``torch.amp.custom_fwd(device_type="cuda")``."""
    import flambeau

    _deprecated("custom_fwd")
    decorate = functools.partial(
        flambeau.amp.custom_fwd, device_type="cuda", cast_inputs=cast_inputs
    )
    return decorate if fwd is None else decorate(fwd)


def custom_bwd(bwd: Callable[..., Any]) -> Any:
    """``torch.amp.custom_bwd(device_type="cuda")``."""
    import flambeau

    _deprecated("custom_bwd")
    return flambeau.amp.custom_bwd(bwd, device_type="cuda")


def amp_definitely_not_available() -> bool:
    """Whether mixed precision on CUDA is out of the question: there is no device."""
    return True
