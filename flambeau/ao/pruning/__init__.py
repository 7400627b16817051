"""``torch.ao.pruning``: weights masked while a model trains, and the schedules of how many.

`sparsifier` is what all maskers share, `maskers` choose what goes, `schedulers` how much of it.
"""

from __future__ import annotations

from flambeau.ao.pruning.maskers import NearlyDiagonalSparsifier, WeightNormSparsifier
from flambeau.ao.pruning.schedulers import BaseScheduler, CubicSL, LambdaSL
from flambeau.ao.pruning.sparsifier import (
    BaseSparsifier,
    FakeSparsity,
    fqn_to_module,
    get_arg_info_from_tensor_fqn,
    module_to_fqn,
)

__all__ = [
    "BaseScheduler",
    "BaseSparsifier",
    "CubicSL",
    "FakeSparsity",
    "LambdaSL",
    "NearlyDiagonalSparsifier",
    "WeightNormSparsifier",
    "fqn_to_module",
    "get_arg_info_from_tensor_fqn",
    "module_to_fqn",
]
