"""Promotion against PyTorch: all pairs of dtypes, with and without dimensions, beside numbers."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from flambeau.core import dtypes
from flambeau.core.dtypes import DTYPES, of
from flambeau.core.promotion import can_cast, promote_types, result_dtype

NUMBERS = (True, 3, 2.5, 1j)
pytestmark = pytest.mark.filterwarnings("ignore:ComplexHalf support")


@pytest.fixture(params=["float32", "float64", "float16", "bfloat16"])
def torch(oracle: ModuleType, request: pytest.FixtureRequest) -> Iterator[ModuleType]:
    """The oracle, both engines under the same default dtype."""
    dtypes.set_default_dtype(DTYPES[request.param])
    oracle.set_default_dtype(getattr(oracle, request.param))
    yield oracle
    dtypes.set_default_dtype(dtypes.float32)
    oracle.set_default_dtype(oracle.float32)


def outcome(function: Any, *arguments: Any) -> Any:
    """The result's text, or the start of the error's."""
    try:
        return repr(function(*arguments))
    except RuntimeError as error:
        return str(error).split(".")[0]


def test_pairs(torch: ModuleType) -> None:
    def ours(*operands: Any) -> dtypes.dtype:
        return of(result_dtype(operands))

    for a, b in itertools.product(DTYPES.values(), repeat=2):
        x, y = getattr(torch, a.name), getattr(torch, b.name)
        assert outcome(promote_types, a, b) == outcome(torch.promote_types, x, y)
        assert can_cast(a, b) == torch.can_cast(x, y), (a, b)
        for m, n in itertools.product((0, 1), repeat=2):
            found = outcome(ours, (a.numpy, m), (b.numpy, n))
            tensors = torch.empty((1,) * m, dtype=x), torch.empty((1,) * n, dtype=y)
            assert found == outcome(torch.result_type, *tensors), (a, m, b, n)


def test_numbers(torch: ModuleType) -> None:
    for a, number, ndim in itertools.product(DTYPES.values(), NUMBERS, (0, 1)):
        tensor = torch.empty((1,) * ndim, dtype=getattr(torch, a.name))
        found = outcome(lambda *x: of(result_dtype(x)), (a.numpy, ndim), number)
        assert found == outcome(torch.result_type, tensor, number), (a, ndim, number)
    for one, two in itertools.product(NUMBERS, repeat=2):
        assert repr(of(result_dtype([one, two]))) == repr(torch.result_type(one, two))
