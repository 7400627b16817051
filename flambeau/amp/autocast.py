"""`autocast`: a region in which products run in a lower dtype. Stands on switches."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np

from flambeau.amp import switches
from flambeau.core import dtypes
from flambeau.core.errors import fail
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import Tensor

__all__ = ["autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]

ON_CPU = (dtypes.bfloat16, dtypes.float16)


def is_autocast_available(device_type: str) -> bool:
    """Whether autocast knows the device type."""
    return device_type in switches.USUAL


def _warn(text: str) -> None:
    warnings.warn(text, UserWarning, stacklevel=stack_level())


class autocast:
    """A context manager and decorator: products in `dtype`, losses and decompositions in float32.

    Args:
        device_type: "cpu" casts; "cuda" warns and does nothing where there is no CUDA.
        dtype: bfloat16 (default on the CPU) or float16.
        enabled: False switches autocast off inside the region.
        cache_enabled: keep the casts of parameters until the outermost region ends (default: as
            set globally).

    Raises:
        RuntimeError: an unknown device type. ValueError: a device type that is no string.
    """

    def __init__(
        self,
        device_type: str,
        dtype: dtypes.dtype | None = None,
        enabled: bool = True,
        cache_enabled: bool | None = None,
    ) -> None:
        if not isinstance(device_type, str):
            raise fail(
                ValueError,
                "autocast",
                f"Expected `device_type` of type `str`, got: `{type(device_type)}`",
            )
        if not is_autocast_available(device_type):
            raise fail(
                RuntimeError,
                "autocast",
                f"User specified an unsupported autocast device_type '{device_type}': here it is "
                "'cpu'",
            )
        self.device = device_type
        self.fast_dtype = switches.get_autocast_dtype(device_type) if dtype is None else dtype
        self._cache_enabled = (
            switches.is_autocast_cache_enabled() if cache_enabled is None else bool(cache_enabled)
        )
        if device_type != "cpu" and enabled and not _present(device_type):
            _warn(
                f"User provided device_type of '{device_type}', but {device_type.upper()} is not "
                "available. Disabling"
            )
            enabled = False
        if device_type == "cpu" and enabled and self.fast_dtype not in ON_CPU:
            _warn(
                "In CPU autocast, but the target dtype is not supported. Disabling autocast.\n"
                "CPU Autocast only supports dtype of torch.bfloat16, torch.float16 currently."
            )
            enabled = False
        self._enabled = bool(enabled)
        self._before: list[tuple[Any, ...]] = []

    def __enter__(self) -> autocast:
        settings, kind = switches.settings, self.device
        self._before.append(
            (settings.enabled.get(kind, False), settings.dtype[kind], settings.cache_enabled)
        )
        settings.enabled[kind] = self._enabled
        settings.dtype[kind] = self.fast_dtype
        settings.cache_enabled = self._cache_enabled
        switches.autocast_increment_nesting()
        switches._apply()
        return self

    def __exit__(self, *exc: object) -> Literal[False]:
        settings, kind = switches.settings, self.device
        if switches.autocast_decrement_nesting() == 0:
            switches.clear_autocast_cache()
        settings.enabled[kind], settings.dtype[kind], settings.cache_enabled = self._before.pop()
        switches._apply()
        return False

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def decorated(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return decorated


def _present(device_type: str) -> bool:
    if device_type != "cuda":
        return False
    from flambeau.cuda.refusal import opted_in

    return opted_in()


def _cast(value: Any, device_type: str, dtype: dtypes.dtype) -> Any:
    """Floating tensors of the device (not float64) in another dtype, in nested sequences and
    mappings too."""
    if isinstance(value, Tensor):
        lower = (
            value.is_floating_point()
            and value.device.type == device_type
            and value.dtype is not dtypes.float64
        )
        return value.to(dtype) if lower else value
    if isinstance(value, (str, bytes, np.ndarray)):
        return value
    if isinstance(value, Mapping):
        return {
            _cast(k, device_type, dtype): _cast(v, device_type, dtype) for k, v in value.items()
        }
    if isinstance(value, (list, tuple)):
        return type(value)([_cast(each, device_type, dtype) for each in value])
    return value


def custom_fwd(
    fwd: Callable[..., Any] | None = None,
    *,
    device_type: str,
    cast_inputs: dtypes.dtype | None = None,
) -> Callable[..., Any]:
    """Decorates the `forward` of an `autograd.Function` for use under autocast.

    Args:
        device_type: the device whose autocast matters.
        cast_inputs: inside an autocast region, cast floating inputs to this dtype and run
            `forward` without autocast.

    Raises:
        ValueError: a device type that is no string.
    """
    if not isinstance(device_type, str):
        raise fail(
            ValueError,
            "custom_fwd",
            f"Expected `device_type` of type `str`, got: `{type(device_type)}`",
        )
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        ctx = args[0]
        ctx._dtype = switches.get_autocast_dtype(device_type)
        on = switches.is_autocast_enabled(device_type)
        if cast_inputs is None or not on:
            ctx._fwd_used_autocast = on if cast_inputs is None else False
            return fwd(*args, **kwargs)
        ctx._fwd_used_autocast = False
        with autocast(device_type, enabled=False):
            return fwd(
                *_cast(args, device_type, cast_inputs), **_cast(kwargs, device_type, cast_inputs)
            )

    return decorated


def custom_bwd(bwd: Callable[..., Any] | None = None, *, device_type: str) -> Callable[..., Any]:
    """Decorates the `backward` of an `autograd.Function`: it runs with the autocast state that
    `forward` had.

    Raises:
        ValueError: a device type that is no string.
    """
    if not isinstance(device_type, str):
        raise fail(
            ValueError,
            "custom_bwd",
            f"Expected `device_type` of type `str`, got: `{type(device_type)}`",
        )
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)

    @functools.wraps(bwd)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        ctx = args[0]
        with autocast(device_type, enabled=ctx._fwd_used_autocast, dtype=ctx._dtype):
            return bwd(*args, **kwargs)

    return decorated
