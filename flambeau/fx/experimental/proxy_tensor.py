"""`make_fx`: a function run once, its operations below the graph written down as a graph.

Where `symbolic_trace` runs a program on stand-ins and notes what the user calls, this runs it on
tensors and notes what becomes of the calls, gradients, `vmap` and all: overloads of
``torch.ops.aten``. Stands on fx and utils._python_dispatch.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import flambeau
from flambeau.core import state
from flambeau.core.errors import fail
from flambeau.core.random.generator import default_generator
from flambeau.core.tensor import Tensor
from flambeau.fx import _pytree as fx_pytree
from flambeau.fx.codegen import PythonCode, python_code
from flambeau.fx.graph import CodeGen, Graph
from flambeau.fx.graph_module import GraphModule
from flambeau.fx.node import Node
from flambeau.nn.modules.module import Module
from flambeau.nn.parameter import Parameter
from flambeau.utils import _pytree as pytree
from flambeau.utils._python_dispatch import TorchDispatchMode

__all__ = [
    "ProxyTorchDispatchMode",
    "disable_proxy_modes_tracing",
    "get_isolated_graphmodule",
    "get_proxy_mode",
    "is_sym_node",
    "make_fx",
]

COPIED = {"lift_fresh": "lift_fresh_copy"}
"""Operations a graph that runs more than once needs another form of: a tensor made of the
program's numbers is another one in each run."""


class ProxyTorchDispatchMode(TorchDispatchMode):
    """Writes the operations it sees into a graph.

    Args:
        graph: the graph. root: the module that gets the tensors no operation made.
        decompositions: overload -> function that is traced in its place.
        pre_dispatch: keep operations that PyTorch makes of others, such as `linear`, whole.
    """

    every_operation = True
    """What works below the operations, as `vmap` does, is to use operations while this is on."""

    def __init__(
        self,
        graph: Graph,
        root: Module,
        decompositions: Mapping[Any, Callable[..., Any]] | None = None,
        pre_dispatch: bool = False,
    ) -> None:
        super().__init__()
        self.graph, self.root, self.whole = graph, root, pre_dispatch
        self.decompositions = decompositions or {}
        self._drawn = default_generator.pack().tobytes()
        # By the array: what a node saves is the same array in another Tensor.
        self._nodes: dict[int, Node] = {}
        self._held: list[Any] = []

    def name(self, tensor: Tensor, node: Node) -> None:
        """Say which node a tensor is the result of."""
        self._nodes[id(tensor._array)] = node
        self._held.append(tensor._array)  # so that no other array gets its id
        if type(tensor) is Tensor:
            with _disabled():
                node.meta["val"] = tensor.detach().to("meta")

    def knows(self, tensor: Tensor) -> bool:
        """Whether the tensor is an input or came of one."""
        return id(tensor._array) in self._nodes

    def node_of(self, value: Any) -> Any:
        """The node behind a tensor, which is an attribute of the module if no operation made it;
        other values are themselves."""
        if not isinstance(value, Tensor):
            return value
        found = self._nodes.get(id(value._array))
        if found is not None and found.op != "get_attr":
            return found
        if found is None:
            prefix = "_param_constant" if isinstance(value, Parameter) else "_tensor_constant"
            count = 0
            while hasattr(self.root, f"{prefix}{count}"):
                count += 1
            setattr(self.root, f"{prefix}{count}", value)
            found = self.graph.get_attr(f"{prefix}{count}")
            self.name(value, found)
            return found
        return self.graph.get_attr(found.target)

    def check_draws(self) -> None:
        """Refuse random numbers that were drawn by no operation.

        Raises:
            NotImplementedError: there were such, and every run of the graph would repeat them.
        """
        if self._drawn != default_generator.pack().tobytes():
            raise fail(
                NotImplementedError,
                "make_fx",
                "the program draws random numbers that are no operation of their own (dropout), so "
                "they would be the same in every run of the graph. Draw them with torch.rand, or "
                "call eval() on the module first.",
            )

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        instead = self.decompositions.get(func)
        if instead is not None:
            with self:
                result = instead(*args, **kwargs)
            if result is not NotImplemented:
                return result
        label = func.overloadpacket.__name__
        if label == "_local_scalar_dense":
            if not self.knows(args[0]):
                return func(*args, **kwargs)
            raise fail(
                RuntimeError,
                "make_fx",
                "It appears that you're trying to get value out of a tracing tensor with "
                f"{func}: the program's course depends on the data (a condition, .item()). Use "
                "torch.where, or leave that part out of what is traced.",
            )
        self.check_draws()
        given = pytree.tree_map(self.node_of, (tuple(args), kwargs))
        if label in COPIED:
            label = COPIED[label]
            func = getattr(flambeau.ops.aten, label).default
        node = self.graph.call_function(func, given[0], given[1], name=label)
        result = func(*args, **kwargs)
        self._drawn = default_generator.pack().tobytes()
        if isinstance(result, Tensor):
            self.name(result, node)
        elif isinstance(result, (tuple, list)):
            for k, each in enumerate(result):
                if isinstance(each, Tensor):
                    self.name(each, self.graph.call_function(operator.getitem, (node, k)))
        return result


class _Nested(CodeGen):
    """Writes a graph whose inputs the caller nests."""

    def __init__(self, names: list[str], in_spec: Any, out_spec: Any) -> None:
        self.names, self.in_spec, self.out_spec = names, in_spec, out_spec

    def python_code(self, graph: Graph, root: str) -> PythonCode:
        made = python_code(graph, root)
        leaves = [node.name for node in graph.find_nodes(op="placeholder")]
        before, _, after = made.src.partition("def forward(")
        body = after.partition("\n")[2]
        lines, _, returned = body.rpartition("    return ")
        made.src = (
            f"{before}def forward({', '.join([root, *self.names])}):\n"
            f"    {', '.join(leaves)}, = fx_pytree.tree_flatten_spec("
            f"[{', '.join(self.names)}], self._in_spec)\n"
            f"{lines}    return pytree.tree_unflatten({returned.strip()}, self._out_spec)\n    "
        )
        made.globals.update(fx_pytree=fx_pytree, pytree=pytree)
        return made

    def process_inputs(self, *args: Any) -> Any:
        return fx_pytree.tree_flatten_spec(list(args), self.in_spec)

    def process_outputs(self, outputs: Any) -> Any:
        return pytree.tree_unflatten(outputs, self.out_spec)


def _names(f: Callable[..., Any], count: int) -> list[str]:
    """What the function calls its first arguments; made up where it is no plain function."""
    code = getattr(inspect.unwrap(f), "__code__", None)
    if code is None or code.co_flags & inspect.CO_VARARGS:
        return [f"arg{k}" for k in range(count)]
    own = code.co_varnames[1 if inspect.ismethod(f) else 0 : code.co_argcount]
    return [*own[:count], *(f"arg{k}" for k in range(len(own), count))]


def make_fx(
    f: Callable[..., Any],
    decomposition_table: Mapping[Any, Callable[..., Any]] | None = None,
    tracing_mode: str = "real",
    _allow_non_fake_inputs: bool = False,
    *,
    pre_dispatch: bool = False,
    record_module_stack: bool = False,
    record_stack_traces: bool = False,
    **options: Any,
) -> Callable[..., GraphModule]:
    """A function that runs `f` on its arguments and gives the operations as a GraphModule.

    Args:
        f: what is traced: a function, a module, what `torch.func` gives.
        decomposition_table: overload of ``torch.ops.aten`` -> function traced in its place.
        tracing_mode: "real" runs `f` on the tensors themselves, "fake" on copies. Sizes and plain
            values become constants in both.
        pre_dispatch: keep operations that PyTorch makes of others, such as `linear`, whole.

    Raises:
        RuntimeError: when called: the program's course depends on values of tensors.
        NotImplementedError: `tracing_mode` is "symbolic", or (when called) random numbers are drawn
            other than by torch.rand and its kin.
        ValueError: there is no such mode.
    """
    if tracing_mode == "symbolic":
        raise fail(
            NotImplementedError,
            "make_fx",
            'sizes are plain integers, so tracing_mode="symbolic" would write them into the graph '
            'as numbers. tracing_mode="fake" does that openly: trace once for each shape.',
        )
    if tracing_mode not in ("real", "fake"):
        raise ValueError(f'expected tracing_mode "real", "fake" or "symbolic", got {tracing_mode}')

    def traced(*args: Any) -> GraphModule:
        if tracing_mode == "fake":
            args = pytree.tree_map(_copied, args)
        return _trace(f, args, decomposition_table, pre_dispatch)

    return traced


def _copied(value: Any) -> Any:
    if not isinstance(value, Tensor):
        return value
    copy = value.detach().clone()
    return copy.requires_grad_() if value.requires_grad else copy


def _trace(
    f: Callable[..., Any], args: tuple[Any, ...], table: Any, pre_dispatch: bool
) -> GraphModule:
    graph, root = Graph(), Module()
    mode = ProxyTorchDispatchMode(graph, root, table, pre_dispatch)
    names = _names(f, len(args))
    leaves, in_spec = pytree.tree_flatten(list(args))
    nested = False
    for name, arg in zip(names, args, strict=True):
        own, spec = pytree.tree_flatten(arg)
        nested = nested or not spec.is_leaf()
        for k, leaf in enumerate(own):
            node = graph.placeholder(f"{name}_{k + 1}")
            if isinstance(leaf, Tensor):
                mode.name(leaf, node)
    with _disabled(), mode:
        result = f(*in_spec.unflatten(leaves))
    mode.check_draws()
    found, out_spec = pytree.tree_flatten(result)
    nodes = [mode.node_of(each) for each in found]
    if nested:
        root._in_spec, root._out_spec = in_spec, out_spec
        graph.set_codegen(_Nested(names, in_spec, out_spec))
        graph.output(nodes)
    else:
        graph.output(_plain(out_spec.unflatten(nodes)))
    made = GraphModule(root, graph, getattr(f, "__name__", "<lambda>"))
    if nested:
        made._in_spec, made._out_spec = in_spec, out_spec
    return made


def _plain(result: Any) -> Any:
    """The result with PyTorch's named tuples as tuples."""
    named = isinstance(result, tuple) and type(result).__module__.endswith("return_types")
    return tuple(result) if named else result


def get_proxy_mode() -> ProxyTorchDispatchMode | None:
    """The trace that is under way, or None."""
    modes = (m for m in reversed(state.current().dispatch) if type(m) is ProxyTorchDispatchMode)
    return next(modes, None)


@contextmanager
def _disabled() -> Iterator[None]:
    kept = tuple(m for m in state.current().dispatch if type(m) is not ProxyTorchDispatchMode)
    token = state.switch(dispatch=kept)
    try:
        yield
    finally:
        state.restore(token)


def disable_proxy_modes_tracing() -> Any:
    """A block whose operations no trace sees."""
    return _disabled()


def get_isolated_graphmodule(
    func: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    tracing_mode: str = "real",
    decomposition_table: Mapping[Any, Callable[..., Any]] | None = None,
) -> GraphModule:
    """The graph of one call, made beside whatever trace is under way.

    Raises:
        RuntimeError: the program's course depends on values of tensors.
    """

    def wrapped(*given: Any) -> Any:
        return func(*given[: len(args)], **dict(zip(kwargs, given[len(args) :], strict=True)))

    return make_fx(wrapped, decomposition_table, tracing_mode)(*args, *kwargs.values())


def is_sym_node(node: Any) -> bool:
    """Whether a value is a number not known yet: none is."""
    return False
