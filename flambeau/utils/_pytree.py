"""Trees of containers: flatten tuples, lists, dicts and named tuples into leaves, and build them
again.

The name is PyTorch's, where programs import it from. Stands on nothing.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple

from flambeau.core.return_types import StructSequence
from flambeau.utils._pytree_paths import (
    GetAttrKey,
    KeyPath,
    MappingKey,
    SequenceKey,
    keys_of,
    keystr,
)

__all__ = [
    "Context",
    "FlattenFn",
    "FlattenFunc",
    "GetAttrKey",
    "LeafSpec",
    "MappingKey",
    "PyTree",
    "SequenceKey",
    "TreeSpec",
    "UnflattenFn",
    "UnflattenFunc",
    "arg_tree_leaves",
    "is_namedtuple",
    "is_namedtuple_class",
    "is_namedtuple_instance",
    "is_structseq",
    "is_structseq_class",
    "is_structseq_instance",
    "key_get",
    "keystr",
    "register_constant",
    "register_dataclass",
    "register_pytree_node",
    "tree_all",
    "tree_all_only",
    "tree_any",
    "tree_any_only",
    "tree_flatten",
    "tree_flatten_with_path",
    "tree_is_leaf",
    "tree_iter",
    "tree_leaves",
    "tree_leaves_with_path",
    "tree_map",
    "tree_map_",
    "tree_map_only",
    "tree_map_only_",
    "tree_map_with_path",
    "tree_structure",
    "tree_unflatten",
]

PyTree = Any
Context = Any
FlattenFunc = FlattenFn = Callable[[PyTree], tuple[list[Any], Context]]
UnflattenFunc = UnflattenFn = Callable[[Iterable[Any], Context], PyTree]


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
        name = "namedtuple" if is_namedtuple_class(self.type) else self.type.__name__
        inner = ",\n".join(
            "\n".join(f"  {line}" for line in repr(child).splitlines())
            for child in self.children_specs
        ).strip()
        return f"TreeSpec({name}, {self.context}, [{inner}])"


class LeafSpec(TreeSpec):
    """The shape of a single leaf."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(None, None, ())


_LEAF = LeafSpec()


def is_namedtuple_class(cls: type) -> bool:
    """Whether the class was made by `namedtuple` or `typing.NamedTuple`."""
    names = getattr(cls, "_fields", None)
    return isinstance(cls, type) and issubclass(cls, tuple) and isinstance(names, tuple)


def is_namedtuple_instance(obj: object) -> bool:
    """Whether the value is a named tuple."""
    return is_namedtuple_class(type(obj))


def is_namedtuple(obj: object | type) -> bool:
    """Whether this is a named tuple or a class of them."""
    return is_namedtuple_class(obj if isinstance(obj, type) else type(obj))


def is_structseq_class(cls: type) -> bool:
    """Whether the class is one of results with names (`torch.return_types.max`)."""
    return isinstance(cls, type) and issubclass(cls, StructSequence)


def is_structseq_instance(obj: object) -> bool:
    """Whether the value is a result with names."""
    return is_structseq_class(type(obj))


def is_structseq(obj: object | type) -> bool:
    """Whether this is a result with names or a class of them."""
    return is_structseq_class(obj if isinstance(obj, type) else type(obj))


def _dict_flatten(d: Any) -> tuple[list[Any], Any]:
    return list(d.values()), list(d.keys())


def _dict_flatten_with_keys(d: Any) -> tuple[list[tuple[MappingKey, Any]], Any]:
    return [(MappingKey(key), value) for key, value in d.items()], list(d.keys())


class NodeDef(NamedTuple):
    """How a class of containers is opened and built."""

    type: Any
    flatten_fn: Callable[[Any], tuple[list[Any], Any]]
    unflatten_fn: Callable[[list[Any], Any], Any]
    flatten_with_keys_fn: Callable[[Any], Any] | None = None


def _zipped(kind: Callable[[Any], Any]) -> Callable[[list[Any], Any], Any]:
    return lambda leaves, keys: kind(zip(keys, leaves, strict=True))


_NODES: dict[Any, NodeDef] = {
    node.type: node
    for node in (
        NodeDef(tuple, lambda tree: (list(tree), None), lambda leaves, context: tuple(leaves)),
        NodeDef(list, lambda tree: (list(tree), None), lambda leaves, context: list(leaves)),
        NodeDef(dict, _dict_flatten, _zipped(dict), _dict_flatten_with_keys),
        NodeDef(OrderedDict, _dict_flatten, _zipped(OrderedDict), _dict_flatten_with_keys),
        NodeDef(
            defaultdict,
            lambda tree: (list(tree.values()), [tree.default_factory, list(tree.keys())]),
            lambda leaves, context: defaultdict(context[0], zip(context[1], leaves, strict=True)),
        ),
        NodeDef(
            deque,
            lambda tree: (list(tree), tree.maxlen),
            lambda leaves, context: deque(leaves, maxlen=context),
        ),
        NodeDef(
            namedtuple,
            lambda tree: (list(tree), type(tree)),
            lambda leaves, context: context(*leaves),
        ),
    )
}


def _get_node_type(tree: Any) -> Any:
    """What `SUPPORTED_NODES` knows a container by: `namedtuple` for all of those."""
    kind = type(tree)
    return namedtuple if kind not in _NODES and is_namedtuple_class(kind) else kind


def register_pytree_node(
    cls: type,
    flatten_fn: Callable[[Any], tuple[list[Any], Any]],
    unflatten_fn: Callable[[list[Any], Any], Any],
    *,
    serialized_type_name: str | None = None,
    to_dumpable_context: Callable[[Any], Any] | None = None,
    from_dumpable_context: Callable[[Any], Any] | None = None,
    flatten_with_keys_fn: Callable[[Any], Any] | None = None,
) -> None:
    """Make a class of containers known.

    Args:
        flatten_fn: container to (children, context).
        unflatten_fn: (children, context) to container.
        serialized_type_name, to_dumpable_context, from_dumpable_context: kept for
            compatibility; specs are not written as text.
        flatten_with_keys_fn: container to (pairs of key and child, context).

    Raises:
        ValueError: the class is known.
    """
    if cls in _NODES:
        raise ValueError(f"{cls} is already registered as pytree node.")
    _NODES[cls] = NodeDef(cls, flatten_fn, unflatten_fn, flatten_with_keys_fn)


_register_pytree_node = register_pytree_node


def register_dataclass(
    cls: Any,
    *,
    field_names: list[str] | None = None,
    drop_field_names: list[str] | None = None,
    serialized_type_name: str | None = None,
) -> None:
    """Make a dataclass known: its fields are the children, those that are None are left out.

    Args:
        field_names: the fields, where the class is no dataclass.
        drop_field_names: fields that are no children.

    Raises:
        ValueError: no dataclass, and no names; or the class is known.
    """
    if field_names is None:
        if not is_dataclass(cls):
            raise ValueError(f"field_names must be given: {cls} is no dataclass.")
        field_names = [each.name for each in fields(cls) if each.init]
    names = [name for name in field_names if name not in (drop_field_names or ())]

    def opened(tree: Any) -> tuple[list[Any], Any]:
        pairs = [(name, getattr(tree, name)) for name in names]
        kept = [name for name, value in pairs if value is not None]
        empty = [name for name, value in pairs if value is None]
        return [getattr(tree, name) for name in kept], [kept, empty]

    def built(leaves: Iterable[Any], context: Any) -> Any:
        return cls(**dict(zip(context[0], leaves, strict=True)), **dict.fromkeys(context[1]))

    def with_keys(tree: Any) -> tuple[list[Any], Any]:
        children, context = opened(tree)
        keys = [GetAttrKey(name) for name in context[0]]
        return list(zip(keys, children, strict=True)), context

    register_pytree_node(cls, opened, built, flatten_with_keys_fn=with_keys)


def register_constant(cls: type) -> None:
    """Make a class known whose values are parts of the shape, and no leaves."""
    register_pytree_node(cls, lambda tree: ([], tree), lambda leaves, context: context)


def _opened(tree: PyTree) -> tuple[list[Any], Any] | None:
    """A container's children and context; None for a leaf."""
    kind = type(tree)
    if kind in _NODES:
        return _NODES[kind].flatten_fn(tree)
    if is_namedtuple_class(kind) or issubclass(kind, StructSequence):
        return list(tree), kind
    return None


def tree_is_leaf(tree: PyTree, is_leaf: Callable[[Any], bool] | None = None) -> bool:
    """Whether the value is a leaf: of no known class of containers, or one by `is_leaf`."""
    return (is_leaf is not None and is_leaf(tree)) or _opened(tree) is None


def tree_flatten(
    tree: PyTree, is_leaf: Callable[[Any], bool] | None = None
) -> tuple[list[Any], TreeSpec]:
    """The leaves of a tree in order, and its shape."""
    kind = type(tree)
    opened = None if is_leaf is not None and is_leaf(tree) else _opened(tree)
    if opened is None:
        return [tree], _LEAF
    children, context = opened
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
        return _NODES[spec.type].unflatten_fn(children, spec.context)
    return spec.type(*children) if is_namedtuple_class(spec.type) else spec.type(children)


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


def tree_map_only_(
    kind: Any,
    func: Callable[[Any], Any],
    tree: PyTree,
    is_leaf: Callable[[Any], bool] | None = None,
) -> PyTree:
    """`tree_map_` over the leaves of a type."""
    tree_map_only(kind, func, tree, is_leaf)
    return tree


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


def tree_all_only(
    kind: Any,
    pred: Callable[[Any], bool],
    tree: PyTree,
    is_leaf: Callable[[Any], bool] | None = None,
) -> bool:
    """Whether `pred` holds for every leaf of a type."""
    return all(pred(leaf) for leaf in tree_leaves(tree, is_leaf) if isinstance(leaf, kind))


def tree_any_only(
    kind: Any,
    pred: Callable[[Any], bool],
    tree: PyTree,
    is_leaf: Callable[[Any], bool] | None = None,
) -> bool:
    """Whether `pred` holds for a leaf of a type."""
    return any(pred(leaf) for leaf in tree_leaves(tree, is_leaf) if isinstance(leaf, kind))


def arg_tree_leaves(*args: PyTree, **kwargs: PyTree) -> list[Any]:
    """The leaves of a call's arguments."""
    return [leaf for arg in (*args, *kwargs.values()) for leaf in tree_leaves(arg)]


def tree_leaves_with_path(
    tree: PyTree, is_leaf: Callable[[Any], bool] | None = None
) -> list[tuple[KeyPath, Any]]:
    """The leaves in order, each with the keys on the way to it."""
    return list(_walked(tree, (), is_leaf))


def _walked(
    tree: PyTree, way: KeyPath, is_leaf: Callable[[Any], bool] | None
) -> Iterable[tuple[KeyPath, Any]]:
    opened = None if is_leaf is not None and is_leaf(tree) else _opened(tree)
    if opened is None:
        yield way, tree
        return
    known = _NODES.get(type(tree))
    given = None if known is None else known.flatten_with_keys_fn
    keys = keys_of(tree, len(opened[0]), given)
    for key, child in zip(keys, opened[0], strict=True):
        yield from _walked(child, (*way, key), is_leaf)


def tree_flatten_with_path(
    tree: PyTree, is_leaf: Callable[[Any], bool] | None = None
) -> tuple[list[tuple[KeyPath, Any]], TreeSpec]:
    """`tree_flatten`, each leaf with the keys on the way to it."""
    return tree_leaves_with_path(tree, is_leaf), tree_structure(tree, is_leaf)


def tree_map_with_path(
    func: Callable[..., Any],
    tree: PyTree,
    *rests: PyTree,
    is_leaf: Callable[[Any], bool] | None = None,
) -> PyTree:
    """`tree_map` with the path as the function's first argument."""
    pairs, spec = tree_flatten_with_path(tree, is_leaf)
    others = [tree_leaves(rest, is_leaf) for rest in rests]
    made = [func(way, leaf, *each) for (way, leaf), *each in zip(pairs, *others, strict=True)]
    return tree_unflatten(made, spec)


def key_get(obj: Any, kp: KeyPath) -> Any:
    """What stands at the end of a path."""
    for key in kp:
        obj = key.get(obj)
    return obj


SUPPORTED_NODES = _NODES
"""The known classes of containers."""
