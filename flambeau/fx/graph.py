"""`Graph`: nodes in the order they run; builds, moves, erases and copies them."""

from __future__ import annotations

import builtins
import inspect
import keyword
import re
from collections.abc import Callable, Iterator
from typing import Any

from flambeau.fx.codegen import PythonCode, python_code
from flambeau.fx.node import Node, map_arg, qualified_name

__all__ = ["CodeGen", "Graph"]

TAKEN = frozenset((*dir(builtins), *keyword.kwlist, "torch", "device", "inf", "nan", "NoneType"))
NUMBERED = re.compile(r"(.*?)_(\d+)$")


class _Namespace:
    """Names already given."""

    def __init__(self) -> None:
        self._used: set[str] = set()
        self._counts: dict[str, int] = {}

    def create_name(self, candidate: str, obj: Any = None) -> str:
        """The candidate, made an identifier, with a number where it is taken."""
        name = re.sub(r"[^0-9a-zA-Z_]+", "_", candidate) or "_unnamed"
        if name[0].isdigit():
            name = f"_{name}"
        match = NUMBERED.match(name)
        base, number = (match[1], int(match[2])) if match else (name, None)
        if number is None or name in self._used:
            number = self._counts.get(base, 0)
        while name in self._used or name in TAKEN:
            number += 1
            name = f"{base}_{number}"
        self._used.add(name)
        self._counts[base] = number
        return name


class CodeGen:
    """Writes a graph as Python. Subclasses may change the text of a graph that was given one by
    `Graph.set_codegen`."""

    def python_code(self, graph: Graph, root: str) -> PythonCode:
        """The text of the method, and the names it needs."""
        return python_code(graph, root)

    def process_inputs(self, *args: Any) -> Any:
        """What the graph is given, from what the caller gave."""
        return args

    def process_outputs(self, outputs: Any) -> Any:
        """What the caller gets, from what the graph gives."""
        return outputs


class _Nodes:
    """The nodes of a graph from the first to the last; `reversed` from the last."""

    def __init__(self, graph: Graph, step: str = "_next") -> None:
        self._graph, self._step = graph, step

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[Node]:
        root = self._graph._root
        node = getattr(root, self._step)
        while node is not root:
            if not node._erased:
                yield node
            node = getattr(node, self._step)

    def __reversed__(self) -> Iterator[Node]:
        return iter(_Nodes(self._graph, "_prev" if self._step == "_next" else "_next"))


class _At:
    """Where new nodes go, in a ``with`` block or from now on."""

    def __init__(self, graph: Graph, before: Node) -> None:
        self._graph, self._old = graph, graph._before
        graph._before = before

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        self._graph._before = self._old


class Graph:
    """Calls in order.

    Args:
        owning_module: the GraphModule whose program it is.
        tracer_cls: the class of the tracer that made it.
    """

    def __init__(
        self,
        owning_module: Any = None,
        tracer_cls: Any = None,
        tracer_extras: dict[str, Any] | None = None,
    ) -> None:
        self._root = Node(self, "", "root", "", (), {})
        self._before = self._root
        self._graph_namespace = _Namespace()
        self._owners = 0
        self._codegen = CodeGen()
        self.owning_module = owning_module
        self._tracer_cls, self._tracer_extras = tracer_cls, tracer_extras

    @property
    def nodes(self) -> _Nodes:
        """All nodes in order."""
        return _Nodes(self)

    def output_node(self) -> Node:
        """The node that says what is returned."""
        return next(n for n in reversed(self.nodes) if n.op == "output")

    def find_nodes(self, *, op: str, target: Any = None, sort: bool = True) -> list[Node]:
        """The nodes of one kind and target, in order."""
        if op == "call_function" and target is None:
            raise AssertionError("Graph.find_nodes: name the function: target=...")
        return [n for n in self.nodes if n.op == op and (target is None or n.target == target)]

    def inserting_before(self, n: Node | None = None) -> _At:
        """New nodes go before `n`; without it, to the start."""
        return _At(self, self._root._next if n is None else n)

    def inserting_after(self, n: Node | None = None) -> _At:
        """New nodes go after `n`; without it, to the end."""
        return _At(self, self._root if n is None else n._next)

    def create_node(
        self,
        op: str,
        target: Any,
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
        name: str | None = None,
        type_expr: Any = None,
    ) -> Node:
        """A node at the place where new nodes go."""
        if op not in ("call_function", "call_method", "get_attr", "call_module", "placeholder",
                      "output"):  # fmt: skip
            raise AssertionError(f"Graph.create_node: unknown op {op!r}.")
        candidate = name if name is not None else self._candidate(target)
        node = Node(
            self,
            self._graph_namespace.create_name(candidate),
            op,
            target,
            args or (),
            kwargs or {},
            type_expr,
        )
        self._before.prepend(node)
        return node

    @staticmethod
    def _candidate(target: Any) -> str:
        name = target if isinstance(target, str) else getattr(target, "__name__", "call")
        name = re.sub(r"[*.]+", "_", name)
        if name.startswith("__") and name.endswith("__"):
            name = name[2:-2]
        return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()

    def placeholder(
        self, name: str, type_expr: Any = None, default_value: Any = inspect.Parameter.empty
    ) -> Node:
        """An input.

        Args:
            default_value: what it is when the caller does not say.
        """
        args = () if default_value is inspect.Parameter.empty else (default_value,)
        return self.create_node("placeholder", name, args, {}, type_expr=type_expr)

    def get_attr(self, qualified_name: str, type_expr: Any = None) -> Node:
        """A parameter, buffer or other attribute of the module."""
        return self.create_node("get_attr", qualified_name, (), {}, type_expr=type_expr)

    def call_module(
        self, module_name: str, args: Any = None, kwargs: Any = None, type_expr: Any = None
    ) -> Node:
        """A call of a submodule."""
        return self.create_node("call_module", module_name, args, kwargs, type_expr=type_expr)

    def call_method(
        self, method_name: str, args: Any = None, kwargs: Any = None, type_expr: Any = None
    ) -> Node:
        """A call of a method of the first argument."""
        return self.create_node("call_method", method_name, args, kwargs, type_expr=type_expr)

    def call_function(
        self,
        the_function: Callable[..., Any],
        args: Any = None,
        kwargs: Any = None,
        type_expr: Any = None,
        name: str | None = None,
    ) -> Node:
        """A call of a function."""
        return self.create_node(
            "call_function", the_function, args, kwargs, name=name, type_expr=type_expr
        )

    def output(self, result: Any, type_expr: Any = None) -> Node:
        """What the program returns."""
        return self.create_node("output", "output", (result,), {}, type_expr=type_expr)

    def node_copy(self, node: Node, arg_transform: Callable[[Node], Any] = lambda x: x) -> Node:
        """A node like one of another graph, its inputs translated by `arg_transform`."""
        args, kwargs = map_arg((node.args, node.kwargs), arg_transform)
        made = self.create_node(node.op, node.target, args, kwargs, node.name, node.type)
        made.meta = dict(node.meta)
        return made

    def graph_copy(
        self, g: Graph, val_map: dict[Node, Any], return_output_node: bool = False
    ) -> Any:
        """Copy all nodes of `g` here; `val_map` says, and learns, what stands for them.

        Returns:
            What `g` returns, in this graph's nodes.
        """
        for node in g.nodes:
            if node in val_map:
                continue
            if node.op == "output":
                result = map_arg(node.args[0], lambda n: val_map[n])
                return (result, node) if return_output_node else result
            val_map[node] = self.node_copy(node, lambda n: val_map[n])
        return None

    def __deepcopy__(self, memo: Any = None) -> Graph:
        made = Graph(tracer_cls=self._tracer_cls)
        result = made.graph_copy(self, {}, return_output_node=True)
        if result is not None:
            made.output(result[0], result[1].type)
        return made

    def erase_node(self, to_erase: Node) -> None:
        """Take out a node that nothing uses.

        Raises:
            RuntimeError: it has users.
        """
        if to_erase.users:
            raise RuntimeError(
                f"Tried to erase Node {to_erase} but it still had {len(to_erase.users)} users in "
                f"the graph: {to_erase.users}!"
            )
        if to_erase._erased:
            return
        to_erase._unlink()
        to_erase._erased = True
        if self._before is to_erase:
            self._before = to_erase._next
        to_erase._set((), {})

    def eliminate_dead_code(self, is_impure_node: Callable[[Node], bool] | None = None) -> bool:
        """Erase the nodes whose results nothing uses; gives whether there were any."""
        impure = is_impure_node or Node.is_impure
        changed = False
        for node in list(reversed(self.nodes)):
            if not impure(node) and not node.users:
                self.erase_node(node)
                changed = True
        return changed

    def lint(self) -> None:
        """Check that the graph is sound.

        Raises:
            RuntimeError: a node uses one that does not come before it, or belongs elsewhere, or
                there is no such attribute.
        """
        seen: set[Node] = set()
        names: set[str] = set()
        for node in self.nodes:
            if node.graph is not self:
                raise RuntimeError(f"Node '{node}' does not belong to this Graph!")
            for each in node.all_input_nodes:
                if each not in seen:
                    raise RuntimeError(
                        f"Argument '{each}' of Node '{node}' was used before it has been defined!"
                    )
            if node.name in names:
                raise RuntimeError(f"Node redefined name {node.name}!")
            seen.add(node)
            names.add(node.name)
            if self.owning_module is not None and node.op in ("get_attr", "call_module"):
                self._check_attribute(node)

    def _check_attribute(self, node: Node) -> None:
        found = self.owning_module
        for part in node.target.split("."):
            if not hasattr(found, part):
                raise RuntimeError(
                    f"Node {node} target {node.target} references nonexistent attribute {part}"
                )
            found = getattr(found, part)

    def python_code(self, root_module: str, *, verbose: bool = False, **options: Any) -> PythonCode:
        """The graph as the text of a method ``forward``, and the names it needs."""
        return self._codegen.python_code(self, root_module)

    def set_codegen(self, codegen: CodeGen) -> None:
        """Let another object write the text."""
        self._codegen = codegen

    def on_generate_code(self, make_transformer: Callable[[Any], Any]) -> Any:
        """Let a function change the text's lines.

        Args:
            make_transformer: from the function in force (or None) to the next.
        """
        before = self._codegen

        class Changed(CodeGen):
            change = staticmethod(make_transformer(getattr(before, "change", None)))

            def python_code(self, graph: Graph, root: str) -> PythonCode:
                made = python_code(graph, root)
                made.src = "".join(self.change(made.src.splitlines(keepends=True)))
                return made

        self._codegen = Changed()
        graph = self

        class Handle:
            def __enter__(self) -> None:
                pass

            def __exit__(self, *exc: object) -> None:
                graph._codegen = before

        return Handle()

    def process_inputs(self, *args: Any) -> Any:
        """What the graph is given, from what the caller gave."""
        return self._codegen.process_inputs(*args)

    def process_outputs(self, out: Any) -> Any:
        """What the caller gets, from what the graph gives."""
        return self._codegen.process_outputs(out)

    def print_tabular(self) -> None:
        """Print the nodes as a table."""
        rows = [("opcode", "name", "target", "args", "kwargs")]
        for n in self.nodes:
            target = n.target if isinstance(n.target, str) else qualified_name(n.target)
            rows.append((n.op, n.name, target, str(n.args), str(n.kwargs)))
        widths = [max(len(row[k]) for row in rows) for k in range(5)]
        rows.insert(1, tuple("-" * w for w in widths))  # type: ignore[arg-type]
        for row in rows:
            print("  ".join(f"{x:<{w}}" for x, w in zip(row, widths, strict=True)).rstrip())

    def __str__(self) -> str:
        names: list[str] = []
        kind = [""]
        lines = [n.format_node(names, kind) for n in self.nodes]
        head = f"graph({', '.join(n for n in names if ':' in n)}){kind[0]}:"
        return "\n".join([head, *(f"    {line}" for line in lines if line)])
