"""Native draws against the laws on arrays: the same numbers, the same place in the stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import flambeau as torch
from flambeau.core.kernels.native.draws import DRAWS
from flambeau.core.random import integer, normal, uniform
from flambeau.core.random.stream import Stream

LAWS: dict[str, tuple[tuple[Any, ...], Callable[[Stream, np.ndarray], Any]]] = {
    "uniform": ((-1.0, 2.5), lambda s, a: uniform.uniform_(s, a, -1.0, 2.5)),
    "normal": ((0.5, 2.0), lambda s, a: normal.normal_(s, a, 0.5, 2.0)),
    "bernoulli": ((0.3,), lambda s, a: uniform.bernoulli(s, a, 0.3)),
    "exponential": ((1.5,), lambda s, a: uniform.exponential(s, a, 1.5)),
    "integers": ((-3, 11), lambda s, a: integer.integers_(s, a, -3, 11)),
    "permutation": ((), lambda s, a: np.copyto(a, integer.permutation(s, a.size, a.dtype))),
    "whole": ((), integer.whole_range_),
}
NUMBERS = {"float": "f4", "double": "f8", "i1": "?", "i64": "i8"}


@pytest.mark.parametrize("name", DRAWS)
def test_draws_are_the_laws(name: str) -> None:
    given, law = LAWS[name]
    for type in DRAWS[name].laws:
        for size in (1, 2, 3, 15, 16, 17, 25, 700):
            one, other = Stream(size), Stream(size)
            drawn = other.drawing(name)
            if drawn is None:
                pytest.skip("no code can be generated")
            if name == "permutation" and size == 1:
                continue
            wanted, found = (np.zeros(size, NUMBERS[type]) for _ in range(2))
            for _ in range(2):
                law(one, wanted)
                assert drawn(found, *given) is None
                np.testing.assert_allclose(found, wanted, rtol=3e-6, atol=3e-6)
                assert np.array_equal(one.pack(), other.pack())


def test_what_does_not_fit_is_refused() -> None:
    stream = Stream(3)
    drawn = stream.drawing("uniform")
    if drawn is None:
        pytest.skip("no code can be generated")
    before = stream.pack()
    array = np.zeros((4, 4), "f4")
    for given in (
        (array, 1.0, 0.0), (array, 0.0, float("inf")), (array, 0.0, True), (array.T[::2], 0.0, 1.0),
        (array.astype("f2"), 0.0, 1.0), (array, 0.0, 1.0, array.copy()), (array[:0], 0.0, 1.0),
    ):  # fmt: skip
        with pytest.raises(ValueError):
            drawn(*given)
    with stream.lock, pytest.raises(ValueError):  # a draw of several steps goes on
        drawn(array, 0.0, 1.0)
    assert np.array_equal(stream.pack(), before)


def test_fills_note_their_writes() -> None:
    x = torch.zeros(4, 4)
    fills = (x.normal_, x.uniform_, x.bernoulli_, x.exponential_, x.random_)
    for k, fill in enumerate(fills):
        assert fill() is x
        assert x._version == k + 1
    leaf = torch.zeros(4, requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf"):
        leaf.normal_()
    with torch.no_grad():
        assert leaf.normal_() is leaf
    for dtype in (torch.float32, torch.float64, torch.int64):
        torch.manual_seed(1)
        small = torch.zeros(8, dtype=dtype).random_(3)
        torch.manual_seed(1)
        assert torch.equal(small.long(), torch.randint(3, (8,)))


def test_draws_of_many_threads_share_no_words() -> None:
    from concurrent.futures import ThreadPoolExecutor

    torch.manual_seed(4)
    wanted = sorted(torch.rand(2000).tolist())
    torch.manual_seed(4)
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda _: torch.empty(4).uniform_().tolist(), range(500)))
    assert sorted(x for part in parts for x in part) == wanted
