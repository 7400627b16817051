"""Which builders of models there are, and what every builder does with its arguments.

``weights=`` (and ``pretrained=``, its old form) loads a state dict of the table in ``weights``;
without them nothing is fetched, but for the backbones of models that stand on one.
"""

from __future__ import annotations

import functools
import inspect
import re
import sys
import warnings
from collections.abc import Callable
from fnmatch import fnmatch
from types import ModuleType
from typing import Any

from flambeau import nn
from flambeau.core.provenance import stack_level
from flambeau.vision.models import weights as table

__all__ = ["get_model", "get_model_builder", "list_models", "on_backbone", "register_model"]

# Names in DenseNet's first checkpoints: norm.1 is norm1 today.
_OLD = re.compile(r"(\.denselayer\d+\.(?:norm|relu|conv))\.([12](?=\.))")
_SINCE = "is deprecated since 0.13 and may be removed"
BUILDERS: dict[str, Callable[..., nn.Module]] = {}


def register_model(
    name: str | None = None,
    *,
    backbone: str | None = None,
    first: str | None = "pretrained",
    fixed: dict[str, Any] | None = None,
) -> Callable:
    """Enter a builder under ``name`` (default: its own).

    Args:
        backbone: the model whose trained weights ``weights_backbone`` are of.
        first: those of them that are loaded where nothing else is said, as torchvision does: a
            member's name, "pretrained" for those that ``pretrained=True`` means, None for none.
        fixed: arguments that trained weights ask for.
    """

    def wrapper(build: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
        key = build.__name__ if name is None else name
        if key in BUILDERS:
            raise ValueError(f"register_model: expected a new name, {key!r} is already registered.")

        @functools.wraps(build)
        def builder(*args: Any, **kwargs: Any) -> nn.Module:
            if args:
                kwargs = _named(build, args, kwargs, "weights", "progress")
            weights = _chosen(key, "weights", "pretrained", kwargs)
            progress = kwargs.pop("progress", True)
            if backbone is not None:
                if weights is None and first is not None:
                    usual = table.legacy(backbone) if first == "pretrained" else first
                    kwargs.setdefault("weights_backbone", usual)
                given = _chosen(backbone, "weights_backbone", "pretrained_backbone", kwargs)
                kwargs["weights_backbone"] = given if weights is None else None
            if weights is None:
                return build(**kwargs)
            return _trained(build, weights, progress, kwargs, fixed or {})

        BUILDERS[key] = builder
        vars(sys.modules[build.__module__]).setdefault("__getattr__", _weights_beside)
        return builder

    return wrapper


def _weights_beside(name: str) -> Any:
    """The ``__getattr__`` of a file of builders: the enumerations of weights are there too."""
    found = table.by_enumeration(name) if name.endswith("_Weights") else None
    if found is None:
        raise AttributeError(f"torchvision has nothing called {name!r} here.")
    return found


def on_backbone(build: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
    """What ``build(backbone_name=..., weights=...)`` makes, asked for in old forms too: arguments
    by position, ``pretrained``.
    """

    @functools.wraps(build)
    def builder(*args: Any, **kwargs: Any) -> nn.Module:
        if args:
            kwargs = _named(build, args, kwargs)
        if "backbone_name" in kwargs and not {"weights", "pretrained"}.isdisjoint(kwargs):
            kwargs["weights"] = _chosen(kwargs["backbone_name"], "weights", "pretrained", kwargs)
        return build(**kwargs)

    return builder


def _named(
    build: Callable, args: tuple[Any, ...], kwargs: dict[str, Any], *before: str
) -> dict[str, Any]:
    """Arguments by position, which old scripts give, under their names."""
    names = list(before)
    for parameter in inspect.signature(build).parameters.values():
        if parameter.kind is not parameter.VAR_KEYWORD:
            names.append(parameter.name)
    if len(args) > len(names):
        raise TypeError(
            f"{build.__name__}: expected at most {len(names)} arguments by position, got "
            f"{len(args)}. Name them."
        )
    found = dict(zip(names, args))
    if twice := found.keys() & kwargs.keys():
        raise TypeError(f"{build.__name__}: got multiple values for {', '.join(sorted(twice))}.")
    listed = ", ".join(map(repr, found))
    warnings.warn(
        f"{build.__name__}: giving {listed} by position {_SINCE}; name them.",
        UserWarning,
        stacklevel=stack_level(),
    )
    return found | kwargs


def _chosen(model: str, name: str, old: str, kwargs: dict[str, Any]) -> Any:
    """The weights that ``name`` or its ``old`` form ask for, taken out of the arguments.

    What is neither a member nor the name of one counts as a boolean, as ``pretrained`` was.
    """
    if old in kwargs and (name not in kwargs or name != "weights"):
        given = bool(kwargs.pop(old))
        kwargs.pop(name, None)
        warnings.warn(
            f"{model}: {old!r} {_SINCE}; pass {name} instead.",
            UserWarning,
            stacklevel=stack_level(),
        )
    else:
        given = kwargs.pop(name, None)
        if given is None or isinstance(given, (str, table.WeightsEnum)):
            return None if given is None else table.enumeration(model).verify(given)
    found = table.legacy(model) if given else None
    warnings.warn(
        f"{model}: {name} other than a member of its enumeration or None {_SINCE}; here it means "
        f"{name}={found!r}.",
        UserWarning,
        stacklevel=stack_level(),
    )
    return found


def _trained(
    build: Callable[..., nn.Module],
    weights: Any,
    progress: bool,
    kwargs: dict[str, Any],
    fixed: dict[str, Any],
) -> nn.Module:
    """Build the model that ``weights`` are of and load them."""
    for name, value in {"num_classes": len(weights.meta["categories"]), **fixed}.items():
        if kwargs.get(name) not in (None, value):
            raise ValueError(
                f"{build.__name__}: expected {name}={value}, of which the weights are, got "
                f"{kwargs[name]}. Load them first, then change the model."
            )
        kwargs[name] = value
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
