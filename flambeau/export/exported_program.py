"""`ExportedProgram`: a graph of operations, the tensors it needs, and what goes in and out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.export.graph_signature import ConstantArgument, ExportGraphSignature, InputKind
from flambeau.fx import Graph, GraphModule
from flambeau.nn import Module
from flambeau.utils._pytree import tree_flatten

__all__ = ["ExportedProgram"]


class ExportedProgram:
    """What `torch.export.export` gives. `module()` makes it callable.

    Attributes:
        graph_module, graph: the operations; parameters and buffers are inputs of it.
        graph_signature: what its inputs and outputs are.
        state_dict: parameters and buffers. constants: the other tensors it reads.
        example_inputs: what it was exported with.
    """

    def __init__(
        self,
        root: GraphModule,
        graph_signature: ExportGraphSignature,
        state_dict: dict[str, Tensor],
        constants: dict[str, Tensor],
        example_inputs: Any,
        trees: Any,
        fixed: bool = True,
    ) -> None:
        self.graph_module = root
        self.graph_signature = graph_signature
        self.state_dict = state_dict
        self.constants = constants
        self.example_inputs = example_inputs
        self._trees = trees
        self._fixed = fixed
        self.range_constraints: dict[Any, Any] = {}

    @property
    def graph(self) -> Graph:
        """The operations in order."""
        return self.graph_module.graph

    @property
    def tensor_constants(self) -> dict[str, Tensor]:
        """`constants`."""
        return self.constants

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """The parameters by their names in the module."""
        for name in self.graph_signature.parameters:
            yield name, self.state_dict[name]

    def parameters(self) -> Iterator[Tensor]:
        """The parameters."""
        for _, tensor in self.named_parameters():
            yield tensor

    def named_buffers(self) -> Iterator[tuple[str, Tensor]]:
        """The buffers by their names in the module."""
        left_out = set(self.graph_signature.non_persistent_buffers)
        for name in self.graph_signature.buffers:
            yield name, self.constants[name] if name in left_out else self.state_dict[name]

    def buffers(self) -> Iterator[Tensor]:
        """The buffers."""
        for _, tensor in self.named_buffers():
            yield tensor

    def module(self, check_guards: bool = True) -> Module:
        """The program as a module: its parameters, and a call with the user's own inputs."""
        tensors = self.constants | self.state_dict
        graph = Graph()
        values: dict[Any, Any] = {}
        places = {s.arg.name: s for s in self.graph_signature.input_specs}
        nodes = list(self.graph.nodes)
        for node in nodes:  # the user's inputs come first, the module's own are read from it
            if node.op == "placeholder" and places[node.name].kind is InputKind.USER_INPUT:
                values[node] = graph.placeholder(node.target)
        for node in nodes:
            if node not in values and node.op == "placeholder":
                values[node] = graph.get_attr(str(places[node.name].target))
        for node in nodes:
            if node not in values:
                values[node] = graph.node_copy(node, lambda n: values[n])
        made = GraphModule(tensors, graph)
        for path, tensor in tensors.items():
            owner, _, name = path.rpartition(".")
            place = made.get_submodule(owner)
            buffer = path in self.graph_signature.buffers
            if buffer and name not in place._buffers:
                vars(place).pop(name, None)
                kept = path not in self.graph_signature.non_persistent_buffers
                place.register_buffer(name, tensor, persistent=kept)
        inner = type(made).forward
        program = self

        def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
            """The operations on the user's inputs, in the form the module takes and gives."""
            leaves = program._leaves(args, kwargs, check_guards)
            return program._trees[1].unflatten(list(inner(self, *leaves)))

        type(made).forward = forward  # type: ignore[method-assign]
        return made

    def _leaves(self, args: Any, kwargs: Any, check: bool) -> list[Any]:
        """The inputs laid open.

        Raises:
            AssertionError: sizes or plain values are not those of the example.
            RuntimeError: the inputs have another form.
        """
        names = self._trees[0].children_specs[1].context if kwargs else ()
        if kwargs and set(names) == set(kwargs):
            kwargs = {name: kwargs[name] for name in names}
        leaves, spec = tree_flatten((args, kwargs))
        if spec != self._trees[0]:
            raise fail(
                RuntimeError,
                "ExportedProgram.module",
                f"the inputs have another form than those it was exported with: {spec}, expected "
                f"{self._trees[0]}",
            )
        examples = tree_flatten(self.example_inputs)[0]
        own = [s for s in self.graph_signature.input_specs if s.kind is InputKind.USER_INPUT]
        for leaf, example, spec_of in zip(leaves, examples, own, strict=True):
            if not check:
                break
            name = spec_of.arg.name
            if isinstance(spec_of.arg, ConstantArgument):
                if leaf != example:
                    raise AssertionError(f"Guard failed: {name} == {example!r}")
                continue
            for k, size in enumerate(example.shape if self._fixed else ()):
                if leaf.ndim != example.ndim or leaf.shape[k] != size:
                    raise AssertionError(f"Guard failed: {name}.size()[{k}] == {size}")
        return leaves

    def run_decompositions(self, decomp_table: Any = None, **options: Any) -> ExportedProgram:
        """The program itself: operations here have no smaller parts."""
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Raises RuntimeError: `module()` is what is called."""
        raise RuntimeError(
            "Unable to call ExportedProgram directly. You should use "
            "`exported_program.module()` instead."
        )

    def __str__(self) -> str:
        code = "\n".join("        " + line for line in self.graph_module.code.strip().split("\n"))
        return (
            f"ExportedProgram:\n    class GraphModule(torch.nn.Module):\n{code}\n\n"
            f"Graph signature: {self.graph_signature}\nRange constraints: {{}}\n"
        )
