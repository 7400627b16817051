"""Trees of containers."""

from collections import OrderedDict, deque, namedtuple
from dataclasses import dataclass

import pytest

import flambeau
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


@dataclass
class Box:
    first: object
    second: object = None
    rest: int = 3


class Word:
    pass


def told_of_kinds(pytree, torch):
    kinds = [Point, Point(1, 2), tuple, (1, 2), torch.ones(2).max(0), type(torch.ones(2).max(0))]
    return [
        [bool(getattr(pytree, name)(kind)) for kind in kinds]
        for name in (
            "is_namedtuple", "is_namedtuple_class", "is_namedtuple_instance",
            "is_structseq", "is_structseq_class", "is_structseq_instance",
        )
    ] + [
        pytree.tree_all_only(int, lambda n: n > 0, [1, "a", -2.0]),
        pytree.tree_any_only(str, lambda s: s == "b", [1, "a"]),
        pytree.tree_map_only_(int, lambda n: n, [1, "a"]),
        pytree.arg_tree_leaves(1, [2], k=(3, 4)),
    ]  # fmt: skip


def test_kinds_and_leaves_of_a_type(oracle):
    import torch.utils._pytree as theirs

    assert told_of_kinds(pytree, flambeau) == told_of_kinds(theirs, oracle)


def test_dataclasses_and_constants():
    pytree.register_dataclass(Box, drop_field_names=["rest"])
    tree = [Box(1, {"k": 2}), Box(4)]
    leaves, spec = pytree.tree_flatten(tree)
    assert leaves == [1, 2, 4]
    assert pytree.tree_unflatten(leaves, spec) == tree
    assert [pytree.keystr(way) for way, _ in pytree.tree_leaves_with_path(tree)] == [
        "[0].first", "[0].second['k']", "[1].first",
    ]  # fmt: skip
    pytree.register_constant(Word)
    word = Word()
    assert pytree.tree_leaves([word, 1]) == [1]
    assert pytree.tree_map(lambda n: n + 1, [word, 1]) == [word, 2]
