"""A module's run as a graph of operations: `export`.

The module runs once, on copies, under a mode that writes down every operation below the graph;
what the mode does not see (a tensor made of a Python value, a random draw) is a constant or an
error, never a number kept in silence. Stands on fx and utils._python_dispatch.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Mapping
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.export.exported_program import ExportedProgram
from flambeau.export.graph_signature import (
    ConstantArgument,
    ExportGraphSignature,
    InputKind,
    InputSpec,
    OutputKind,
    OutputSpec,
    TensorArgument,
)
from flambeau.func import functional_call
from flambeau.fx import Graph, GraphModule, Node
from flambeau.nn import Module
from flambeau.utils._python_dispatch import TorchDispatchMode
from flambeau.utils._pytree import tree_flatten, tree_map

__all__ = ["export"]


class _Recorder(TorchDispatchMode):
    """Writes the operations it sees into a graph."""

    whole = True
    """Operations that are one here stay one, as in PyTorch's exported graphs."""

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.graph = graph
        self.nodes: dict[int, Node] = {}
        self.held: list[Any] = []
        self.draws = False
        self.constants: dict[str, Tensor] = {}
        self.first: Node | None = None

    def name(self, tensor: Tensor, node: Node) -> None:
        """Say which node a tensor is the result of."""
        self.nodes[id(tensor)] = node
        self.held.append(tensor)  # so that no other tensor gets its id
        node.meta["val"] = tensor.detach().to("meta")

    def node_of(self, value: Any) -> Any:
        """The node behind a tensor; a tensor that no operation made becomes a constant."""
        if not isinstance(value, Tensor):
            return value
        found = self.nodes.get(id(value))
        if found is None:
            name = f"lifted_tensor_{len(self.constants)}"
            with self.graph.inserting_before(self.first):
                found = self.graph.placeholder(f"c_{name}")
            self.constants[name] = value
            self.name(value, found)
        return found

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        label = func.overloadpacket.__name__
        if label == "_local_scalar_dense":
            if id(args[0]) in self.nodes:
                raise fail(
                    RuntimeError,
                    "export",
                    "Could not guard on data-dependent expression: the program asks a tensor for "
                    "its value (a condition, .item()), so its course depends on the data. Use "
                    "torch.where, or leave that part out of what is exported.",
                )
            return func(*args, **kwargs)
        self.draws = self.draws or label.startswith("rand")
        func, args = PLAIN.get(label, lambda f, a: (f, a))(func, args)
        given = tree_map(self.node_of, (tuple(args), kwargs))
        result = func(*args, **kwargs)
        label = label.removeprefix("_") if label in PLAIN else label
        node = self.graph.call_function(func, given[0], given[1], name=label)
        if isinstance(result, Tensor):
            self.name(result, node)
        elif isinstance(result, (tuple, list)):
            for k, each in enumerate(result):
                if isinstance(each, Tensor):
                    self.name(each, self.graph.call_function(operator.getitem, (node, k)))
        return result


def _softmax(func: Any, args: Any) -> tuple[Any, Any]:
    name = func.overloadpacket.__name__.removeprefix("_")
    return getattr(flambeau.ops.aten, name).int, args[:2]


PLAIN: dict[str, Callable[[Any, Any], tuple[Any, Any]]] = {
    "_log_softmax": _softmax,
    "_softmax": _softmax,
}
"""Operations that exported graphs have under their public name."""


def _tensors_of(module: Module) -> dict[str, Tensor]:
    """The tensors that are plain attributes of the module and of those below it, by path."""
    return {
        f"{path}.{name}" if path else name: value
        for path, each in module.named_modules()
        for name, value in vars(each).items()
        if isinstance(value, Tensor)
    }


def _persistent(module: Module, path: str) -> bool:
    owner, _, name = path.rpartition(".")
    return name not in module.get_submodule(owner)._non_persistent_buffers_set


def _input_names(module: Module, args: Any, kwargs: Any) -> list[str]:
    """A name for each leaf of the inputs: the parameter's, with a path where it has several."""
    try:
        bound = inspect.signature(module.forward).bind(*args, **kwargs).arguments
    except TypeError:
        bound = {f"arg_{k}": a for k, a in enumerate(args)} | dict(kwargs)
    found = []
    for name, value in bound.items():
        count = len(tree_flatten(value)[0])
        found += [name] if count == 1 and not isinstance(value, (tuple, list, dict)) else [
            f"{name}_{k}" for k in range(count)
        ]  # fmt: skip
    return found


class _Swapped:
    """The block in which the plain tensors of a module are others."""

    def __init__(self, module: Module, tensors: dict[str, Tensor]) -> None:
        self.module, self.tensors = module, tensors

    def _set(self, tensors: dict[str, Tensor]) -> None:
        for path, tensor in tensors.items():
            owner, _, name = path.rpartition(".")
            vars(self.module.get_submodule(owner))[name] = tensor

    def __enter__(self) -> None:
        self.kept = _tensors_of(self.module)
        self._set(self.tensors)

    def __exit__(self, *exc: object) -> None:
        self._set(self.kept)


def export(
    mod: Module,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any] | None = None,
    *,
    dynamic_shapes: Any = None,
    strict: bool = False,
    preserve_module_call_signature: tuple[str, ...] = (),
    **options: Any,
) -> ExportedProgram:
    """The operations of ``mod(*args, **kwargs)`` as a graph that runs without the module.

    Args:
        mod: the module. It runs once, on copies: nothing it holds is written.
        args, kwargs: example inputs. Sizes and plain values are those of every later call, unless
            `dynamic_shapes` is given, which lifts the check; sizes that the program computes with
            stay as they were.
        strict: no difference; nothing is read from bytecode.

    Raises:
        ValueError: `mod` is no module. TypeError: `args` is no tuple.
        RuntimeError: the program's course depends on values of tensors.
        NotImplementedError: it draws random numbers other than by torch.rand and its kin.
    """
    if not isinstance(mod, Module):
        raise ValueError(f"Expected `mod` to be an instance of `torch.nn.Module`, got {type(mod)}.")
    if not isinstance(args, tuple):
        raise fail(TypeError, "export", f"expected `args` to be a tuple, got {type(args).__name__}")
    kwargs = dict(kwargs or {})
    graph = Graph()
    recorder = _Recorder(graph)
    specs: list[InputSpec] = []
    constants = _tensors_of(mod)
    copies: dict[str, Tensor] = {}
    for prefix, kind, tensors in (
        ("p", InputKind.PARAMETER, dict(mod.named_parameters())),
        ("b", InputKind.BUFFER, dict(mod.named_buffers())),
        ("c", InputKind.CONSTANT_TENSOR, constants),
    ):
        for path, tensor in tensors.items():
            node = graph.placeholder(f"{prefix}_{path.replace('.', '_')}")
            copies[path] = tensor.detach().clone()
            recorder.name(copies[path], node)
            kept = _persistent(mod, path) if kind is InputKind.BUFFER else None
            specs.append(InputSpec(kind, TensorArgument(node.name), path, kept))
    leaves, in_spec = tree_flatten((args, kwargs))
    leaves = [x.detach().clone() if isinstance(x, Tensor) else x for x in leaves]
    own: list[InputSpec] = []
    for name, leaf in zip(_input_names(mod, args, kwargs), leaves, strict=True):
        node = graph.placeholder(name)
        recorder.first = recorder.first or node
        if isinstance(leaf, Tensor):
            recorder.name(leaf, node)
        arg = (
            TensorArgument(node.name)
            if isinstance(leaf, Tensor)
            else ConstantArgument(node.name, leaf)
        )
        own.append(InputSpec(InputKind.USER_INPUT, arg, None))
    out_spec, outputs = _run(mod, recorder, copies, constants, in_spec.unflatten(leaves))
    specs += [
        InputSpec(InputKind.CONSTANT_TENSOR, TensorArgument(f"c_{name}"), name)
        for name in recorder.constants
    ]
    graph.lint()
    root, signature, state, others = _parts(
        mod, graph, specs + own, outputs, constants | recorder.constants
    )
    ended = ExportedProgram(
        root, signature, state, others, (args, kwargs), (in_spec, out_spec), dynamic_shapes is None
    )
    _check(mod, ended, constants)
    return ended


def _parts(mod: Module, graph: Graph, inputs: Any, outputs: Any, constants: Any) -> Any:
    state = {
        path: tensor
        for path, tensor in (*mod.named_parameters(), *mod.named_buffers())
        if path in mod.state_dict(keep_vars=True)
    }
    others = {p: b for p, b in mod.named_buffers() if not _persistent(mod, p)}
    signature = ExportGraphSignature(inputs, outputs)
    return GraphModule({}, graph), signature, state, constants | others


def _other(value: Any) -> Any:
    """A copy with other numbers, where any number will do."""
    if not isinstance(value, Tensor):
        return value
    copy = value.detach().clone()
    return copy * 0.75 + 0.125 if copy.is_floating_point() else copy


def _check(mod: Module, program: ExportedProgram, constants: dict[str, Tensor]) -> None:
    """Run the graph beside the module on other numbers than it was made with.

    Raises:
        NotImplementedError: they differ, since part of the program was not seen.
    """
    given = tree_map(_other, program.example_inputs)
    own = {p: _other(t) for p, t in (*mod.named_parameters(), *mod.named_buffers())}
    copies = tree_map(lambda t: t.clone() if isinstance(t, Tensor) else t, (given, own))
    before = flambeau.get_rng_state()
    with flambeau.no_grad():
        wanted = functional_call(mod, own, given[0], given[1])
        flambeau.set_rng_state(before)
        runnable = ExportedProgram(
            program.graph_module,
            program.graph_signature,
            {name: copies[1][name] for name in program.state_dict},
            program.constants | {n: copies[1][n] for n in own if n in program.constants},
            program.example_inputs,
            program._trees,
            program._fixed,
        )
        found = runnable.module()(*copies[0][0], **copies[0][1])
    flambeau.set_rng_state(before)
    pairs = zip(tree_flatten(wanted)[0], tree_flatten(found)[0], strict=True)
    for a, b in pairs:
        if isinstance(a, Tensor) and not flambeau.allclose(a, b, 1e-4, 1e-5, equal_nan=True):
            raise fail(
                NotImplementedError,
                "export",
                "part of the program was not seen as operations: what it gives on other numbers "
                "is not what its graph gives. Values that leave tensors (.numpy(), .tolist(), "
                ".data) are constants in a graph.",
            )


def _run(
    mod: Module, recorder: _Recorder, copies: dict[str, Tensor], constants: Any, inputs: Any
) -> tuple[Any, list[OutputSpec]]:
    args, kwargs = inputs
    plain = {path: copies[path] for path in constants}
    learned = {path: t for path, t in copies.items() if path not in constants}
    before = flambeau.get_rng_state()
    with flambeau.no_grad(), _Swapped(mod, plain), recorder:
        result = functional_call(mod, learned, args, kwargs)
    drawn = not flambeau.equal(before, flambeau.get_rng_state())
    flambeau.set_rng_state(before)
    if drawn and not recorder.draws:
        raise fail(
            NotImplementedError,
            "export",
            "the program draws random numbers (dropout), which would be the same in every call "
            "of the exported one. Call eval() on the module first.",
        )
    found, out_spec = tree_flatten(result)
    nodes = [recorder.node_of(each) for each in found]
    recorder.graph.output(tuple(nodes))
    outputs = [
        OutputSpec(
            OutputKind.USER_OUTPUT,
            TensorArgument(n.name) if isinstance(n, Node) else ConstantArgument("", n),
            None,
        )
        for n in nodes
    ]
    return out_spec, outputs
