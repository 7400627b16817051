"""`autograd_function_db` and `custom_op_db`: functions and operations that users write themselves.

Their classes and functions are rebuilt for the engine, with its `Function` and its `custom_op`.
Stands on ``operators``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from .engine import Engine
from .operators import Case, plan, run_entry
from .result import Result, died

NAME = "own_op_db"
DEFAULT = (
    ("float32", ("forward", "grad", "vmap")),
    ("float64", ("gradgrad", "jvp")),
    ("int64", ("forward",)),
)
FULL = (
    ("float32", ("forward", "grad", "noncontiguous", "vmap")),
    ("float64", ("forward", "grad", "gradgrad", "jvp")),
    ("int64", ("forward",)),
    ("bool", ("forward",)),
    ("float16", ("forward",)),
)


@lru_cache(maxsize=1)
def entries() -> dict[str, Any]:
    """`NumpyCubeCustomOp` -> OpInfo, in the order of the databases."""
    from torch.testing._internal.autograd_function_db import autograd_function_db
    from torch.testing._internal.custom_op_db import custom_op_db

    return {info.name: info for info in (*autograd_function_db, *custom_op_db)}


def names() -> list[str]:
    """Every entry of the databases."""
    return list(entries())


def out() -> dict[str, str]:
    """All of them are asked for."""
    return {}


def run(
    name: str, engine: Engine, wanted: Any = DEFAULT, seconds: int = 60, only: Any = None
) -> list[Result]:
    """Run one function on its samples."""
    return run_entry(NAME, name, Case(entries()[name], engine), wanted, seconds, only)


def lost(name: str, wanted: Any, why: str) -> list[Result]:
    """The results of a job whose process died."""
    return died(NAME, name, plan(entries()[name], wanted), why)
