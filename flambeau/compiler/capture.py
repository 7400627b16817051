"""One run of a function or module as an FX graph, for the backends of `torch.compile` that users
write.

The program runs on values without numbers (meta tensors), so its sizes are known and nothing it
does is done; where it asks a tensor for a number, there is no graph (`Break`). Calls are noted as
they are written: operators, functions, methods. Stands on fx.
"""

from __future__ import annotations

import contextlib
import inspect
import operator
import re
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import numpy as np

import flambeau
from flambeau.core import overrides, state
from flambeau.core.device import device
from flambeau.core.tensor import Tensor
from flambeau.fx.graph import Graph
from flambeau.fx.graph_module import GraphModule
from flambeau.fx.node import Node, has_side_effect, map_aggregate
from flambeau.fx.proxy import Proxy, TracerBase
from flambeau.nn import Module
from flambeau.overrides import TorchFunctionMode
from flambeau.utils._pytree import tree_flatten, tree_unflatten

__all__ = ["Break", "Captured", "capture", "modules_of", "surroundings"]

Getter = Callable[[list[Any]], Any]
"""Finds an input of the graph again: in the leaves of a call's arguments, or where it lives."""


class Break(Exception):
    """There is no graph of this program: it asks for numbers, or changes more than tensors."""


def _set_grad_enabled(mode: bool) -> None:
    """What `no_grad` and its kin are in a graph: from here on grad mode is `mode`."""
    state.switch_grad(mode)


class Known(Proxy):
    """A proxy that knows its shape, its dtype and all else but its numbers.

    Args:
        node: None of an input, until the graph uses it.
        value: a meta tensor, or a tuple or list with some.
        real: the tensor that an input stands for.
    """

    def __init__(self, node: Node | None, tracer: Any, value: Any, real: Any = None) -> None:
        overrides.cover()
        self.known_node, self.tracer, self.value, self.real = node, tracer, value, real

    @property
    def node(self) -> Node:  # type: ignore[override]
        """The node; an input becomes one now."""
        if self.known_node is None:
            self.known_node = self.tracer.lift(self.real)
        return self.known_node

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        if name == "device":
            return device("cpu")
        with self.tracer.apart():
            found = getattr(self.value, name)
        if isinstance(self.value, tuple) and not callable(found):
            return self[next(k for k, part in enumerate(self.value) if part is found)]  # type: ignore[index]
        if isinstance(found, Tensor):
            return self.tracer.create_proxy("call_function", getattr, (self, name), {})
        if callable(found):
            return lambda *args, **kwargs: self.tracer.create_proxy(
                "call_method", name, (self, *args), kwargs
            )
        return found

    def __iter__(self) -> Iterator[Any]:
        return iter([self[k] for k in range(len(self.value))])  # type: ignore[index]

    def __len__(self) -> int:
        return len(self.value)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.tracer.create_proxy("call_function", operator.setitem, (self, key, value), {})

    def _refuse(self, *args: Any, **kwargs: Any) -> Any:
        raise Break("the program asks a tensor for its numbers")

    __bool__ = __int__ = __float__ = __index__ = __complex__ = __array__ = __contains__ = _refuse
    item = tolist = numpy = backward = _refuse


def _written(name: str) -> Callable[..., Any]:
    function = has_side_effect(getattr(operator, name))
    return lambda self, other: self.tracer.create_proxy(
        "call_function", function, (self, other), {}
    )


has_side_effect(operator.setitem)
has_side_effect(_set_grad_enabled)
for _name in "iadd isub imul itruediv ifloordiv imod ipow iand ior ixor".split():
    setattr(Known, f"__{_name}__", _written(_name))


class _Others(TorchFunctionMode):
    """Notes the calls in which no proxy is: of tensors from outside, and factories."""

    def __init__(self, tracer: _Tracer) -> None:
        super().__init__()
        self.tracer = tracer

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, found = kwargs or {}, []
        map_aggregate((tuple(args), kwargs), lambda x: found.append(isinstance(x, Proxy)))
        if self.tracer.evaluating or any(found):
            return func(*args, **kwargs)
        name = getattr(func, "__name__", "")
        is_method = bool(args) and getattr(type(args[0]), name, None) is func
        kind, target = ("call_method", name) if is_method else ("call_function", func)
        return self.tracer.create_proxy(kind, target, tuple(args), kwargs)


class _Tracer(TracerBase):
    def __init__(self, sources: dict[int, tuple[str, Getter]]) -> None:
        self.graph = Graph()
        self.sources = sources
        self.inputs: dict[int, tuple[Node, Getter]] = {}
        self.metas: dict[int, Tensor] = {}
        self.held: list[Tensor] = []  # so that no other tensor gets the id of one that is known
        self.evaluating = False
        self.grad = state.grad_enabled()
        self.casts = state.current().autocast

    def meta(self, tensor: Tensor) -> Tensor:
        """The tensor without its numbers."""
        found = self.metas.get(id(tensor))
        if found is None:
            if type(tensor._array) is not np.ndarray:
                raise Break("a tensor of the program is not a plain one on the CPU")
            with self.apart():
                found = tensor.detach().to("meta").requires_grad_(tensor.requires_grad)
            self.metas[id(tensor)] = found
            self.held.append(tensor)
        return found

    def input(self, tensor: Tensor) -> Known:
        """What stands for a tensor from outside."""
        return Known(None, self, self.meta(tensor), tensor)

    def lift(self, tensor: Tensor) -> Node:
        """The placeholder of a tensor from outside, made at its first use."""
        if id(tensor) not in self.inputs:
            label, find = self.sources.get(id(tensor), ("L_constant_", lambda _: tensor))
            first = next((n for n in self.graph.nodes if n.op != "placeholder"), None)
            before = (
                contextlib.nullcontext() if first is None else self.graph.inserting_before(first)
            )
            with before:
                node = self.graph.create_node("placeholder", label, name=label.lower())
            node.meta["example_value"] = self.meta(tensor)
            self.inputs[id(tensor)] = node, find
        return self.inputs[id(tensor)][0]

    def create_arg(self, a: Any) -> Any:
        return super().create_arg(
            map_aggregate(a, lambda x: self.lift(x) if isinstance(x, Tensor) else x)
        )

    def create_proxy(
        self, kind: str, target: Any, args: Any, kwargs: Any, *unused: Any, **ignored: Any
    ) -> Any:
        """Note a call. Gives its value itself where no tensor is in it."""
        value = self.evaluate(kind, target, args, kwargs)
        if value is not None and not _has_tensor(value):
            return value
        self.follow_modes()
        # Tensors that no proxy stands for are a module's: they come before the arguments.
        map_aggregate((args, kwargs), lambda x: self.lift(x) if isinstance(x, Tensor) else x)
        node = self.create_node(
            kind, target, self.create_arg(tuple(args)), self.create_arg(dict(kwargs))
        )
        node.meta["example_value"] = value
        return None if value is None else Known(node, self, value)

    def follow_modes(self) -> None:
        """Note that grad mode is another than at the last call.

        Raises:
            Break: autocast is.
        """
        if state.current().autocast != self.casts:
            raise Break("the program enters or leaves autocast")
        if state.grad_enabled() != self.grad:
            self.grad = state.grad_enabled()
            self.create_node("call_function", _set_grad_enabled, (self.grad,), {})

    def evaluate(self, kind: str, target: Any, args: Any, kwargs: Any) -> Any:
        """The value of a call, without numbers."""

        def bare(x: Any) -> Any:
            if isinstance(x, Known):
                return x.value
            if isinstance(x, Tensor):
                return self.meta(x)
            if isinstance(x, device) or (isinstance(x, str) and re.fullmatch(r"cpu(:\d+)?", x)):
                return "meta"
            return x

        args, kwargs = map_aggregate((tuple(args), dict(kwargs)), bare)
        with self.apart(), device("meta"):
            if kind == "call_method":
                if target == "cpu":
                    return args[0]
                return getattr(args[0], target)(*args[1:], **kwargs)
            return target(*args, **kwargs)

    @contextlib.contextmanager
    def apart(self) -> Iterator[None]:
        """The block in which operations are the tracer's own and not noted."""
        before, self.evaluating = self.evaluating, True
        try:
            yield
        finally:
            self.evaluating = before


def _has_tensor(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return any(_has_tensor(x) for x in value)
    return isinstance(value, Tensor)


class Captured:
    """A graph, and how a call of the program becomes one of the graph.

    Args:
        module: the graph. getters: its inputs, in order. outputs: the leaves of the program's
            result, each found in (what the graph gave, the leaves of the arguments). spec: their
            structure.
    """

    def __init__(self, module: GraphModule, getters: list[Getter], outputs: Any, spec: Any) -> None:
        self.module, self.getters, self.outputs, self.spec = module, getters, outputs, spec

    def inputs(self, leaves: list[Any]) -> list[Any]:
        """What the graph is called with."""
        return [find(leaves) for find in self.getters]

    def result(self, given: Any, leaves: list[Any]) -> Any:
        """The program's result from the graph's."""
        return tree_unflatten([find(given, leaves) for find in self.outputs], self.spec)


def capture(program: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Captured:
    """The graph of a program called with these arguments.

    Raises:
        Break: there is none.
    """
    leaves, spec = tree_flatten((args, kwargs))
    modules = modules_of(program)
    tracer = _Tracer(_sources(program, modules, args, kwargs, leaves))
    given = [tracer.input(x) if isinstance(x, Tensor) else x for x in leaves]
    proxies, named = tree_unflatten(given, spec)
    read = Module.__getattr__

    def looked_up(module: Module, name: str) -> Any:
        value = read(module, name)
        if isinstance(value, Tensor) and not tracer.evaluating:
            known = tracer.input(value)
            known.node  # noqa: B018 (a module's tensors come before the arguments of the same call)
            return known
        return value

    before = [(m, _contents(m)) for m in modules.values()]
    try:
        with (
            mock.patch.object(Module, "__getattr__", looked_up),
            _Others(tracer),
            flambeau.random.fork_rng(),
        ):
            result = _opened(program(*proxies, **named))
        tracer.follow_modes()
        return _finish(tracer, result, leaves, program)
    except Break:
        raise
    except Exception as problem:
        raise Break(f"{type(problem).__name__}: {problem}") from problem
    finally:
        _restore(before)


def _finish(tracer: _Tracer, result: Any, leaves: list[Any], program: Any) -> Captured:
    """The graph with its output, and how results are read from it."""
    graph = tracer.graph
    if all(n.op == "placeholder" for n in graph.nodes):
        raise Break("the program computes nothing")
    found, spec = tree_flatten(result)
    nodes: list[Node] = []
    outputs: list[Callable[[Any, list[Any]], Any]] = []
    for x in found:
        if isinstance(x, Known) and x.real is not None:
            _, find = tracer.sources.get(id(x.real), ("", lambda _, t=x.real: t))
            outputs.append(lambda given, leaves, find=find: find(leaves))
        elif isinstance(x, Known):
            if x.node not in nodes:
                nodes.append(x.node)
            place = nodes.index(x.node)
            outputs.append(lambda given, leaves, k=place: given[k])
        else:
            outputs.append(lambda given, leaves, x=x: x)
    graph.output(tuple(nodes))
    getters = []
    for node, find in list(tracer.inputs.values()):
        if node.users:
            getters.append((node, find))
        else:
            graph.erase_node(node)
    order = {node: k for k, node in enumerate(graph.nodes)}
    getters.sort(key=lambda pair: order[pair[0]])
    return Captured(GraphModule({}, graph), [find for _, find in getters], outputs, spec)


def _opened(x: Any) -> Any:
    """The value with proxies of several results taken apart."""
    if isinstance(x, Known) and isinstance(x.value, (tuple, list)):
        parts = [_opened(each) for each in x]
        kind = type(x.value)
        return kind(*parts) if hasattr(kind, "_make") else kind(parts)
    if type(x) in (tuple, list):
        return type(x)(_opened(each) for each in x)
    if type(x) is dict:
        return {key: _opened(each) for key, each in x.items()}
    return x


def modules_of(program: Any) -> dict[str, Module]:
    """The modules a program can reach, by the path that names its tensors in the graph."""
    roots: dict[str, Any] = {}
    if isinstance(program, Module):
        roots[f"L_{_self_name(program)}_"] = program
    elif inspect.ismethod(program) and isinstance(program.__self__, Module):
        roots[f"L_{_self_name(program.__self__)}_"] = program.__self__
    for prefix, names in surroundings(program):
        roots |= {f"{prefix}{k}_": v for k, v in names.items() if isinstance(v, Module)}
    return {
        prefix + "".join(f"modules_{part}_" for part in path.split(".") if path): module
        for prefix, root in roots.items()
        for path, module in root.named_modules()
    }


def _self_name(module: Module) -> str:
    code = getattr(type(module).forward, "__code__", None)
    return code.co_varnames[0] if code is not None and code.co_argcount else "self"


def surroundings(program: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The variables around a function: its closure's and the globals it names."""
    function = type(program).forward if isinstance(program, Module) else program
    function = getattr(function, "__func__", function)
    code = getattr(function, "__code__", None)
    if code is not None:
        yield "L_", dict(inspect.getclosurevars(function).nonlocals)
        names = function.__globals__
        yield "G_", {k: names[k] for k in code.co_names if k in names}


def _sources(
    program: Any, modules: dict[str, Module], args: Any, kwargs: Any, leaves: list[Any]
) -> dict[int, tuple[str, Getter]]:
    """The tensors a program can reach: what the graph calls them, and how they are found again."""
    found: dict[int, tuple[str, Getter]] = {}
    for prefix, names in surroundings(program):
        for key, value in names.items():
            if isinstance(value, Tensor):
                found[id(value)] = f"{prefix}{key}_", _surrounding(program, prefix, key)
    for prefix, module in modules.items():
        for room in ("_parameters", "_buffers"):
            for key, value in vars(module)[room].items():
                if value is not None:
                    held = vars(module)[room]
                    label = f"{prefix}{room[1:]}_{key}_"
                    found[id(value)] = label, lambda _, held=held, key=key: held[key]
    for k, (label, leaf) in enumerate(zip(_labels(program, args, kwargs), leaves, strict=True)):
        if isinstance(leaf, Tensor):
            found.setdefault(id(leaf), (label, lambda leaves, k=k: leaves[k]))
    return found


def _surrounding(program: Any, prefix: str, key: str) -> Getter:
    return lambda _: dict(surroundings(program))[prefix][key]


def _labels(program: Any, args: Any, kwargs: Any) -> list[str]:
    """What the graph calls each leaf of the arguments."""
    function = program.forward if isinstance(program, Module) else program
    try:
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        names = []
    labels: list[str] = []

    def walk(value: Any, label: str) -> None:
        if isinstance(value, dict):
            for key in value:
                walk(value[key], label + re.sub(r"\W", "_", f"{key}_"))
        elif isinstance(value, (tuple, list)):
            for k, each in enumerate(value):
                walk(each, f"{label}{k}_")
        else:
            labels.extend([label] * len(tree_flatten(value)[0]))

    for k, value in enumerate(args):
        walk(value, f"L_{names[k]}_" if k < len(names) else f"L_args_{k}_")
    for key, value in kwargs.items():
        walk(value, f"L_{key}_")
    return labels


def _contents(module: Module) -> tuple[Any, ...]:
    own = vars(module)
    return dict(own), *(dict(own[room]) for room in ("_parameters", "_buffers", "_modules"))


def _restore(before: list[tuple[Module, tuple[Any, ...]]]) -> None:
    """Put back what the program set on its modules.

    Raises:
        Break: it did set something, which a graph does not repeat.
    """
    changed = False
    for module, contents in before:
        own = vars(module)
        held = (own, own["_parameters"], own["_buffers"], own["_modules"])
        for now, then in zip(held, contents, strict=True):
            if now.keys() != then.keys() or any(now[k] is not then[k] for k in then):
                now.clear()
                now.update(then)
                changed = True
    if changed:
        raise Break("the program sets attributes of its modules")
