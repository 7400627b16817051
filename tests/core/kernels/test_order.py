"""The strides of elementwise results whose operands lie in different orders: PyTorch's."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest

import flambeau as torch


def _views(of: Any, seed: int) -> list[Any]:
    """Views of the shape (2, 3, 4) in every kind of order, made alike in either engine."""
    draw = random.Random(seed)
    flat = of.arange(600, dtype=of.float32)
    found = [
        flat[:24].reshape(2, 3, 4),
        flat[:1].expand(2, 3, 4),
        flat[:3].reshape(3, 1).expand(2, 3, 4),
    ]
    for order in itertools.permutations(range(3)):
        sizes = [(2, 3, 4)[d] for d in order]
        back = [order.index(d) for d in range(3)]
        dense = flat[:24].reshape(sizes)
        gaps = flat[: 8 * 24].reshape([2 * n for n in sizes])[::2, 1::2, ::2]
        found += [dense.permute(back), gaps.permute(back)]
    found += [
        flat.as_strided((2, 3, 4), [draw.choice((0, 1, 2, 3, 6, 24)) for _ in range(3)])
        for _ in range(30)
    ]
    return found


FORMS = {
    "abs": lambda of, a, b: a.abs(),
    "cast": lambda of, a, b: a.double(),
    "frexp": lambda of, a, b: of.frexp(a).mantissa,
    "fill": lambda of, a, b: of.fill(a, 2.0),
    "add": lambda of, a, b: a + b,
    "mixed": lambda of, a, b: a * b.double(),
    "whole": lambda of, a, b: of.bitwise_xor(a.int(), b.int()),
    "complex": lambda of, a, b: of.complex(a, b),
    "where": lambda of, a, b: of.where(a > 3, a, b),
    "addcmul": lambda of, a, b: of.addcmul(a, b, b),
    "lerp": lambda of, a, b: a.lerp(b, 0.5),
    "clamp": lambda of, a, b: a.clamp(b, b + 1),
    "broadcast": lambda of, a, b: a[:, :1] - b[:, :, :1],
}


@pytest.mark.parametrize("form", FORMS)
def test_strides_are_pytorchs(oracle: Any, form: str) -> None:
    draw = random.Random(form)
    ours, theirs = _views(torch, 1), _views(oracle, 1)
    pairs = list(itertools.product(range(len(ours)), repeat=2))
    for i, j in draw.sample(pairs, 150):
        made = FORMS[form](torch, ours[i], ours[j])
        wanted = FORMS[form](oracle, theirs[i], theirs[j])
        steps = [s for s, n in zip(made.stride(), made.shape, strict=True) if n > 1]
        expected = [s for s, n in zip(wanted.stride(), wanted.shape, strict=True) if n > 1]
        assert steps == expected, (ours[i].stride(), ours[j].stride())
        assert made.tolist() == wanted.tolist()
