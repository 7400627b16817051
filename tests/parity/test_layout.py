"""The arithmetic of strides against PyTorch's, over random permuted, sliced and expanded tensors."""

from __future__ import annotations

import random
from types import ModuleType
from typing import Any

import pytest

import flambeau
from flambeau.core import layout as layouts
from flambeau.core.layout import (
    channels_last_strides,
    contiguous_strides,
    expand,
    is_contiguous,
    is_non_overlapping_and_dense,
    preserve_strides,
    suggest_memory_format,
    view_strides,
)

FORMATS = ("contiguous_format", "channels_last", "channels_last_3d")


def random_tensor(torch: ModuleType, draw: random.Random) -> Any:
    """A tensor whose strides have been through up to three operations."""
    sizes = (0, 1, 1, 2, 2, 3, 4) if draw.random() < 0.2 else (1, 1, 2, 2, 3, 4)
    x = torch.zeros([draw.choice(sizes) for _ in range(draw.randrange(6))])
    for _ in range(draw.randrange(4)):
        kind = draw.randrange(5)
        if kind == 0:
            x = x.permute(draw.sample(range(x.dim()), x.dim()))
        elif kind == 1 and x.dim():
            x = x[(slice(None),) * draw.randrange(x.dim()) + (slice(None, None, 2),)]
        elif kind == 2:
            x = x.expand([3 if n == 1 and draw.random() < 0.5 else n for n in x.shape])
        elif kind == 3 and x.dim() < 5:
            x = x.unsqueeze(draw.randrange(x.dim() + 1))
        elif kind == 4 and x.dim() in (4, 5):
            last = torch.channels_last if x.dim() == 4 else torch.channels_last_3d
            x = x.contiguous(memory_format=last)
    return x


def random_shape(draw: random.Random, numel: int) -> list[int]:
    """A shape of that many elements."""
    if numel == 0:
        return draw.choice([[0], [0, 3], [2, 0], [1, 0, 4]])
    shape = []
    while numel > 1:
        shape.append(draw.choice([d for d in range(2, numel + 1) if numel % d == 0]))
        numel //= shape[-1]
    for _ in range(draw.randrange(2)):
        shape.insert(draw.randrange(len(shape) + 1), 1)
    return shape


def or_none(function: Any, *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except RuntimeError:
        return None


@pytest.mark.parametrize("seed", range(4))
def test_strides(oracle: ModuleType, seed: int) -> None:
    from torch._prims_common import suggest_memory_format as suggested

    draw = random.Random(seed)
    for _ in range(300):
        x = random_tensor(oracle, draw)
        shape, strides = tuple(x.shape), x.stride()
        at = shape, strides
        assert contiguous_strides(shape) == oracle.empty(shape).stride()
        if len(shape) in (4, 5):
            last = oracle.channels_last if len(shape) == 4 else oracle.channels_last_3d
            assert channels_last_strides(shape) == oracle.empty(shape, memory_format=last).stride()
        for name in FORMATS:
            found = is_contiguous(shape, strides, getattr(layouts, name))
            assert found == x.is_contiguous(memory_format=getattr(oracle, name)), (at, name)
        dense = oracle.ops.aten.is_non_overlapping_and_dense.default(x)
        assert is_non_overlapping_and_dense(shape, strides) == dense, at
        assert preserve_strides(shape, strides) == oracle.empty_like(x).stride(), at
        assert repr(suggest_memory_format(shape, strides)) == repr(suggested(x)), at
        new = random_shape(draw, x.numel())
        view = or_none(x.view, new)
        assert view_strides(shape, strides, new) == (view if view is None else view.stride()), at
        sizes = [draw.choice((1, 2, 3)) for _ in range(draw.randrange(3))]
        sizes += [draw.choice((-1, n if n != 1 else draw.choice((1, 2, 5)), 2)) for n in shape]
        wide = or_none(x.expand, sizes)
        found = or_none(expand, shape, strides, sizes)
        assert found == (None if wide is None else (tuple(wide.shape), wide.stride())), (at, sizes)


@pytest.mark.parametrize(
    "call",
    [
        lambda t, x: t.nn.functional.logsigmoid(x),
        lambda t, x: t.nn.functional.rrelu(x),
        lambda t, x: t.nn.functional.rrelu(x, training=True),
        lambda t, x: t.mvlgamma(x + 9, 1),
        lambda t, x: t.mvlgamma(x + 9, 3),
    ],
)
def test_results_in_row_major_order(oracle: ModuleType, call: Any) -> None:
    for make in (
        lambda t: t.ones(3, 4).t(),
        lambda t: t.ones(2, 3, 5).permute(2, 0, 1),
        lambda t: t.ones(2, 3, 4, 5).to(memory_format=t.channels_last),
        lambda t: t.ones(2, 3, 4).transpose(0, 1),
        lambda t: t.ones(4, 2)[:, 0],
    ):
        mine, theirs = call(flambeau, make(flambeau)), call(oracle, make(oracle))
        assert mine.stride() == theirs.stride()
