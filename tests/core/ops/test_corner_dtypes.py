"""Dtypes at the edge of what an operation takes: PyTorch's answer, or its refusal."""

from __future__ import annotations

from typing import Any

import pytest

import flambeau as torch

FORMS = {
    "nan_to_num 0-d": lambda of: of.nan_to_num(of.tensor(complex("nan+infj"))),
    "nan_to_num": lambda of: of.nan_to_num(of.tensor([complex("nan+infj"), 1j]), 2.0, 3.0),
    "unique complex": lambda of: of.unique(of.tensor([1 + 1j, 2])),
    "unique_consecutive complex": lambda of: of.unique_consecutive(of.tensor([1 + 1j, 2])),
    "trace bool": lambda of: of.trace(of.ones(2, 2, dtype=of.bool)),
    "trace uint8": lambda of: of.trace(of.ones(2, 2, dtype=of.uint8)),
    "bincount 2-d": lambda of: of.bincount(of.empty((0, 2), dtype=of.int64)),
    "bincount empty": lambda of: of.bincount(of.empty((0,), dtype=of.int64), minlength=2),
    "flip of nothing": lambda of: of.flip(of.ones(2)),
    "flip along none": lambda of: of.flip(of.ones(2), ()),
    "ranking": lambda of: of.nn.functional.margin_ranking_loss(
        of.tensor([1, 2]), of.tensor([2, 1]), of.tensor([1, -1])
    ),
    "power": lambda of: of.tensor(3) ** -1,
    "std slope": lambda of: of.autograd.grad(
        of.std(x := of.tensor([1j, 1j], requires_grad=True)), x
    )[0],
    "rsub": lambda of: of.Tensor.__rsub__(2.0, of.ones(2)) is NotImplemented or None,
}


@pytest.mark.parametrize("form", FORMS)
def test_corner(oracle: Any, form: str) -> None:
    def run(of: Any) -> Any:
        try:
            found = FORMS[form](of)
        except Exception as error:
            return type(error).__name__
        if found is True or found is None:
            return found
        return str(found.dtype), tuple(found.shape), str(found.tolist())

    assert run(torch) == run(oracle)
