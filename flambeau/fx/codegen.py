"""A graph written as Python: one line a node, names released after their last use."""

from __future__ import annotations

import dataclasses
import keyword
import operator
from typing import TYPE_CHECKING, Any

from flambeau.core.device import device
from flambeau.core.dtypes import dtype
from flambeau.fx.node import Node, map_arg, qualified_name

if TYPE_CHECKING:
    from flambeau.fx.graph import Graph

__all__ = ["PythonCode", "python_code"]

INFIX = {
    "add": "{} + {}", "sub": "{} - {}", "mul": "{} * {}", "floordiv": "{} // {}",
    "truediv": "{} / {}", "mod": "{} % {}", "pow": "{} ** {}", "lshift": "{} << {}",
    "rshift": "{} >> {}", "and_": "{} & {}", "or_": "{} | {}", "xor": "{} ^ {}",
    "getitem": "{}[{}]", "matmul": "{} @ {}", "eq": "{} == {}", "ne": "{} != {}",
    "lt": "{} < {}", "gt": "{} > {}", "le": "{} <= {}", "ge": "{} >= {}", "pos": "+{}",
    "neg": "-{}", "invert": "~{}",
}  # fmt: skip
IN_PLACE = {
    "iadd": "+=", "iand": "&=", "ifloordiv": "//=", "ilshift": "<<=", "imod": "%=", "imul": "*=",
    "imatmul": "@=", "ior": "|=", "ipow": "**=", "irshift": ">>=", "isub": "-=",
    "itruediv": "/=", "ixor": "^=", "setitem": "[{}]=",
}  # fmt: skip


@dataclasses.dataclass
class PythonCode:
    """The text, and the names it needs around it."""

    src: str
    globals: dict[str, Any]


class _Writer:
    def __init__(self, root: str) -> None:
        self.root = root
        self.globals: dict[str, Any] = {}
        self.wrapped: dict[str, None] = {}

    def name(self, function: Any) -> str:
        """What the text calls a function, type or dtype; it is there when the text runs."""
        path = qualified_name(function)
        if "." not in path:
            return path
        if path.startswith("torch."):
            import flambeau

            self.globals["torch"] = flambeau
            return path
        flat = path.replace(".", "_").replace("<", "_").replace(">", "_")
        self.globals[flat] = function
        return flat

    def annotation(self, kind: Any) -> str:
        if kind is None or kind is type(None):
            return "None"
        if isinstance(kind, type) and kind.__module__ == "builtins":
            return kind.__name__
        if isinstance(kind, str):
            return kind
        return self.name(kind) if isinstance(kind, type) else repr(kind)

    def value(self, x: Any) -> str:
        if isinstance(x, Node):
            return x.name
        if isinstance(x, tuple) and hasattr(x, "_fields"):
            return f"{self.name(type(x))}({', '.join(map(self.value, x))})"
        if isinstance(x, tuple):
            return f"({', '.join(map(self.value, x))}{',' if len(x) == 1 else ''})"
        if isinstance(x, list):
            return f"[{', '.join(map(self.value, x))}]"
        if isinstance(x, dict):
            return "{" + ", ".join(f"{k!r}: {self.value(v)}" for k, v in x.items()) + "}"
        if isinstance(x, slice):
            return f"slice({self.value(x.start)}, {self.value(x.stop)}, {self.value(x.step)})"
        if isinstance(x, dtype):
            import flambeau

            self.globals["torch"] = flambeau
            return str(x)
        if isinstance(x, device):
            self.globals["device"] = device
        if isinstance(x, float) and repr(x) in ("inf", "-inf", "nan"):
            self.globals.update(inf=float("inf"), nan=float("nan"))
        if callable(x) and hasattr(x, "__name__"):
            return self.name(x)
        return repr(x)

    def arguments(self, args: Any, kwargs: Any) -> str:
        named = [f"{k} = {self.value(v)}" for k, v in kwargs.items()]
        return ", ".join([*map(self.value, args), *named])

    def attribute(self, path: str) -> str:
        found = self.root
        for part in path.split("."):
            plain = part.isidentifier() and not keyword.iskeyword(part)
            found = f"{found}.{part}" if plain else f'getattr({found}, "{part}")'
        return found

    def call(self, node: Node) -> str:
        """The right-hand side of a node's line, or the whole statement where it begins with the
        node's name."""
        args, kwargs = node.args, node.kwargs
        if node.op == "call_module":
            return f"{self.attribute(node.target)}({self.arguments(args, kwargs)})"
        if node.op == "get_attr":
            return self.attribute(node.target)
        if node.op == "call_method":
            return f"{self.value(args[0])}.{node.target}({self.arguments(args[1:], kwargs)})"
        target = node.target
        short = getattr(target, "__name__", "")
        if getattr(operator, short, None) is target and not kwargs:
            if short in INFIX:
                return INFIX[short].format(*map(self.value, args))
            if short == "setitem":
                key = self.value(args[1])
                return f"{self.value(args[0])}[{key}] = {self.value(args[2])}"
        if target is getattr and len(args) == 2 and str(args[1]).isidentifier():
            return f"{self.value(args[0])}.{args[1]}"
        called = self.name(target)
        if node.meta.get("is_wrapped"):
            import flambeau

            self.wrapped[called] = None
            self.globals["torch"] = flambeau
        return f"{called}({self.arguments(args, kwargs)})"


def _last_uses(nodes: list[Node]) -> dict[Node, list[Node]]:
    """Which names each node is the last to use."""
    seen: set[Node] = set()
    dead: dict[Node, list[Node]] = {}

    for user in reversed(nodes):

        def note(n: Node, user: Node = user) -> Node:
            if n not in seen:
                seen.add(n)
                dead.setdefault(user, []).append(n)
            return n

        map_arg((user.args, user.kwargs), note)
    return dead


def python_code(graph: Graph, root: str) -> PythonCode:
    """The graph as the text of a method ``forward``."""
    writer = _Writer(root)
    nodes = list(graph.nodes)
    dead = _last_uses(nodes)
    parameters: list[str] = []
    lines: list[str] = []
    returned = ""
    for node in nodes:
        note = f" : {writer.annotation(node.type)}" if node.type is not None else ""
        if node.op == "placeholder":
            default = f" = {writer.value(node.args[0])}" if node.args else ""
            parameters.append(f"{node.target}{note}{default}")
            bare = node.target.replace("*", "")
            if bare != node.name:
                lines.append(f"{node.name} = {bare}")
            continue
        if node.op == "output":
            if node.type is not None:
                returned = f" -> {writer.annotation(node.type)}"
            lines.append(f"return {writer.value(node.args[0])}")
            continue
        short = getattr(node.target, "__name__", "")
        if node.op == "call_function" and short in IN_PLACE and short != "setitem":
            first, second = map(writer.value, node.args)
            text = f"{node.name} = {first};  {node.name} {IN_PLACE[short]} {second}"
        else:
            text = f"{node.name}{note} = {writer.call(node)}"
        gone = [n.name for n in dead.get(node, ())] + ([] if node.users else [node.name])
        lines.append(text + (f";  {' = '.join(gone)} = None" if gone else ""))
    body = "\n".join(f"    {line}" for line in lines) or "    pass"
    head = "\n".join(f'torch.fx._symbolic_trace.wrap("{name}")' for name in writer.wrapped)
    parameters = [root, *parameters] if root else parameters
    text = f"\n{head}\n\ndef forward({', '.join(parameters)}){returned}:\n{body}\n    "
    return PythonCode(text, writer.globals)
