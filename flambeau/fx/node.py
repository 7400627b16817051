"""A node of a graph: one call, input, attribute or the output. Stands on nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from flambeau.core.errors import fail

if TYPE_CHECKING:
    from flambeau.fx.graph import Graph

__all__ = ["Node", "has_side_effect", "map_aggregate", "map_arg"]

KINDS = ("placeholder", "call_method", "call_module", "call_function", "get_attr", "output")
_IMPURE: set[Any] = set()
"""Functions that are called for what they do; `eliminate_dead_code` keeps them."""


def has_side_effect(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a function that is called for what it does."""
    _IMPURE.add(function)
    return function


def map_aggregate(value: Any, change: Callable[[Any], Any]) -> Any:
    """The value with `change` of every leaf of its tuples, lists, dicts and slices."""
    if isinstance(value, tuple):
        made = [map_aggregate(each, change) for each in value]
        return type(value)(*made) if hasattr(value, "_fields") else tuple(made)
    if isinstance(value, list):
        return [map_aggregate(each, change) for each in value]
    if isinstance(value, dict):
        return {key: map_aggregate(each, change) for key, each in value.items()}
    if isinstance(value, slice):
        parts = (value.start, value.stop, value.step)
        return slice(*(map_aggregate(each, change) for each in parts))
    return change(value)


def map_arg(value: Any, change: Callable[[Node], Any]) -> Any:
    """The value with `change` of every Node in it.

    Raises:
        AssertionError: `change` cannot be called.
    """
    if not callable(change):
        raise AssertionError("torch.fx.map_arg(a, fn): fn must be a callable")
    return map_aggregate(value, lambda x: change(x) if isinstance(x, Node) else x)


class Node:
    """One step of a graph.

    Args:
        graph: the graph that owns it.
        name: unique in the graph.
        op: placeholder, get_attr, call_function, call_module, call_method or output.
        target: the function, or the name of the method, module, attribute or parameter.
        args, kwargs: what it is called with; Nodes stand for other steps' results.
        return_type: an annotation, kept.
    """

    def __init__(
        self,
        graph: Graph,
        name: str,
        op: str,
        target: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        return_type: Any = None,
    ) -> None:
        if op not in KINDS:
            raise fail(AssertionError, "fx.Node", f"Node: op must be one of {KINDS}, got {op!r}")
        if (op == "call_function") != callable(target):
            kind = type(target).__name__
            wanted = "a callable" if op == "call_function" else "a str"
            raise fail(ValueError, "fx.Node", f"Node [{op}]: target must be {wanted}, got {kind}")
        self.graph = graph
        self.name = name
        self.op = op
        self.target = target
        self.type = return_type
        self.users: dict[Node, None] = {}
        self.meta: dict[str, Any] = {}
        self._next = self._prev = self
        self._erased = False
        self._inputs: dict[Node, None] = {}
        self._args: tuple[Any, ...] = ()
        self._kwargs: dict[str, Any] = {}
        self._set(args, kwargs)

    # what it is called with

    @property
    def args(self) -> tuple[Any, ...]:
        """The positional arguments."""
        return self._args

    @args.setter
    def args(self, args: tuple[Any, ...]) -> None:
        self._set(args, self._kwargs)

    @property
    def kwargs(self) -> dict[str, Any]:
        """The named arguments."""
        return self._kwargs

    @kwargs.setter
    def kwargs(self, kwargs: dict[str, Any]) -> None:
        self._set(self._args, kwargs)

    def _set(self, args: Any, kwargs: Any) -> None:
        for node in self._inputs:
            node.users.pop(self, None)
        self._args, self._kwargs = tuple(args), dict(kwargs)
        self._inputs = {}
        map_arg((self._args, self._kwargs), self._read)

    def _read(self, node: Node) -> Node:
        self._inputs[node] = None
        node.users[self] = None
        return node

    def update_arg(self, at: int, arg: Any) -> None:
        """Put another positional argument in the place of the one at `at`."""
        args = list(self._args)
        args[at] = arg
        self.args = tuple(args)

    def insert_arg(self, at: int, arg: Any) -> None:
        """Put a positional argument before the one at `at`."""
        self.args = (*self._args[:at], arg, *self._args[at:])

    def update_kwarg(self, key: str, arg: Any) -> None:
        """Set a named argument."""
        self.kwargs = {**self._kwargs, key: arg}

    @property
    def all_input_nodes(self) -> list[Node]:
        """The nodes that the arguments name, in the order of their first use."""
        return list(self._inputs)

    def replace_input_with(self, old: Node, new: Node) -> None:
        """Read `new` wherever `old` is read."""
        self._set(*map_arg((self._args, self._kwargs), lambda n: new if n is old else n))

    def replace_all_uses_with(
        self,
        replace_with: Node,
        delete_user_cb: Callable[[Node], bool] = lambda user: True,
        *,
        propagate_meta: bool = False,
    ) -> list[Node]:
        """Let all nodes that read this one read `replace_with`; the nodes that changed.

        Args:
            replace_with: the node to read.
            delete_user_cb: whether a user is to change; all are.
            propagate_meta: give `replace_with` this node's `meta`; it must have none.
        """
        if propagate_meta:
            if replace_with.meta:
                raise fail(
                    AssertionError,
                    "fx.Node.replace_all_uses_with",
                    "propagate_meta is for a replacement whose meta is empty",
                )
            replace_with.meta.update(self.meta)
        changed = [user for user in self.users if delete_user_cb(user)]
        for user in changed:
            user.replace_input_with(self, replace_with)
        return changed

    # its place

    @property
    def next(self) -> Node:
        """The node after this one; the graph's root after the last."""
        return self._next

    @property
    def prev(self) -> Node:
        """The node before this one; the graph's root before the first."""
        return self._prev

    def prepend(self, x: Node) -> None:
        """Move `x` to before this node."""
        if x.graph is not self.graph:
            raise fail(
                AssertionError,
                "fx.Node.prepend",
                "prepend: a node moves within its graph; use Graph.node_copy for another's",
            )
        if x is self:
            return
        x._leave()
        before = self._prev
        before._next, x._prev = x, before
        x._next, self._prev = self, x

    def append(self, x: Node) -> None:
        """Move `x` to after this node."""
        if x is not self:
            x._leave()
            self._next.prepend(x)

    def _leave(self) -> None:
        self._prev._next, self._next._prev = self._next, self._prev
        self._prev = self._next = self

    # what it says

    @property
    def stack_trace(self) -> str | None:
        """The lines that made the node, where tracing recorded them."""
        return self.meta.get("stack_trace")

    @stack_trace.setter
    def stack_trace(self, trace: str | None) -> None:
        self.meta["stack_trace"] = trace

    def is_impure(self, impure_random: bool = True) -> bool:
        """Whether the node does something besides giving its result."""
        if self.op in ("placeholder", "output"):
            return True
        if self.op == "call_function":
            return self.target in _IMPURE or (
                str(getattr(self.target, "__name__", "")).endswith("_")
                and not str(getattr(self.target, "__name__", "")).endswith("__")
            )
        if self.op == "call_module":
            owner = self.graph.owning_module
            return bool(
                owner is not None and getattr(owner.get_submodule(self.target), "is_impure", False)
            )
        return False

    def format_node(
        self,
        placeholder_names: list[str] | None = None,
        maybe_return_typename: list[str] | None = None,
    ) -> str | None:
        """One line of text."""
        from flambeau.fx.names import public_name

        head = f"%{self.name} : [num_users={len(self.users)}] = {self.op}"
        if self.op == "placeholder":
            default = f"(default={self.args[0]!r})" if self.args else ""
            return f"{head}[target={self.target}]{default}"
        if self.op == "get_attr":
            return f"{head}[target={self.target}]"
        if self.op == "output":
            return f"return {self.args[0]}"
        target = public_name(self.target) if self.op == "call_function" else self.target
        return (
            f"{head}[target={target}](args = {_shown(self.args)}, kwargs = {_shown(self.kwargs)})"
        )

    def __repr__(self) -> str:
        return self.name

    def __iter__(self) -> Iterator[Any]:
        raise TypeError("a Node cannot be iterated; its arguments are in Node.args")


def _shown(value: Any) -> str:
    """An argument in a node's line: nodes with a %, strings bare."""
    if isinstance(value, Node):
        return f"%{value.name}"
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return f"({', '.join(map(_shown, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_shown(each)}" for key, each in value.items()) + "}"
    if callable(value) and hasattr(value, "__name__"):
        return value.__name__
    return str(value)
