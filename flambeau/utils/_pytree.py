"""Trees of containers: flatten tuples, lists, dicts and named tuples into leaves, and build them
again.

The name is PyTorch's, where programs import it from. Stands on nothing.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from typing import Any

from flambeau.core.return_types import StructSequence

__all__ = [
    "LeafSpec",
    "TreeSpec",
    "register_pytree_node",
    "tree_all",
    "tree_any",
    "tree_flatten",
    "tree_iter",
    "tree_leaves",
    "tree_map",
    "tree_map_",
    "tree_map_only",
    "tree_structure",
    "tree_unflatten",
]

PyTree = Any


class TreeSpec:
    """The shape of a tree: its container's type, what the container needs to be built again, and
    its children's shapes.
    """

    __slots__ = ("children_specs", "context", "num_leaves", "type")

    def __init__(self, type: Any, context: Any, children_specs: Iterable[TreeSpec]) -> None:
        self.type = type
        self.context = context
        self.children_specs = list(children_specs)
        self.num_leaves: int = (
            sum(child.num_leaves for child in self.children_specs) if type is not None else 1
        )

    def is_leaf(self) -> bool:
        """Whether the tree is one leaf."""
        return self.type is None

    def unflatten(self, leaves: Iterable[Any]) -> PyTree:
        """The tree with these leaves."""
        return tree_unflatten(leaves, self)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, TreeSpec)
            and self.type is other.type
            and self.context == other.context
            and self.children_specs == other.children_specs
        )

    def __hash__(self) -> int:
        return hash((self.type, self.num_leaves, len(self.children_specs)))

    def __repr__(self) -> str:
        if self.type is None:
            return "*"
        inner = ", ".join(map(repr, self.children_specs))
        return f"TreeSpec({self.type.__name__}, {self.context}, [{inner}])"


class LeafSpec(TreeSpec):
    """The shape of a single leaf."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(None, None, ())


_LEAF = LeafSpec()


def _is_namedtuple(kind: type) -> bool:
    return issubclass(kind, tuple) and isinstance(getattr(kind, "_fields", None), tuple)


def _take_dict(tree: Any) -> tuple[list[Any], Any]:
    return list(tree.values()), list(tree.keys())


_NODES: dict[
    type, tuple[Callable[[Any], tuple[list[Any], Any]], Callable[[list[Any], Any], Any]]
] = {
    tuple: (lambda tree: (list(tree), None), lambda leaves, context: tuple(leaves)),
    list: (lambda tree: (list(tree), None), lambda leaves, context: list(leaves)),
    dict: (_take_dict, lambda leaves, context: dict(zip(context, leaves, strict=True))),
    OrderedDict: (
        _take_dict,
        lambda leaves, context: OrderedDict(zip(context, leaves, strict=True)),
    ),
    defaultdict: (
        lambda tree: (list(tree.values()), [tree.default_factory, list(tree.keys())]),
        lambda leaves, context: defaultdict(context[0], zip(context[1], leaves, strict=True)),
    ),
    deque: (
        lambda tree: (list(tree), tree.maxlen),
        lambda leaves, context: deque(leaves, maxlen=context),
    ),
}


def register_pytree_node(
    cls: type,
    flatten_fn: Callable[[Any], tuple[list[Any], Any]],
    unflatten_fn: Callable[[list[Any], Any], Any],
    **_: Any,
) -> None:
    """Make a class of containers known.

    Args:
        flatten_fn: container to (children, context).
        unflatten_fn: (children, context) to container.
    """
    if cls in _NODES:
        raise ValueError(f"{cls} is already registered as pytree node.")
    _NODES[cls] = (flatten_fn, unflatten_fn)


def tree_flatten(
    tree: PyTree, is_leaf: Callable[[Any], bool] | None = None
) -> tuple[list[Any], TreeSpec]:
    """The leaves of a tree in order, and its shape."""
    kind = type(tree)
    if is_leaf is not None and is_leaf(tree):
        return [tree], _LEAF
    if kind in _NODES:
        children, context = _NODES[kind][0](tree)
    elif _is_namedtuple(kind) or issubclass(kind, StructSequence):
        children, context = list(tree), kind
    else:
        return [tree], _LEAF
    leaves: list[Any] = []
    specs = []
    for child in children:
        found, spec = tree_flatten(child, is_leaf)
        leaves += found
        specs.append(spec)
    return leaves, TreeSpec(kind, context, specs)


def tree_unflatten(leaves: Iterable[Any], treespec: TreeSpec) -> PyTree:
    """The tree of a shape with these leaves.

    Raises:
        ValueError: the number of leaves is not the shape's.
    """
    leaves = list(leaves)
    if len(leaves) != treespec.num_leaves:
        raise ValueError(
            f"tree_unflatten: {len(leaves)} leaves were given, the treespec has "
            f"{treespec.num_leaves}: {treespec}"
        )
    return _build(leaves, treespec)


def _build(leaves: list[Any], spec: TreeSpec) -> PyTree:
    if spec.type is None:
        return leaves[0]
    children = []
    start = 0
    for child in spec.children_specs:
        children.append(_build(leaves[start : start + child.num_leaves], child))
        start += child.num_leaves
    if spec.type in _NODES:
        return _NODES[spec.type][1](children, spec.context)
    return spec.type(*children) if _is_namedtuple(spec.type) else spec.type(children)


def tree_leaves(tree: PyTree, is_leaf: Callable[[Any], bool] | None = None) -> list[Any]:
    """The leaves of a tree in order."""
    return tree_flatten(tree, is_leaf)[0]


def tree_iter(tree: PyTree, is_leaf: Callable[[Any], bool] | None = None) -> Iterable[Any]:
    """The leaves of a tree, one after the other."""
    return iter(tree_leaves(tree, is_leaf))


def tree_structure(tree: PyTree, is_leaf: Callable[[Any], bool] | None = None) -> TreeSpec:
    """The shape of a tree."""
    return tree_flatten(tree, is_leaf)[1]


def tree_map(
    func: Callable[..., Any],
    tree: PyTree,
    *rests: PyTree,
    is_leaf: Callable[[Any], bool] | None = None,
) -> PyTree:
    """The tree with `func` applied to its leaves (and to the corresponding ones of `rests`)."""
    leaves, spec = tree_flatten(tree, is_leaf)
    others = [tree_leaves(rest, is_leaf) for rest in rests]
    return tree_unflatten([func(*each) for each in zip(leaves, *others, strict=True)], spec)


def tree_map_(
    func: Callable[..., Any],
    tree: PyTree,
    *rests: PyTree,
    is_leaf: Callable[[Any], bool] | None = None,
) -> PyTree:
    """Call `func` on the leaves for what it does to them; returns the tree."""
    tree_map(func, tree, *rests, is_leaf=is_leaf)
    return tree


def tree_map_only(
    kind: Any,
    func: Callable[[Any], Any],
    tree: PyTree,
    is_leaf: Callable[[Any], bool] | None = None,
) -> PyTree:
    """`tree_map` over the leaves of a type; the others stay."""
    return tree_map(
        lambda leaf: func(leaf) if isinstance(leaf, kind) else leaf, tree, is_leaf=is_leaf
    )


def tree_all(
    pred: Callable[[Any], bool], tree: PyTree, is_leaf: Callable[[Any], bool] | None = None
) -> bool:
    """Whether `pred` holds for every leaf."""
    return all(map(pred, tree_leaves(tree, is_leaf)))


def tree_any(
    pred: Callable[[Any], bool], tree: PyTree, is_leaf: Callable[[Any], bool] | None = None
) -> bool:
    """Whether `pred` holds for a leaf."""
    return any(map(pred, tree_leaves(tree, is_leaf)))
