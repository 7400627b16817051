"""`Node`: one call of a graph, and the nodes whose results it takes."""

from __future__ import annotations

import builtins
import functools
import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flambeau.core import overrides
from flambeau.core.tensor import Tensor

if TYPE_CHECKING:
    from flambeau.fx.graph import Graph

__all__ = ["Node", "has_side_effect", "map_aggregate", "map_arg", "qualified_name"]

OPS = ("placeholder", "call_method", "call_module", "call_function", "get_attr", "output", "root")
EFFECTS: set[Any] = set()
"""Functions whose calls count even where nothing uses the result."""


def has_side_effect(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a function: a call of it is not dead code. Gives the function back."""
    EFFECTS.add(fn)
    return fn


def map_aggregate(a: Any, fn: Callable[[Any], Any]) -> Any:
    """The value with `fn` applied to every leaf of its tuples, lists, dictionaries and slices."""
    if isinstance(a, tuple):
        parts = [map_aggregate(x, fn) for x in a]
        return type(a)(*parts) if hasattr(a, "_fields") else tuple(parts)
    if isinstance(a, list):
        return [map_aggregate(x, fn) for x in a]
    if isinstance(a, dict):
        return {k: map_aggregate(v, fn) for k, v in a.items()}
    if isinstance(a, slice):
        return slice(*(map_aggregate(x, fn) for x in (a.start, a.stop, a.step)))
    return fn(a)


def map_arg(a: Any, fn: Callable[[Node], Any]) -> Any:
    """The value with `fn` applied to every node in it."""
    if not callable(fn):
        raise AssertionError(f"torch.fx.map_arg: expected a function, got {fn!r}.")
    return map_aggregate(a, lambda x: fn(x) if isinstance(x, Node) else x)


@functools.cache
def _public_names() -> dict[int, str]:
    """The dotted name under ``torch`` of every public function."""
    overrides.cover()  # it exchanges functions for others; names are those of the later ones
    torch = importlib.import_module("flambeau")
    names: dict[int, str] = {id(torch._assert): "torch._assert"}
    for room in ("", "functional", "nn.functional", "linalg", "fft", "special", "Tensor"):
        path = f"torch.{room}" if room else "torch"
        if room == "Tensor":
            owner: Any = Tensor
        else:
            owner = importlib.import_module(f"flambeau.{room}" if room else "flambeau")
        listed = getattr(owner, "__all__", None) if room == "functional" else None
        for name in listed or dir(owner):
            value = getattr(owner, name, None)
            if name.startswith("_") or not callable(value):
                continue
            if room == "functional":  # it may hold the function from before the exchange
                for each in (value, getattr(torch, name, value)):
                    names[id(each)] = f"{path}.{name}"
            while value is not None:  # what handlers are shown, and what that wraps
                names.setdefault(id(value), f"{path}.{name}")
                value = getattr(value, "__wrapped__", None)
    return names


def qualified_name(function: Any) -> str:
    """The dotted name by which a function can be reached: ``torch.nn.functional.relu``."""
    name = getattr(function, "__name__", type(function).__name__)
    if hasattr(function, "overloadpacket"):
        return f"torch.ops.{function}"
    if getattr(builtins, name, None) is function:
        return name
    inner = function
    while inner is not None:
        public = _public_names().get(id(inner))
        if public is not None:
            return public
        inner = getattr(inner, "__wrapped__", None)
    module = str(getattr(function, "__module__", "")).replace("_operator", "operator")
    if module.startswith("flambeau"):
        module = "torch" + module[len("flambeau") :]
    return f"{module}.{name}"


class Node:
    """One call.

    Attributes:
        op: placeholder (an input), get_attr, call_function, call_module, call_method or output.
        target: the function, or the name of the attribute, module, method or input.
        args, kwargs: what it is called with; nodes stand for their results.
        users: the nodes that take this one's result, in the order they came.
        meta: for passes to keep what they find.
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
        if op not in OPS:
            raise AssertionError(f"Node: op is one of {OPS}, got {op!r}.")
        if op == "call_function" and not callable(target):
            raise ValueError(f"Node: a call_function needs a function to call, got {target!r}.")
        if op not in ("call_function", "root") and not isinstance(target, str):
            raise ValueError(f"Node: the target of {op} is a name, got {target!r}.")
        self.graph, self.name, self.op, self.target = graph, name, op, target
        self.type = return_type
        self.users: dict[Node, None] = {}
        self._inputs: dict[Node, None] = {}
        self._args: tuple[Any, ...] = ()
        self._kwargs: dict[str, Any] = {}
        self._set(args, kwargs)
        self._prev = self._next = self
        self._erased = False
        self.meta: dict[str, Any] = {}

    def _set(self, args: Any, kwargs: Any) -> None:
        for old in self._inputs:
            old.users.pop(self, None)
        self._inputs = {}

        def note(node: Node) -> Node:
            self._inputs[node] = None
            node.users[self] = None
            return node

        self._args = tuple(map_arg(tuple(args), note))
        self._kwargs = map_arg(dict(kwargs), note)

    @property
    def args(self) -> tuple[Any, ...]:
        return self._args

    @args.setter
    def args(self, value: tuple[Any, ...]) -> None:
        self._set(value, self._kwargs)

    @property
    def kwargs(self) -> dict[str, Any]:
        return self._kwargs

    @kwargs.setter
    def kwargs(self, value: dict[str, Any]) -> None:
        self._set(self._args, value)

    @property
    def next(self) -> Node:
        """The node after this one."""
        return self._next

    @property
    def prev(self) -> Node:
        """The node before this one."""
        return self._prev

    @property
    def all_input_nodes(self) -> list[Node]:
        """The nodes among the arguments, each once."""
        return list(self._inputs)

    @property
    def stack_trace(self) -> str | None:
        """Where the call was written, if the tracer noted it."""
        return self.meta.get("stack_trace")

    @stack_trace.setter
    def stack_trace(self, trace: str | None) -> None:
        self.meta["stack_trace"] = trace

    def _unlink(self) -> None:
        self._prev._next, self._next._prev = self._next, self._prev

    def prepend(self, x: Node) -> None:
        """Move `x` to the place before this node."""
        if x.graph is not self.graph:
            raise AssertionError("Node.prepend: the nodes belong to different graphs.")
        if x is self:
            return
        x._unlink()
        before = self._prev
        before._next, x._prev = x, before
        x._next, self._prev = self, x

    def append(self, x: Node) -> None:
        """Move `x` to the place after this node."""
        self._next.prepend(x)

    def update_arg(self, idx: int, arg: Any) -> None:
        """Set one positional argument."""
        args = list(self.args)
        args[idx] = arg
        self.args = tuple(args)

    def insert_arg(self, idx: int, arg: Any) -> None:
        """Put a positional argument before the `idx`-th."""
        if not 0 <= idx <= len(self.args):
            raise AssertionError("insert_args index must be between 0 and len(self.args)")
        self.args = (*self.args[:idx], arg, *self.args[idx:])

    def update_kwarg(self, key: str, arg: Any) -> None:
        """Set one argument by name."""
        self.kwargs = {**self.kwargs, key: arg}

    def replace_input_with(self, old_input: Node, new_input: Node) -> None:
        """Take `new_input`'s result where `old_input`'s was taken."""
        args, kwargs = map_arg(
            (self.args, self.kwargs), lambda n: new_input if n is old_input else n
        )
        self._set(args, kwargs)

    def replace_all_uses_with(
        self,
        replace_with: Node,
        delete_user_cb: Callable[[Node], bool] | None = None,
        *,
        propagate_meta: bool = False,
    ) -> list[Node]:
        """Let every user that `delete_user_cb` allows take `replace_with`'s result; gives the users
        changed.
        """
        if propagate_meta:
            replace_with.meta.update(self.meta)
        changed = [user for user in list(self.users) if not delete_user_cb or delete_user_cb(user)]
        for user in changed:
            user.replace_input_with(self, replace_with)
        return changed

    def is_impure(self, impure_random: bool = True) -> bool:
        """Whether the call counts even where nothing uses its result."""
        if self.op in ("placeholder", "output"):
            return True
        if self.op == "call_function":
            name = getattr(self.target, "__name__", "")
            return self.target in EFFECTS or (name.endswith("_") and not name.endswith("__"))
        if self.op == "call_module":
            owner = self.graph.owning_module
            return owner is not None and getattr(
                owner.get_submodule(self.target), "is_impure", False
            )
        return False

    def _target_text(self) -> str:
        if isinstance(self.target, str):
            return self.target
        name = qualified_name(self.target)
        return f"builtins.{name}" if "." not in name else name

    def format_node(
        self,
        placeholder_names: list[str] | None = None,
        maybe_return_typename: list[str] | None = None,
        *,
        include_tensor_metadata: bool = False,
    ) -> str | None:
        """The node as a line of the printed graph; lists given collect the names of inputs."""
        kind = f" : {_type_text(self.type)}" if self.type is not None else ""
        if self.op == "placeholder":
            if placeholder_names is not None:
                placeholder_names.append(self.target + kind.replace(" : ", ": "))
            default = f"(default={self.args[0]})" if self.args else ""
            text = f"placeholder[target={self.target}]{default}"
        elif self.op == "get_attr":
            text = f"get_attr[target={self.target}]"
        elif self.op == "output":
            if self.type is not None and maybe_return_typename is not None:
                maybe_return_typename[0] = f" -> {_type_text(self.type)}"
            return f"return {self.args[0]}"
        else:
            args, kwargs = _texts(self.args), _texts(self.kwargs)
            text = f"{self.op}[target={self._target_text()}](args = {args}, kwargs = {kwargs})"
        return (
            f"%{self.name} : {kind[3:] + ' ' if kind else ''}[num_users={len(self.users)}] = {text}"
        )

    def __repr__(self) -> str:
        return self.name

    def __lt__(self, other: Node) -> bool:
        order = {node: k for k, node in enumerate(self.graph.nodes)}
        return order[self] < order[other]


def _type_text(kind: Any) -> str:
    if getattr(kind, "__module__", None) == "builtins":
        return str(kind.__name__)
    return qualified_name(kind) if isinstance(kind, type) else str(kind)


def _texts(value: Any) -> str:
    if isinstance(value, Node):
        return f"%{value.name}"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(_texts, value)) + ("," if len(value) == 1 else "") + ")"
    if isinstance(value, list):
        return "[" + ", ".join(map(_texts, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {_texts(v)}" for k, v in value.items()) + "}"
    return str(value).replace("flambeau.", "torch.")
