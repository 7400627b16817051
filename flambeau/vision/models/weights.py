"""Trained weights by name: which there are, where they lie, and loading them from the web.

``weights.json`` is the table. Nothing is fetched before ``get_state_dict``. Stands on ``hub``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from functools import cache, partial
from pathlib import Path
from typing import Any

from flambeau import nn
from flambeau.hub import load_state_dict_from_url

__all__ = ["Weights", "WeightsEnum", "enumeration", "get_model_weights", "get_weight", "legacy"]


@dataclass(frozen=True)
class Weights:
    """One state dict: its address, the transform of its images, and what is known of it."""

    url: str
    transforms: Callable[..., Any] = field(hash=False, compare=False)
    meta: dict[str, Any] = field(hash=False)


class WeightsEnum(Enum):
    """The trained weights of one model; ``DEFAULT`` is the best of them."""

    @classmethod
    def verify(cls, obj: Any) -> Any:
        """The member that ``obj`` is or names; None stays None.

        Raises:
            TypeError: ``obj`` belongs to another model.
            KeyError: no member has this name.
        """
        if obj is None or isinstance(obj, cls):
            return obj
        if isinstance(obj, str):
            return cls[obj.removeprefix(cls.__name__ + ".")]
        raise TypeError(
            f"weights: expected a member of {cls.__name__}, got {type(obj).__name__}. "
            f"{cls.__name__}.DEFAULT is the best there is."
        )

    @property
    def url(self) -> str:
        """Where the state dict lies."""
        return self.value.url

    @property
    def transforms(self) -> Callable[..., Any]:
        """What makes the transform of the images that the weights want."""
        return self.value.transforms

    @property
    def meta(self) -> dict[str, Any]:
        """What is known: ``num_params``, ``categories``, ``min_size``, accuracies."""
        return self.value.meta

    def get_state_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Load it, from the web at the first time; arguments as ``load_state_dict_from_url``."""
        return load_state_dict_from_url(self.url, *args, **kwargs)

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self.name}"


@cache
def _table() -> dict[str, Any]:
    return json.loads(Path(__file__).with_name("weights.json").read_text(encoding="utf-8"))


def _models() -> dict[str, Any]:
    models: dict[str, Any] = _table()["models"]
    return models


def _transforms(kind: str, options: dict[str, Any], /, **changed: Any) -> Any:
    """A transform of the table; its room is loaded when the first is made."""
    from flambeau.vision.transforms import InterpolationMode, _presets

    if "interpolation" in options:
        options = {**options, "interpolation": InterpolationMode(options["interpolation"])}
    return getattr(_presets, kind)(**{**options, **changed})


def _member(row: dict[str, Any]) -> Weights:
    meta = {**row["meta"], "categories": _table()["categories"][row["categories"]]}
    return Weights(row["url"], partial(_transforms, *row["transforms"]), meta)


@cache
def enumeration(model: str) -> Any:
    """The enumeration of a model's weights.

    Raises:
        ValueError: the table does not know the model.
    """
    row = _models().get(model)
    if row is None:
        raise ValueError(f"weights: no trained weights of {model} are known; give weights=None.")
    members = {key: _member(each) for key, each in row["members"].items()}
    if row["default"]:
        members["DEFAULT"] = members[row["default"]]
    module = __name__.rpartition(".")[0]
    make: Any = WeightsEnum  # the enum module's way of making one from names
    return make(row["enum"], members, module=module)  # type: ignore[no-any-return]


def legacy(model: str) -> Any:
    """The member that ``pretrained=True`` means."""
    return enumeration(model)[_models()[model]["pretrained"]]


def by_enumeration(name: str) -> Any:
    """The enumeration called ``name``, as ResNet18_Weights; None where there is none."""
    return next((enumeration(m) for m, row in _models().items() if row["enum"] == name), None)


def get_weight(name: str) -> Any:
    """The member that a full name says, as "ResNet50_Weights.IMAGENET1K_V1".

    Raises:
        ValueError: there is no such enumeration.
        KeyError: it has no such member.
    """
    head, _, member = name.partition(".")
    weights = by_enumeration(head)
    if weights is None:
        raise ValueError(f"get_weight: no weights are called {name!r}.")
    return weights[member]


def get_model_weights(name: str | Callable[..., nn.Module]) -> Any:
    """The enumeration of a model, given by its name or its builder."""
    return enumeration(name.lower() if isinstance(name, str) else name.__name__)
