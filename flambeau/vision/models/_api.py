"""Models and their trained weights by name, under the name that programs know from torchvision.

Nothing lives here: weights and registry do.
"""

from __future__ import annotations

from flambeau.vision.models.registry import (
    get_model,
    get_model_builder,
    list_models,
    register_model,
)
from flambeau.vision.models.weights import Weights, WeightsEnum, get_model_weights, get_weight

__all__ = [
    "Weights",
    "WeightsEnum",
    "get_model",
    "get_model_builder",
    "get_model_weights",
    "get_weight",
    "list_models",
    "register_model",
]
