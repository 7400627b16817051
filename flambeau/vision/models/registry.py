"""Which builders of models there are, and what every builder does with its arguments.

``weights=`` (and ``pretrained=``, its old form) loads a state dict of the table in ``weights``;
without them nothing is fetched.
"""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Callable
from fnmatch import fnmatch
from types import ModuleType
from typing import Any

from flambeau import nn
from flambeau.vision.models import weights as table

__all__ = ["get_model", "get_model_builder", "list_models", "register_model"]

# Names in DenseNet's first checkpoints: norm.1 is norm1 today.
_OLD = re.compile(r"(\.denselayer\d+\.(?:norm|relu|conv))\.([12](?=\.))")
BUILDERS: dict[str, Callable[..., nn.Module]] = {}


def register_model(name: str | None = None) -> Callable:
    """Enter a builder under ``name`` (default: its own)."""

    def wrapper(build: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
        key = build.__name__ if name is None else name
        if key in BUILDERS:
            raise ValueError(f"register_model: expected a new name, {key!r} is already registered.")

        @functools.wraps(build)
        def builder(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> nn.Module:
            if "pretrained" in kwargs:
                weights = _from_pretrained(key, kwargs.pop("pretrained"))
            if weights is None:
                return build(**kwargs)
            chosen = table.enumeration(key).verify(weights)
            return _trained(build, chosen, progress, kwargs)

        BUILDERS[key] = builder
        return builder

    return wrapper


def _from_pretrained(name: str, pretrained: Any) -> Any:
    """What the deprecated ``pretrained=`` means as ``weights=``."""
    chosen = table.legacy(name) if pretrained else None
    warnings.warn(
        f"{name}: 'pretrained' is deprecated since 0.13 and may be removed; pass "
        f"weights={chosen!r} instead.",
        UserWarning,
        stacklevel=3,
    )
    return chosen


def _trained(
    build: Callable[..., nn.Module], weights: Any, progress: bool, kwargs: dict[str, Any]
) -> nn.Module:
    """Build the model that ``weights`` are of and load them."""
    classes = weights.meta["num_classes"]
    if kwargs.setdefault("num_classes", classes) != classes:
        raise ValueError(
            f"{build.__name__}: expected num_classes={classes}, of which the weights are, got "
            f"{kwargs['num_classes']}. Load them first, then replace the last layer."
        )
    adjust = getattr(build, "adjust", None)  # what trained weights ask of a family's arguments
    finish = adjust(kwargs) if adjust else None
    model = build(**kwargs)
    state = weights.get_state_dict(progress=progress, check_hash=True)
    model.load_state_dict({_OLD.sub(r"\1\2", key): value for key, value in state.items()})
    if finish:
        finish(model)
    return model


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
