"""Trees of containers."""

from collections import OrderedDict, namedtuple

import pytest

from flambeau.utils import _pytree as pytree

Point = namedtuple("Point", "x y")


def test_round_trip():
    tree = {"a": [1, (2, None)], "b": Point(3, OrderedDict(c=4))}
    leaves, spec = pytree.tree_flatten(tree)
    assert leaves == [1, 2, None, 3, 4]
    again = pytree.tree_unflatten(leaves, spec)
    assert again == tree
    assert type(again["b"]) is Point
    assert pytree.tree_structure(again) == spec


def test_map():
    assert pytree.tree_map(lambda a, b: a + b, {"k": (1, 2)}, {"k": (10, 20)}) == {"k": (11, 22)}
    assert pytree.tree_map_only(int, lambda n: -n, [1, "a"]) == [-1, "a"]
    with pytest.raises(ValueError, match="leaves"):
        pytree.tree_unflatten([1], pytree.tree_structure((1, 2)))
