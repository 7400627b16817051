"""A graph: nodes in the order in which they run, made, moved, copied and removed.

Stands on node, names and code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flambeau.core.errors import fail
from flambeau.fx.code import PythonCode, python_code
from flambeau.fx.names import Namespace, snake
from flambeau.fx.node import Node, map_arg

__all__ = ["Graph"]


class _Nodes:
    """The nodes in order, while they may change."""

    def __init__(self, graph: Graph, backwards: bool = False) -> None:
        self.graph = graph
        self.backwards = backwards

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[Node]:
        root = self.graph._root
        node = root._prev if self.backwards else root._next
        while node is not root:
            following = node._prev if self.backwards else node._next
            if not node._erased:
                yield node
            node = following if node._erased else (node._prev if self.backwards else node._next)

    def __reversed__(self) -> _Nodes:
        return _Nodes(self.graph, not self.backwards)


class Graph:
    """Steps of a program: inputs, calls, an output.

    Args:
        owning_module: the GraphModule that it belongs to.
        tracer_cls: the class of the tracer that made it.
    """

    def __init__(
        self, owning_module: Any = None, tracer_cls: Any = None, tracer_extras: Any = None
    ) -> None:
        self.owning_module = owning_module
        self._tracer_cls = tracer_cls
        self._tracer_extras = tracer_extras
        self._names = Namespace()
        self._root = Node(self, "", "get_attr", "", (), {})
        self._at: Callable[[Node], None] = self._root.prepend

    @property
    def nodes(self) -> _Nodes:
        """The nodes in the order in which they run."""
        return _Nodes(self)

    # making nodes

    def create_node(
        self,
        op: str,
        target: Any,
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
        name: str | None = None,
        type_expr: Any = None,
    ) -> Node:
        """A new node at the place of insertion: the end, or what `inserting_before` says.

        Raises:
            AssertionError: no such `op`.
            ValueError: a target that does not suit it.
        """
        hint = name or self._hint(op, target)
        made = Node(self, self._names.create(hint), op, target, args or (), kwargs or {}, type_expr)
        self._at(made)
        return made

    @staticmethod
    def _hint(op: str, target: Any) -> str:
        if op == "call_function":
            target = getattr(target, "__name__", type(target).__name__)
        text = str(target).replace(".", "_")
        if text.startswith("__") and text.endswith("__"):
            text = text[2:-2]
        return text if op == "placeholder" else snake(text)

    def placeholder(self, name: str, type_expr: Any = None, default_value: Any = ...) -> Node:
        """An input; ``*name`` and ``**name`` take the rest."""
        args = () if default_value is ... else (default_value,)
        return self.create_node("placeholder", name, args, type_expr=type_expr)

    def get_attr(self, qualified_name: str, type_expr: Any = None) -> Node:
        """A parameter, buffer or module of the owner, by its dotted name."""
        return self.create_node("get_attr", qualified_name, type_expr=type_expr)

    def call_function(
        self,
        the_function: Callable[..., Any],
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
        type_expr: Any = None,
        name: str | None = None,
    ) -> Node:
        """A call of a function."""
        return self.create_node("call_function", the_function, args, kwargs, name, type_expr)

    def call_method(
        self,
        method_name: str,
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
        type_expr: Any = None,
    ) -> Node:
        """A call of a method of the first argument."""
        return self.create_node("call_method", method_name, args, kwargs, type_expr=type_expr)

    def call_module(
        self,
        module_name: str,
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
        type_expr: Any = None,
    ) -> Node:
        """A call of a module of the owner, by its dotted name."""
        return self.create_node("call_module", module_name, args, kwargs, type_expr=type_expr)

    def output(self, result: Any, type_expr: Any = None) -> Node:
        """What the program gives."""
        return self.create_node("output", "output", (result,), type_expr=type_expr)

    # places

    @contextmanager
    def _inserting(self, at: Callable[[Node], None]) -> Iterator[None]:
        before, self._at = self._at, at
        try:
            yield
        finally:
            self._at = before

    def inserting_before(self, n: Node | None = None) -> Any:
        """The block in which new nodes stand before `n`; None is the graph's beginning."""
        if n is None:
            return self.inserting_after(self._root)
        self._check_mine(n, "inserting_before")
        return self._inserting(n.prepend)

    def inserting_after(self, n: Node | None = None) -> Any:
        """The block in which each new node is put directly after `n`; None is the end."""
        if n is None:
            return self.inserting_before(self._root)
        self._check_mine(n, "inserting_after")
        return self._inserting(n.append)

    def _check_mine(self, node: Node, where: str) -> None:
        if node.graph is not self:
            raise fail(AssertionError, f"fx.Graph.{where}", f"{where}: the node is another graph's")

    def erase_node(self, to_erase: Node) -> None:
        """Remove a node that nobody reads.

        Raises:
            RuntimeError: somebody reads it, or it is another graph's.
        """
        if to_erase.users:
            raise fail(
                RuntimeError,
                "fx.Graph.erase_node",
                f"Tried to erase Node {to_erase} but it still had {len(to_erase.users)} users in "
                f"the graph: {to_erase.users}!",
            )
        if to_erase.graph is not self:
            raise fail(
                RuntimeError, "fx.Graph.erase_node", f"{to_erase} is a node of another graph"
            )
        if to_erase._erased:
            return
        to_erase._set((), {})
        following, before = to_erase._next, to_erase._prev
        to_erase._leave()
        to_erase._next, to_erase._prev = following, before
        to_erase._erased = True

    # copies

    def node_copy(self, node: Node, arg_transform: Callable[[Node], Any] = lambda x: x) -> Node:
        """A copy of another graph's node; `arg_transform` says what each node is here."""
        args = map_arg(node.args, arg_transform)
        kwargs = map_arg(node.kwargs, arg_transform)
        made = self.create_node(node.op, node.target, args, kwargs, node.name, node.type)
        made.meta = dict(node.meta)
        return made

    def graph_copy(
        self, g: Graph, val_map: dict[Node, Node], return_output_node: bool = False
    ) -> Any:
        """Copy another graph's nodes to here; what its output reads, None without an output.

        Args:
            g: the other graph.
            val_map: filled with which node here is which there; those in it are not copied.
            return_output_node: give the output node there as well.
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
        places: dict[Node, Node] = {}
        found = made.graph_copy(self, places, return_output_node=True)
        if isinstance(found, tuple):
            result, old = found
            made.output(result, old.type).meta = dict(old.meta)
        return made

    # cleaning and checking

    def find_nodes(self, *, op: str, target: Any = None, sort: bool = True) -> list[Node]:
        """The nodes of this kind, and target if one is given, in order."""
        return [n for n in self.nodes if n.op == op and (target is None or n.target == target)]

    def output_node(self) -> Node:
        """The output."""
        return self.find_nodes(op="output")[-1]

    def eliminate_dead_code(self, is_impure_node: Callable[[Node], bool] | None = None) -> bool:
        """Remove what nobody reads and what does nothing else; whether anything was."""
        self.lint()
        impure = is_impure_node or Node.is_impure
        changed = False
        for node in reversed(list(self.nodes)):
            if not node.users and not impure(node):
                self.erase_node(node)
                changed = True
        return changed

    def lint(self) -> None:
        """Check that every node reads nodes before it, that names are unique and targets exist.

        Raises:
            RuntimeError: a node read before it runs, or another graph's; a name twice; a target
                that the owning module lacks.
        """
        seen: set[Node] = set()
        names: set[str] = set()

        def check(read: Node, user: Node) -> None:
            if read.graph is not self:
                raise self._wrong(f"{user} reads {read}, a node of another graph")
            if read not in seen:
                raise self._wrong(
                    f"Argument '{read}' of Node '{user}' was used before it has been defined! "
                    f"Please check that Nodes in the graph are topologically ordered\n{self}"
                )

        for node in self.nodes:
            for read in node.all_input_nodes:
                check(read, node)
            if node.name in names:
                raise self._wrong(f"Node redefined name {node.name}!")
            seen.add(node)
            names.add(node.name)
            if self.owning_module is not None and node.op in ("get_attr", "call_module"):
                place = self.owning_module
                for part in node.target.split("."):
                    if not hasattr(place, part):
                        raise self._wrong(
                            f"Node {node} target {node.target} references nonexistent attribute "
                            f"{part} of {type(place).__name__}"
                        )
                    place = getattr(place, part)

    @staticmethod
    def _wrong(message: str) -> Exception:
        return fail(RuntimeError, "fx.Graph.lint", message)

    # text

    def python_code(self, root_module: str = "self", **options: Any) -> PythonCode:
        """The Python code of the graph; `root_module` names what its attributes are read from."""
        return python_code(self, root_module)

    def print_tabular(self) -> None:
        """Print the nodes as a table (needs ``tabulate``, as PyTorch does)."""
        try:
            from tabulate import tabulate
        except ImportError:
            print("`print_tabular` relies on the library `tabulate`: pip install tabulate")
            raise
        rows = [[n.op, n.name, n.target, n.args, n.kwargs] for n in self.nodes]
        print(tabulate(rows, headers=["opcode", "name", "target", "args", "kwargs"]))

    def __str__(self) -> str:
        lines = "".join(f"\n    {node.format_node()}" for node in self.nodes)
        return f"graph():{lines}"
