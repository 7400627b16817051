"""Sums with products: what `addbmm_` does with a tensor smaller than the sum."""

from __future__ import annotations

import math
from typing import Any

import pytest

import flambeau as torch


def product(engine: Any) -> tuple[Any, Any]:
    return engine.arange(30.0).view(2, 5, 3), engine.arange(24.0).view(2, 3, 4)


@pytest.mark.parametrize("shape", [(1,), (4,), (1, 4), (5, 1), (5, 4)])
def test_addbmm_resizes_what_expands_to_the_sum(shape: tuple[int, ...], oracle: Any) -> None:
    found = []
    for engine in (torch, oracle):
        leaf = engine.ones(*shape, requires_grad=True)
        x = leaf * 2
        assert x.addbmm_(*product(engine), beta=3, alpha=0.5) is x
        x.sum().backward()
        found.append((x.tolist(), leaf.grad.tolist()))
    assert found[0] == found[1]


def test_addbmm_does_not_shrink_a_tensor() -> None:
    with pytest.raises(RuntimeError):
        torch.ones(3, 5, 4).addbmm_(*product(torch))


PRODUCTS = {
    "addmm": ((2, 2), (2, 3), (3, 2)), "addmv": ((2,), (2, 3), (3,)), "addr": ((2, 3), (2,), (3,)),
    "addbmm": ((2, 2), (4, 2, 3), (4, 3, 2)), "baddbmm": ((4, 2, 2), (4, 2, 3), (4, 3, 2)),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*overload of:UserWarning")  # said once a process
@pytest.mark.parametrize("name", PRODUCTS)
def test_factors_before_tensors_are_the_old_order(name):
    input, x, y = (torch.arange(24.0)[: math.prod(s)].reshape(s) for s in PRODUCTS[name])
    function, written = getattr(torch, name), name + "_"
    with_both, with_beta = function(input, x, y, beta=2, alpha=3), function(input, x, y, beta=2)
    for found, expected in (
        (function(2, input, 3, x, y), with_both), (function(2, input, x, y), with_beta),
        (getattr(input, name)(2, 3, x, y), with_both), (getattr(input, name)(2, x, y), with_beta),
        (getattr(input.clone(), written)(2, 3, x, y), with_both),
        (getattr(input.clone(), written)(2, x, y), with_beta),
        (function(2, input, x, y, out=torch.empty(0)), with_beta),
    ):  # fmt: skip
        assert torch.equal(found, expected)
    with pytest.raises(TypeError):
        function(input, x, y, 2)
