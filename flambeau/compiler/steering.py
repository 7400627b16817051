"""Names that steer PyTorch's compiler, where functions run as they are written: default backends
are remembered, filters of guards keep what they say, caches are empty. Stands on nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

__all__ = [
    "DEFAULT",
    "get_default_backend",
    "is_exporting",
    "keep_portable_guards_unsafe",
    "keep_tensor_guards_unsafe",
    "load_cache_artifacts",
    "nested_compile_region",
    "save_cache_artifacts",
    "set_default_backend",
    "set_enable_guard_collectives",
    "skip_all_guards_unsafe",
    "skip_guard_on_all_nn_modules_unsafe",
    "skip_guard_on_globals_unsafe",
    "skip_guard_on_inbuilt_nn_modules_unsafe",
    "substitute_in_graph",
    "wrap_numpy",
]

DEFAULT: list[Any] = ["inductor"]
"""The backend of `compile` where none is named."""


def get_default_backend() -> Any:
    """The backend of `compile` where none is named."""
    return DEFAULT[0]


def set_default_backend(backend: str | Callable[..., Any] | None) -> None:
    """Name the backend of `compile` where none is named; None is the usual one."""
    DEFAULT[0] = "inductor" if backend is None else backend


def is_exporting() -> bool:
    """Whether the code that asks is being exported."""
    return False


def set_enable_guard_collectives(enabled: bool) -> bool:
    """Compare guards between processes: there are none. Gives the setting before."""
    before, _COLLECTIVE[0] = _COLLECTIVE[0], enabled
    return before


_COLLECTIVE = [False]


def save_cache_artifacts() -> None:
    """Compiled code as bytes: None, for there is none."""


def load_cache_artifacts(serialized_artifacts: bytes) -> None:
    """Take compiled code from bytes: nothing is taken."""


def nested_compile_region(fn: Any = None, **options: Any) -> Any:
    """Mark a function as compiled once, wherever it is called; it runs as it is."""
    return (lambda found: found) if fn is None else fn


def substitute_in_graph(
    original_fn: Callable[..., Any],
    *,
    can_constant_fold_through: bool = False,
    skip_signature_check: bool = False,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Name a function's stand-in while it is recorded; nothing is, so the stand-in is given back.

    Raises:
        TypeError: what is replaced is no function.
    """
    if not callable(original_fn):
        raise TypeError(f"substitute_in_graph expects a function but got {type(original_fn)!r}.")
    return lambda found: found


def wrap_numpy(fn: Callable[..., Any]) -> Callable[..., Any]:
    """A function of arrays as one of tensors."""
    from flambeau import from_numpy
    from flambeau.core.tensor import Tensor
    from flambeau.utils._pytree import tree_map

    @functools.wraps(fn)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        args, kwargs = tree_map(lambda x: x.numpy() if isinstance(x, Tensor) else x, (args, kwargs))
        return tree_map(
            lambda x: from_numpy(np.asarray(x)) if isinstance(x, (np.ndarray, np.generic)) else x,
            fn(*args, **kwargs),
        )

    return wrapped


def skip_all_guards_unsafe(guard_entries: Sequence[Any]) -> list[bool]:
    """Keep no guard."""
    return [False for _ in guard_entries]


def skip_guard_on_globals_unsafe(guard_entries: Sequence[Any]) -> list[bool]:
    """Keep the guards that are not of globals."""
    return [not entry.is_global for entry in guard_entries]


def keep_tensor_guards_unsafe(
    guard_entries: Sequence[Any], keep_parameters: bool = False
) -> list[bool]:
    """Keep the guards of tensors, those of parameters on request."""
    from flambeau.nn import Parameter

    return [
        entry.guard_type == "TENSOR_MATCH"
        and (keep_parameters or not isinstance(entry.value, Parameter))
        for entry in guard_entries
    ]


def keep_portable_guards_unsafe(guard_entries: Sequence[Any]) -> list[bool]:
    """Keep the guards that other runtimes can check: those of tensors."""
    return keep_tensor_guards_unsafe(guard_entries)


def skip_guard_on_all_nn_modules_unsafe(guard_entries: Sequence[Any]) -> list[bool]:
    """Keep the guards that are not of modules."""
    return [not entry.orig_guard.source.is_unspecialized_nn_module() for entry in guard_entries]


def skip_guard_on_inbuilt_nn_modules_unsafe(guard_entries: Sequence[Any]) -> list[bool]:
    """Keep the guards that are not of PyTorch's own modules."""
    return [
        not entry.orig_guard.source.is_unspecialized_builtin_nn_module() for entry in guard_entries
    ]
