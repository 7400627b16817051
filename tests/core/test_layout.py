"""Strides: made, judged, kept, viewed, expanded. NumPy is the witness here, PyTorch in
tests/parity.
"""

from __future__ import annotations

import copy
import math
import pickle
import random

import numpy as np
import pytest

from flambeau.core import layout as layouts
from flambeau.core.layout import (
    broadcast_shapes,
    channels_last,
    channels_last_3d,
    channels_last_strides,
    contiguous_format,
    contiguous_strides,
    expand,
    infer_size,
    is_contiguous,
    is_non_overlapping_and_dense,
    memory_format_strides,
    preserve_format,
    preserve_strides,
    suggest_memory_format,
    view_strides,
)


def test_names_are_single_objects() -> None:
    for name in ("strided", "sparse_coo", "sparse_csr", "channels_last", "preserve_format"):
        constant = getattr(layouts, name)
        assert repr(constant) == f"torch.{name}"
        assert pickle.loads(pickle.dumps(constant)) is constant
        assert copy.deepcopy(constant) is constant
    for kind in (layouts.layout, layouts.memory_format):
        with pytest.raises(TypeError, match="cannot create"):
            kind()


def test_fresh_strides() -> None:
    assert contiguous_strides((2, 3, 4)) == (12, 4, 1)
    assert contiguous_strides((2, 0, 4)) == (4, 4, 1)
    assert contiguous_strides(()) == ()
    assert channels_last_strides((2, 3, 4, 5)) == (60, 1, 15, 3)
    assert channels_last_strides((2, 3, 4, 5, 6)) == (360, 1, 90, 18, 3)
    assert memory_format_strides((2, 3), contiguous_format) == (3, 1)


def test_formats_refuse_other_ranks() -> None:
    with pytest.raises(RuntimeError, match="required rank 4 tensor"):
        channels_last_strides((2, 3))
    with pytest.raises(RuntimeError, match="required rank 5 tensor"):
        memory_format_strides((2, 3, 4, 5), channels_last_3d)
    with pytest.raises(RuntimeError, match="unsupported memory format"):
        memory_format_strides((2, 3), preserve_format)


def test_contiguity() -> None:
    shape = (2, 3, 4, 5)
    assert is_contiguous(shape, contiguous_strides(shape))
    assert not is_contiguous(shape, channels_last_strides(shape))
    assert is_contiguous(shape, channels_last_strides(shape), channels_last)
    assert is_contiguous((1, 3), (77, 1))
    assert is_contiguous((0, 3), (5, 5))
    assert not is_contiguous((2, 3), (3, 1), channels_last)


def test_suggestion_breaks_the_tie_by_strides() -> None:
    assert suggest_memory_format((2, 1, 4, 4), (16, 16, 4, 1)) is contiguous_format
    assert suggest_memory_format((2, 1, 4, 4), (16, 1, 4, 1)) is channels_last
    assert suggest_memory_format((2, 3), (3, 1)) is contiguous_format
    shape = (2, 3, 4, 5, 6)
    assert suggest_memory_format(shape, channels_last_strides(shape)) is channels_last_3d


def test_preserved_strides() -> None:
    assert preserve_strides((3, 2), (1, 3)) == (1, 3)
    assert preserve_strides((3, 2), (2, 6)) == (1, 3)
    assert preserve_strides((3, 2), (0, 1)) == (2, 1)
    assert is_non_overlapping_and_dense((3, 1, 2), (1, 99, 3))
    assert not is_non_overlapping_and_dense((3, 2), (0, 1))


def _addresses(shape: tuple[int, ...], strides: tuple[int, ...]) -> list[int]:
    return [sum(i * s for i, s in zip(at, strides, strict=True)) for at in np.ndindex(*shape)]


def test_a_view_shows_the_same_elements_in_the_same_order() -> None:
    draw = random.Random(0)
    seen = {True: 0, False: 0}
    for _ in range(400):
        array = np.empty([draw.choice((1, 2, 3, 4)) for _ in range(draw.randrange(5))])
        array = array.transpose(draw.sample(range(array.ndim), array.ndim))
        if array.ndim and draw.random() < 0.5:
            array = array[..., ::2]
        strides = tuple(s // 8 for s in array.strides)
        rest, shape = array.size, []
        while rest > 1:
            shape.append(draw.choice([d for d in range(2, rest + 1) if rest % d == 0]))
            rest //= shape[-1]
        shape.insert(draw.randrange(len(shape) + 1), 1)
        found = view_strides(array.shape, strides, shape)
        seen[found is not None] += 1
        if found is not None:
            assert _addresses(tuple(shape), found) == _addresses(array.shape, strides)
    assert min(seen.values()) > 20


def test_views_without_elements() -> None:
    assert view_strides((0, 3), (3, 1), (0, 3)) == (3, 1)
    assert view_strides((0, 3), (1, 5), (2, 0)) == (1, 1)
    assert view_strides((), (), (1, 1)) == (1, 1)
    assert view_strides((2, 3), (1, 2), (6,)) is None


def test_infer_size() -> None:
    assert infer_size((2, -1), 6) == (2, 3)
    assert infer_size((6,), 6) == (6,)
    assert infer_size((-1, 2), 0) == (0, 2)


@pytest.mark.parametrize(
    ("shape", "numel", "words"),
    [
        ((4,), 6, r"shape '\[4\]' is invalid for input of size 6"),
        ((-1, 4), 6, r"shape '\[-1, 4\]' is invalid for input of size 6"),
        ((-1, -1), 6, "only one dimension can be inferred"),
        ((-2, 3), 6, "invalid shape dimension -2 at index 0"),
        ((-1, 0), 0, "ambiguous"),
        ((-1, 0), 6, "is invalid for input of size 6"),
    ],
)
def test_infer_size_refuses(shape: tuple[int, ...], numel: int, words: str) -> None:
    with pytest.raises(RuntimeError, match=words):
        infer_size(shape, numel)


def test_broadcast_names_both_shapes() -> None:
    assert broadcast_shapes((2, 1), (3,), (1, 1, 1)) == (1, 2, 3)
    assert broadcast_shapes() == ()
    with pytest.raises(RuntimeError, match=r"shapes \[2, 3\] and \[4\] do not broadcast"):
        broadcast_shapes((2, 3), (4,))


def test_expand() -> None:
    assert expand((1, 3), (3, 1), (2, 4, -1)) == ((2, 4, 3), (0, 0, 1))
    assert expand((), (), (2,)) == ((2,), (0,))
    shape, strides = expand((3, 1), (1, 1), (3, 5))
    assert math.prod(shape) == 15
    assert strides == (1, 0)


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ((4, 3), r"expanded size of the tensor \(4\) must match the existing size \(2\)"),
        ((3,), r"number of sizes provided \(1\) must be greater or equal"),
        ((-1, 2, 3), "isn't allowed in a leading, non-existing dimension 0"),
        ((2, -2), r"expanded size of the tensor \(-2\)"),
    ],
)
def test_expand_refuses(sizes: tuple[int, ...], words: str) -> None:
    with pytest.raises(RuntimeError, match=words):
        expand((2, 3), (3, 1), sizes)
