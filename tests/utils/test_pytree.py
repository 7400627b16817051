"""Trees of containers."""

from collections import OrderedDict, deque, namedtuple

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


def test_paths_are_pytorchs(oracle):
    from torch.utils import _pytree as wanted

    from flambeau.utils import _pytree as found

    tree = {"x": [1, (2, 3)], "y": deque([4, {"z": 5}])}
    for each in (found, wanted):
        assert [each.keystr(way) for way, _ in each.tree_leaves_with_path(tree)] == [
            "['x'][0]",
            "['x'][1][0]",
            "['x'][1][1]",
            "['y'][0]",
            "['y'][1]['z']",
        ]
    assert repr(found.tree_structure(tree)) == repr(wanted.tree_structure(tree))
    ways = found.tree_flatten_with_path(tree)[0]
    assert repr(ways) == repr(wanted.tree_flatten_with_path(tree)[0])
    assert all(found.key_get(tree, way) is leaf for way, leaf in ways)
    marked = found.tree_map_with_path(lambda way, leaf: (len(way), leaf), [1, [2]])
    assert marked == [(1, 1), [(2, 2)]]


def test_registered_keys_are_used():
    from flambeau.utils import _pytree

    class Pair:
        def __init__(self, left, right):
            self.left, self.right = left, right

    _pytree.register_pytree_node(
        Pair,
        lambda pair: ([pair.left, pair.right], None),
        lambda leaves, context: Pair(*leaves),
        flatten_with_keys_fn=lambda pair: (
            [(_pytree.GetAttrKey("left"), pair.left), (_pytree.GetAttrKey("right"), pair.right)],
            None,
        ),
    )
    pairs = _pytree.tree_leaves_with_path([Pair(1, 2)])
    assert [_pytree.keystr(way) for way, _ in pairs] == ["[0].left", "[0].right"]
