"""default_collate and default_convert against PyTorch's, over every kind of sample."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import flambeau
from flambeau.utils.data import default_collate

Point = namedtuple("Point", ["x", "y"])

BATCHES: list[Any] = [
    [0, 1, 2],
    [True, False],
    [0.5, 1.5],
    ["a", "b"],
    [b"a", b"b"],
    [np.float32(1), np.float32(2)],
    [np.int16(1), np.int16(2)],
    [np.ones((2, 2)), np.zeros((2, 2))],
    [np.array(3), np.array(4)],
    [{"A": 0, "B": 1.0}, {"A": 100, "B": 2.0}],
    [OrderedDict(a=1), OrderedDict(a=2)],
    [Point(0, 0), Point(1, 1)],
    [(0, "x"), (2, "y")],
    [[0, 1.0], [2, 3.0]],
    [range(2), range(2, 4)],
    [{"t": (np.ones(2), [1, {"n": 2}])}, {"t": (np.zeros(2), [3, {"n": 4}])}],
]


def plain(value: Any) -> Any:
    """Tensors of either engine as (dtype, values); containers keep their types."""
    if hasattr(value, "detach"):
        return str(value.dtype), value.tolist()
    if isinstance(value, dict):
        return type(value).__name__, {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [plain(item) for item in value]
    return value


@pytest.mark.parametrize("batch", BATCHES)
def test_same_batches(oracle: ModuleType, batch: Any) -> None:
    ours, theirs = flambeau.utils.data, oracle.utils.data
    assert plain(ours.default_collate(batch)) == plain(theirs.default_collate(batch))
    assert plain(ours.default_convert(batch)) == plain(theirs.default_convert(batch))


def test_tensors_are_stacked() -> None:
    batch = default_collate([flambeau.ones(2, 3), flambeau.zeros(2, 3)])
    assert batch.shape == (2, 2, 3)


def test_errors() -> None:
    with pytest.raises(RuntimeError, match="equal size"):
        default_collate([[1, 2], [3]])
    with pytest.raises(TypeError, match="found <class 'object'>"):
        default_collate([object()])
    with pytest.raises(TypeError, match="batch must contain"):
        default_collate([np.array(["a"]), np.array(["b"])])
