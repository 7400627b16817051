"""skip_init: a module without the cost of initialising it."""

from __future__ import annotations

import inspect
from typing import Any

from flambeau.core.errors import fail
from flambeau.nn.modules.module import Module


def skip_init(module_cls: type[Module], *args: Any, **kwargs: Any) -> Module:
    """Make a module whose parameters are allocated, not initialised.

    Args:
        module_cls: a Module class whose constructor takes ``device``.
        *args, **kwargs: for the constructor.

    Raises:
        RuntimeError: no Module, or no ``device`` argument.
    """
    if not issubclass(module_cls, Module):
        message = f"Expected a Module; got {module_cls}"
        raise fail(RuntimeError, "skip_init", message)
    if "device" not in inspect.signature(module_cls).parameters:
        message = "Module must support a 'device' arg to skip initialization"
        raise fail(RuntimeError, "skip_init", message)
    device = kwargs.pop("device", "cpu")
    return module_cls(*args, **kwargs, device="meta").to_empty(device=device)
