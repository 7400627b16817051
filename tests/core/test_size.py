"""Size: a tuple of ints that stays a Size."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from flambeau.core.size import Size


def test_text_and_count() -> None:
    assert repr(Size([2, 3])) == str(Size([2, 3])) == "torch.Size([2, 3])"
    assert repr(Size()) == "torch.Size([])"
    assert Size([2, 3]).numel() == 6
    assert Size().numel() == 1


@pytest.mark.parametrize(
    "made",
    [
        Size((2, 3, 4))[1:],
        Size((3,)) + (4,),
        (3,) + Size((4,)),
        Size(n for n in (3, 4)),
        Size([np.int64(3), np.int64(4)]),
        pickle.loads(pickle.dumps(Size([3, 4]))),
    ],
)
def test_stays_a_size(made: object) -> None:
    assert type(made) is Size
    assert made == (3, 4)


def test_repeats_and_elements() -> None:
    assert Size([2]) * 2 == 2 * Size([2]) == Size([2, 2])
    assert type(2 * Size([2])) is Size
    assert Size([5, 7])[1] == 7
    assert hash(Size([2])) == hash((2,))


@pytest.mark.parametrize(
    ("bad", "words"), [([2.5], "item 0 is 'float'"), ([1, "a"], "item 1 is 'str'")]
)
def test_refuses_other_elements(bad: list[object], words: str) -> None:
    with pytest.raises(TypeError, match=words):
        Size(bad)
    with pytest.raises(TypeError, match="not iterable"):
        Size(3)


def test_lists_do_not_concatenate() -> None:
    with pytest.raises(TypeError):
        Size([2]) + [3]
    with pytest.raises(TypeError):
        [3] + Size([2])
