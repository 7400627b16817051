"""`op_db` once more, on PyTorch's reference inputs: many sizes, layouts and special values.

They are about ten times as many as the samples, too many for CI: `--inputs reference` runs them,
and `make parity-full`. An entry without reference inputs of its own gives its samples again.
"""

from __future__ import annotations

from typing import Any

from . import operators
from .engine import Engine
from .result import Result

NAME = "op_db.reference"
DEFAULT = (
    ("float32", ("forward", "strides")),
    ("float64", ("grad",)),
    ("int64", ("forward",)),
    ("bool", ("forward",)),
    ("complex64", ("forward",)),
)
FULL = (*DEFAULT, ("bfloat16", ("forward",)))
names = operators.names
out = operators.out


def run(
    name: str, engine: Engine, wanted: Any = DEFAULT, seconds: int = 60, only: Any = None
) -> list[Result]:
    """Run one operator on its reference inputs."""
    return _named(operators.run(name, engine, wanted, seconds, only, inputs="reference"))


def lost(name: str, wanted: Any, why: str) -> list[Result]:
    """The results of a job whose process died."""
    return _named(operators.lost(name, wanted, why))


def _named(results: list[Result]) -> list[Result]:
    for result in results:
        result.db = NAME
    return results
