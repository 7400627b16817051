"""Writes into memory that is read meanwhile are refused where PyTorch refuses them."""

from __future__ import annotations

from typing import Any

import pytest

import flambeau as torch

WRITES = {
    "copy forward": lambda of, x: x[1:].copy_(x[:-1]),
    "copy back": lambda of, x: x[:-1].copy_(x[1:]),
    "copy apart": lambda of, x: x[:4].copy_(x[4:]),
    "copy with gaps": lambda of, x: x[::2].copy_(x[1::2]),
    "copy itself": lambda of, x: x.copy_(x),
    "copy a transpose": lambda of, x: x[:4].view(2, 2).copy_(x[:4].view(2, 2).t()),
    "add": lambda of, x: x[1:].add_(x[:-1]),
    "add itself": lambda of, x: x.add_(x),
    "add a transpose": lambda of, x: x[:4].view(2, 2).add_(x[:4].view(2, 2).t()),
    "mul": lambda of, x: x[1:].mul_(x[:-1]),
    "addcmul": lambda of, x: x[1:].addcmul_(x[:-1], x[:-1]),
    "where": lambda of, x: of.where(x[1:] > 2, x[1:], x[1:], out=x[:-1]),
    "out of add": lambda of, x: of.add(x[1:], 1, out=x[:-1]),
    "out of exp": lambda of, x: of.exp(x[1:], out=x[:-1]),
    "out of exp in place": lambda of, x: of.exp(x, out=x),
    "out of clamp": lambda of, x: of.clamp(x[1:], 0, 3, out=x[:-1]),
    "index_add": lambda of, x: x.index_add_(0, of.tensor([0, 1]), x[2:4]),
    "index_copy": lambda of, x: x.index_copy_(0, of.tensor([0, 1]), x[1:3]),
    "scatter": lambda of, x: x.scatter_(0, of.tensor([0, 1]), x[1:3]),
    "scatter_add": lambda of, x: x.scatter_add_(0, of.tensor([0, 1]), x[1:3]),
    "put": lambda of, x: x.put_(of.tensor([0, 1]), x[1:3]),
    "item": lambda of, x: x.__setitem__(0, x[1]),
    "slice": lambda of, x: x.__setitem__(slice(1, None), x[:-1]),
    "slice apart": lambda of, x: x.__setitem__(slice(0, 4), x[4:]),
    "index": lambda of, x: x.__setitem__(of.tensor([0, 1]), x[1:3]),
    "mask": lambda of, x: x.__setitem__(x > 4, x[:3]),
    "item broadcast": lambda of, x: x.view(2, 4).__setitem__(0, x[2]),
    "row broadcast": lambda of, x: x.view(2, 4).__setitem__(slice(None), x[:4]),
    "one mask": lambda of, x: x.__setitem__(x > 4, x[2]),
    "put one in a mask": lambda of, x: x.index_put_((x > 4,), x[2]),
    "add one in a mask": lambda of, x: x.index_put_((x > 4,), x[2], True),
    "put one at an index": lambda of, x: x.index_put_((of.tensor([0]),), x[2]),
    "put at the index itself": lambda of, x: (
        lambda k: k.index_put_((k,), k.clone()),
        lambda k: k.index_fill_(0, k, 0),
    )[x.dtype.is_floating_point](of.tensor([2, 1, 0])),
    "fill where a shifted mask holds": lambda of, x: (lambda k: k[1:].masked_fill_(k[:-1], False))(
        x > 4
    ),
    "fill where it is itself true": lambda of, x: (lambda k: k.masked_fill_(k, False))(x > 4),
    "expanded item": lambda of, x: x[:3].expand(2, 3).__setitem__(0, 1.0),
    "expanded slice": lambda of, x: x[:3].expand(2, 3).__setitem__(slice(None), 1.0),
}


@pytest.mark.parametrize("form", WRITES)
@pytest.mark.parametrize("kind", ["float32", "int16"])
def test_what_meets_is_refused(oracle: Any, form: str, kind: str) -> None:
    def run(of: Any) -> Any:
        x = of.arange(8, dtype=getattr(of, kind))
        try:
            WRITES[form](of, x)
        except RuntimeError as error:
            return "single memory location" in str(error)
        return x.tolist()

    ours, theirs = run(torch), run(oracle)
    if isinstance(theirs, list) and isinstance(ours, list):
        ours, theirs = ([float(v) for v in values] for values in (ours, theirs))
        assert ours == pytest.approx(theirs, rel=1e-6)
    else:
        assert ours == theirs


def test_index_fill_of_expanded_elements_is_deprecated_as_in_pytorch(oracle: Any) -> None:
    def run(of: Any) -> Any:
        x = of.zeros(1, 3).expand(2, 3)
        with pytest.warns(UserWarning, match="expanded tensors is deprecated"):
            x.index_fill_(1, of.tensor([0, 2]), 5.0)
        return x.tolist()

    assert run(torch) == run(oracle)
