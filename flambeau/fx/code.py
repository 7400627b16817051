"""Python code of a graph: a ``forward`` that does what its nodes say.

Stands on node and names.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import flambeau
from flambeau.fx.names import Namespace, public_name
from flambeau.fx.node import Node, map_arg

if TYPE_CHECKING:
    from flambeau.fx.graph import Graph

__all__ = ["PythonCode", "python_code"]

OPERATORS = {
    "add": "{} + {}",
    "floordiv": "{} // {}",
    "mul": "{} * {}",
    "mod": "{} % {}",
    "sub": "{} - {}",
    "truediv": "{} / {}",
    "lshift": "{} << {}",
    "rshift": "{} >> {}",
    "and_": "{} & {}",
    "or_": "{} | {}",
    "xor": "{} ^ {}",
    "pow": "{} ** {}",
    "matmul": "{} @ {}",
    "eq": "{} == {}",
    "ne": "{} != {}",
    "lt": "{} < {}",
    "gt": "{} > {}",
    "le": "{} <= {}",
    "ge": "{} >= {}",
    "getitem": "{}[{}]",
    "pos": "+{}",
    "neg": "-{}",
    "invert": "~{}",
}
AUGMENTED = {
    f"i{name.rstrip('_')}": text.replace("{} ", "", 1).replace(" {}", "")
    for name, text in OPERATORS.items()
    if text.count("{}") == 2 and name not in ("getitem", "eq", "ne", "lt", "gt", "le", "ge")
}


class PythonCode(NamedTuple):
    """The source of ``forward`` and what its global names are."""

    src: str
    globals: dict[str, Any]


class _Writer:
    """Writes nodes as lines; notes the globals that they use."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.globals: dict[str, Any] = {}
        self.names = Namespace()

    def shared(self, hint: str, value: Any) -> str:
        """The global name of an object."""
        if getattr(value, "__module__", None) == "builtins" and hint.startswith("builtins."):
            return hint.removeprefix("builtins.")
        if hint.startswith("torch."):
            self.globals["torch"] = flambeau
            return hint
        if hint.startswith("operator."):
            import operator

            self.globals["operator"] = operator
            return hint
        for name, known in self.globals.items():
            if known is value:
                return name
        name = self.names.create(hint.replace(".", "_"))
        self.globals[name] = value
        return name

    def arg(self, value: Any) -> str:
        """An argument as an expression."""
        if isinstance(value, Node):
            return value.name
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return f"{self.shared(type(value).__qualname__, type(value))}{self.tuple(value)}"
        if isinstance(value, tuple):
            return self.tuple(value)
        if isinstance(value, list):
            return f"[{', '.join(map(self.arg, value))}]"
        if isinstance(value, dict):
            return "{" + ", ".join(f"{key!r}: {self.arg(x)}" for key, x in value.items()) + "}"
        if isinstance(value, slice):
            return f"slice({self.arg(value.start)}, {self.arg(value.stop)}, {self.arg(value.step)})"
        if isinstance(value, enum.Enum):
            return f"{self.shared(type(value).__qualname__, type(value))}.{value.name}"
        if isinstance(value, float) and not math.isfinite(value):
            return f"float('{value}')"
        if isinstance(value, (flambeau.dtype, flambeau.layout, flambeau.memory_format)):
            self.globals["torch"] = flambeau
            return repr(value)
        if isinstance(value, flambeau.device):
            self.globals["device"] = flambeau.device
            return repr(value)
        if callable(value):
            return self.shared(public_name(value), value)
        return repr(value)

    def tuple(self, values: Iterable[Any]) -> str:
        """A tuple as an expression."""
        parts = [self.arg(each) for each in values]
        return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"

    def call(self, args: Iterable[Any], kwargs: dict[str, Any]) -> str:
        """What stands between a call's parentheses."""
        named = [f"{key} = {self.arg(value)}" for key, value in kwargs.items()]
        return ", ".join([*map(self.arg, args), *named])

    def path(self, target: str) -> str:
        """A dotted attribute of the root as an expression."""
        found = self.root
        for part in target.split("."):
            found = f"{found}.{part}" if part.isidentifier() else f'getattr({found}, "{part}")'
        return found

    def line(self, node: Node) -> str:
        """A node as a statement."""
        if node.op == "output":
            return f"return {self.arg(node.args[0])}"
        if node.op == "get_attr":
            return f"{node.name} = {self.path(node.target)}"
        if node.op == "call_module":
            return f"{node.name} = {self.path(node.target)}({self.call(node.args, node.kwargs)})"
        if node.op == "call_method":
            receiver = self.arg(node.args[0])
            inside = self.call(node.args[1:], node.kwargs)
            return f"{node.name} = {receiver}.{node.target}({inside})"
        name = public_name(node.target)
        short = name.removeprefix("operator.")
        if name.startswith("operator.") and not node.kwargs:
            if short in OPERATORS:
                return f"{node.name} = {OPERATORS[short].format(*map(self.arg, node.args))}"
            if short in AUGMENTED:
                first, second = map(self.arg, node.args)
                return f"{first} {AUGMENTED[short]}= {second};  {node.name} = {first}"
        if name == "builtins.getattr" and len(node.args) == 2 and str(node.args[1]).isidentifier():
            return f"{node.name} = {self.arg(node.args[0])}.{node.args[1]}"
        target = self.shared(name, node.target)
        return f"{node.name} = {target}({self.call(node.args, node.kwargs)})"


def _last_uses(nodes: list[Node]) -> dict[Node, list[Node]]:
    """Which values are read for the last time in each node."""
    seen: set[Node] = set()
    found: dict[Node, list[Node]] = {}

    def note(read: Node, user: Node) -> Node:
        if read not in seen:
            seen.add(read)
            found.setdefault(user, []).append(read)
        return read

    for node in reversed(nodes):
        reader: Callable[[Node], Node] = lambda read, user=node: note(read, user)  # type: ignore[misc]
        map_arg(node.args, reader)
        map_arg(node.kwargs, reader)
    return found


def python_code(graph: Graph, root: str = "self") -> PythonCode:
    """The code of a graph; values are dropped after their last use, so memory is freed."""
    nodes = list(graph.nodes)
    writer = _Writer(root)
    for node in nodes:
        writer.names.take(node.name)
    last = _last_uses(nodes)
    parameters, body, wrapped = [], [], []
    for node in nodes:
        if node.op == "placeholder":
            default = f" = {writer.arg(node.args[0])}" if node.args else ""
            parameters.append(f"{node.target}{default}")
            bare = node.target.lstrip("*")
            if node.name != bare:
                body.append(f"{node.name} = {bare}")
            continue
        line = writer.line(node)
        if node.meta.get("is_wrapped"):
            writer.globals["torch"] = flambeau
            wrapped.append(writer.shared(public_name(node.target), node.target))
        if node.op != "output":
            done = last.get(node, []) + ([] if node.users else [node])
            if done:
                line += f";  {' = '.join([each.name for each in done] + ['None'])}"
        body.append(line)
    head = "\n".join(f'torch.fx._symbolic_trace.wrap("{name}")' for name in dict.fromkeys(wrapped))
    lines = "\n".join(f"    {line}" for line in body or ["pass"])
    listed = ", ".join([root, *parameters])
    return PythonCode(f"\n{head}\n\ndef forward({listed}):\n{lines}\n    ", writer.globals)
