"""`foreach_*_op_db`: every `torch._foreach_*`, one operation over a list of tensors.

The functions have no public name, but averages of weights and optimizers call them. Stands on
``operators``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from .engine import Engine
from .operators import Case, plan, run_entry
from .result import Result, died

NAME = "foreach_op_db"
DEFAULT = (
    ("float32", ("forward", "grad", "inplace")),
    ("int64", ("forward", "inplace")),
    ("complex64", ("forward",)),
)
DAILY = (("float32", ("forward", "grad", "inplace")), ("int64", ("forward",)))
FULL = (
    ("float32", ("forward", "grad", "inplace")),
    ("float64", ("forward", "grad", "gradgrad")),
    ("int64", ("forward", "inplace")),
    ("bool", ("forward", "inplace")),
    ("complex64", ("forward", "grad", "inplace")),
    ("bfloat16", ("forward", "inplace")),
    ("float16", ("forward", "inplace")),
)
KINDS = ("unary", "binary", "pointwise", "reduce", "other")


@lru_cache(maxsize=1)
def entries() -> dict[str, Any]:
    """`_foreach_add` -> OpInfo, in the order of the databases."""
    from torch.testing._internal import common_methods_invocations as databases

    found = [info for kind in KINDS for info in getattr(databases, f"foreach_{kind}_op_db")]
    return {info.name: info for info in found}


def names() -> list[str]:
    """Every function of the databases."""
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
