"""The graph of a module for TensorBoard, recorded from one call of it.

This file bears PyTorch's name because tensorboardX asks for ``graph`` here. A function mode sees
the operations, hooks see the modules; the names follow PyTorch's picture: ``input/x``,
``Net/Linear[fc]/weight``, ``aten::linear``. Stands on nn, overrides, tensorboardX's messages.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from flambeau.core.tensor import Tensor
from flambeau.nn.modules import _hooks
from flambeau.nn.modules.module import Module
from flambeau.overrides import TorchFunctionMode
from flambeau.utils import _pytree
from flambeau.utils.tensorboard.extra import (
    AttrValue,
    GraphDef,
    NodeDef,
    TensorShapeProto,
    VersionDef,
)

__all__ = ["graph"]

PRODUCER = 22  # the version of the graph format that TensorBoard expects at least
CONVOLUTIONS = tuple(f"{name}{n}d" for name in ("conv", "conv_transpose") for n in (1, 2, 3))
# Where PyTorch's graphs say another word.
OPERATORS = dict.fromkeys((*CONVOLUTIONS, "convolved"), "_convolution")
LONGEST = 1024  # characters of an operation's plain arguments


class RunMetadata:
    """What TensorBoard wants beside a graph: that it ran on the CPU."""

    DEVICE = b"/device:CPU:0"

    def SerializeToString(self) -> bytes:
        """The message ``step_stats { dev_stats { device: "/device:CPU:0" } }``."""
        message = self.DEVICE
        for _ in range(3):  # each is field 1 of the one around it
            message = b"\x0a" + bytes([len(message)]) + message
        return message


class Recorder(TorchFunctionMode):
    """Sees every operation of one call, and notes a node for each."""

    def __init__(self, model: Module) -> None:
        super().__init__()
        self.nodes: list[NodeDef] = []
        self.names: dict[int, str] = {}
        """By identity of a tensor: the node it came from."""
        self.alive: list[Tensor] = []
        """Keeps identities true while recording."""
        self.used: dict[str, int] = {}
        self.scopes = [type(model).__name__]
        self.children = {
            id(child): f"{type(child).__name__}[{name}]"
            for parent in model.modules()
            for name, child in parent.named_children()
        }
        self.owned = {
            id(value): (module, name)
            for module in model.modules()
            for name, value in (
                *module.named_parameters(recurse=False),
                *module.named_buffers(recurse=False),
            )
        }

    @property
    def scope(self) -> str:
        return "/".join(self.scopes)

    def unique(self, name: str) -> str:
        """``name``, or ``name_1`` when it is taken."""
        count = self.used.get(name, 0)
        self.used[name] = count + 1
        return f"{name}_{count}" if count else name

    def note(self, name: str, kind: str, inputs: Sequence[str], tensor: Any, text: str = "") -> str:
        """Add a node; its output is ``tensor`` from here on."""
        attributes = {"attr": AttrValue(s=text[:LONGEST].encode())}
        if isinstance(tensor, Tensor):
            shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=n) for n in tensor.shape])
            attributes["_output_shapes"] = AttrValue(list=AttrValue.ListValue(shape=[shape]))
        self.nodes.append(NodeDef(name=name, op=kind, input=inputs, attr=attributes))
        return name

    def bind(self, tensor: Tensor, name: str) -> None:
        self.names[id(tensor)] = name
        self.alive.append(tensor)

    def source(self, tensor: Tensor) -> str:
        """The node a tensor comes from: an operation's, a parameter's, or a constant's."""
        known = self.names.get(id(tensor))
        if known is None:
            module, leaf = self.owned.get(id(tensor), (None, "constant"))
            known = self.unique(f"{self.scope}/{leaf}")
            kind = "prim::Constant" if module is None else "prim::GetAttr"
            self.note(known, kind, (), tensor, "" if module is None else f"{{ name : {leaf}}}")
            self.bind(tensor, known)
        return known

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        given = _pytree.tree_leaves((args, kwargs))
        inputs = [self.source(value) for value in given if isinstance(value, Tensor)]
        result = func(*args, **kwargs)
        outputs = [value for value in _pytree.tree_leaves(result) if isinstance(value, Tensor)]
        if outputs:
            name = getattr(func, "__name__", "operation").strip("_")
            name = OPERATORS.get(name, name)
            plain = [repr(value) for value in given if not isinstance(value, Tensor)]
            node = self.unique(f"{self.scope}/{name}")
            self.note(node, f"aten::{name}", inputs, outputs[0], "{ " + ", ".join(plain) + "}")
            for tensor in outputs:
                self.bind(tensor, node)
        return result


@contextmanager
def _scopes(recorder: Recorder, model: Module) -> Iterator[None]:
    """While open, the recorder knows which module is running."""

    def enter(module: Module, inputs: Any) -> None:
        if module is not model:
            recorder.scopes.append(recorder.children.get(id(module), type(module).__name__))

    def leave(module: Module, inputs: Any, output: Any) -> None:
        if module is not model:
            recorder.scopes.pop()

    handles = (
        _hooks.register_module_forward_pre_hook(enter),
        _hooks.register_module_forward_hook(leave, always_call=True),
    )
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def _evaluating(model: Module) -> Iterator[None]:
    """Every module in evaluation mode, and back as it was: recording changes no statistics."""
    before = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in before:
            module.training = training


def _input_names(model: Module, count: int) -> list[str]:
    """The names of ``forward``'s first parameters; numbers where there are too few."""
    try:
        parameters = list(inspect.signature(model.forward).parameters)
    except (TypeError, ValueError):
        parameters = []
    return [parameters[k] if k < len(parameters) else f"input_{k}" for k in range(count)]


def graph(
    model: Any, args: Any = None, verbose: bool = False, use_strict_trace: bool = True
) -> tuple[GraphDef, RunMetadata]:
    """The operations of ``model(*args)`` as a TensorFlow graph, and the metadata beside it.

    Args:
        model: a module; it is run once, in evaluation mode.
        args: its input, or a tuple of inputs.
        verbose: print the nodes.
        use_strict_trace: PyTorch's switch, which nothing here depends on.

    Raises:
        TypeError: ``model`` is no module.
    """
    if not isinstance(model, Module):
        raise TypeError(
            f"add_graph: model is {type(model).__name__}, expected an nn.Module. Wrap a function "
            "in a module whose forward calls it."
        )
    inputs = args if isinstance(args, (tuple, list)) else () if args is None else (args,)
    recorder = Recorder(model)
    named = zip(_input_names(model, len(inputs)), inputs)
    for name, value in named:
        for tensor in _pytree.tree_leaves(value):
            if isinstance(tensor, Tensor):
                node = recorder.unique(f"input/{name}")
                recorder.bind(tensor, recorder.note(node, "IO Node", (), tensor))
    from flambeau.autograd import no_grad

    with _evaluating(model), no_grad(), _scopes(recorder, model), recorder:
        result = model(*inputs)
    for number, tensor in enumerate(_pytree.tree_leaves(result), 1):
        if isinstance(tensor, Tensor):
            source = recorder.source(tensor)
            recorder.note(f"output/output.{number}", "IO Node", [source], tensor)
    if verbose:
        for node in recorder.nodes:
            print(f"{node.name} = {node.op}({', '.join(node.input)})")
    return GraphDef(node=recorder.nodes, versions=VersionDef(producer=PRODUCER)), RunMetadata()
