"""Which builders of models there are, and what every builder does with its arguments.

``weights=`` and ``pretrained=`` mean state dicts from the web, which need a table of addresses
that is not written yet: asking for one raises, nothing is ever left silently untrained.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from fnmatch import fnmatch
from types import ModuleType
from typing import Any

from flambeau import nn

__all__ = ["get_model", "get_model_builder", "list_models", "register_model"]

BUILDERS: dict[str, Callable[..., nn.Module]] = {}


def register_model(name: str | None = None) -> Callable:
    """Enter a builder under ``name`` (default: its own)."""

    def wrapper(build: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
        key = build.__name__ if name is None else name
        if key in BUILDERS:
            raise ValueError(f"register_model: expected a new name, {key!r} is already registered.")

        @functools.wraps(build)
        def builder(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> nn.Module:
            if kwargs.pop("pretrained", False) or weights is not None:
                raise NotImplementedError(
                    f"{key}: flambeau has no table of trained weights yet. Build the model without "
                    "weights=, and load a file of yours with load_state_dict(torch.load(path))."
                )
            return build(**kwargs)

        BUILDERS[key] = builder
        return builder

    return wrapper


def list_models(
    module: ModuleType | None = None, include: Any = None, exclude: Any = None
) -> list[str]:
    """The registered names, sorted; ``include`` and ``exclude`` are shell patterns."""

    def patterns(given: Any) -> list[str]:
        return [given] if isinstance(given, str) else list(given or ())

    names = [
        name
        for name, build in BUILDERS.items()
        if module is None or build.__module__.rsplit(".", 1)[0] == module.__name__
    ]
    if wanted := patterns(include):
        names = [name for name in names if any(fnmatch(name, p) for p in wanted)]
    return sorted(n for n in names if not any(fnmatch(n, p) for p in patterns(exclude)))


def get_model_builder(name: str) -> Callable[..., nn.Module]:
    """The builder of a name, whatever its case.

    Raises:
        ValueError: no such model.
    """
    try:
        return BUILDERS[name.lower()]
    except KeyError:
        raise ValueError(
            f"get_model: Unknown model {name}. list_models() says which there are."
        ) from None


def get_model(name: str, **config: Any) -> nn.Module:
    """Build the model of a name."""
    return get_model_builder(name)(**config)
