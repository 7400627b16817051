"""Sums with products: what `addbmm_` does with a tensor smaller than the sum."""

from __future__ import annotations

from typing import Any

import pytest

import flambeau


def product(engine: Any) -> tuple[Any, Any]:
    return engine.arange(30.0).view(2, 5, 3), engine.arange(24.0).view(2, 3, 4)


@pytest.mark.parametrize("shape", [(1,), (4,), (1, 4), (5, 1), (5, 4)])
def test_addbmm_resizes_what_expands_to_the_sum(shape: tuple[int, ...], oracle: Any) -> None:
    found = []
    for engine in (flambeau, oracle):
        leaf = engine.ones(*shape, requires_grad=True)
        x = leaf * 2
        assert x.addbmm_(*product(engine), beta=3, alpha=0.5) is x
        x.sum().backward()
        found.append((x.tolist(), leaf.grad.tolist()))
    assert found[0] == found[1]


def test_addbmm_does_not_shrink_a_tensor() -> None:
    with pytest.raises(RuntimeError):
        flambeau.ones(3, 5, 4).addbmm_(*product(flambeau))
