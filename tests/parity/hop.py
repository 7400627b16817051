"""`hop_db`: operations that take functions (`cond`, `map`, `scan`, `while_loop`, `flex_attention`).

Asked as they run eagerly. PyTorch traces every call first, which takes it seconds, so CI asks for
little. Stands on ``operators``.
"""

from __future__ import annotations

import copy
from functools import lru_cache
from typing import Any

import torch

from .engine import Engine
from .operators import Case, plan, run_entry
from .result import Result, died

NAME = "hop_db"
DEFAULT = (("float32", ("forward", "grad")), ("int64", ("forward",)))
DAILY = (("float32", ("forward", "grad")),)
FULL = (
    ("float32", ("forward", "grad")),
    ("float64", ("forward", "grad")),
    ("float16", ("forward",)),
    ("int64", ("forward",)),
    ("bool", ("forward",)),
)
# Listed for CUDA alone, though its eager form runs on the CPU, forward only.
EAGER_TOO = {"flex_attention.simple"}
WITHOUT_NAME = {
    "invoke_subgraph": "private name",
    "invoke_quant": "private name",
    "invoke_quant_packed": "private name",
    "auto_functionalize": "an operator of PyTorch's own test library",
    "register_hook": "private name",
    "flex_attention_backward": "private name",
    "local_map_hop": "private name",
    "inline_asm_elementwise": "compiles CUDA source",
}


@lru_cache(maxsize=1)
def entries() -> dict[str, Any]:
    """`map.nested` -> OpInfo, in the order of the database."""
    from torch.testing._internal.hop_db import hop_db

    found = {}
    for info in hop_db:
        if info.full_name in EAGER_TOO:
            info = copy.copy(info)
            info.dtypes, info.backward_dtypes = {torch.float32, torch.float64}, set()
        found[info.full_name] = info
    return found


@lru_cache(maxsize=1)
def out() -> dict[str, str]:
    """Entries that have no public name in PyTorch -> why."""
    return {
        name: WITHOUT_NAME[info.name]
        for name, info in entries().items()
        if info.name in WITHOUT_NAME
    }


def names() -> list[str]:
    """Every operation that a program can name."""
    return [name for name in entries() if name not in out()]


def run(
    name: str, engine: Engine, wanted: Any = DEFAULT, seconds: int = 60, only: Any = None
) -> list[Result]:
    """Run one operation on its samples."""
    return run_entry(NAME, name, Case(entries()[name], engine), wanted, seconds, only)


def lost(name: str, wanted: Any, why: str) -> list[Result]:
    """The results of a job whose process died."""
    return died(NAME, name, plan(entries()[name], wanted), why)
