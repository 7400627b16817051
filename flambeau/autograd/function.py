"""`autograd.Function`: an operation with a backward of the user's own. The same nodes as declared
operations.

Stands on core.node, core.inplace, core.state.
"""

from __future__ import annotations

import functools
import inspect
import sys
import warnings
import weakref
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any

from flambeau.core import state
from flambeau.core.anomaly import note_forward
from flambeau.core.batch.array import ACTIVE, TRANSFORMING
from flambeau.core.errors import fail
from flambeau.core.forward import PUSHING
from flambeau.core.node import AccumulateGrad, Node, Port, was_freed, was_written
from flambeau.core.packing import unrecorded
from flambeau.core.provenance import stack_level, user_frame
from flambeau.core.storage import Storage, marked_storage, storage_of, touch
from flambeau.core.tensor import Tensor, edge_of, wrap, wrap_like_view

__all__ = [
    "BackwardCFunction",
    "Function",
    "FunctionCtx",
    "FunctionMeta",
    "InplaceFunction",
    "NestedIOFunction",
    "once_differentiable",
]


class _Kept:
    """One tensor given to `save_for_backward`."""

    __slots__ = ("array", "edge", "kind", "leaf", "store", "written")

    def __init__(self, tensor: Tensor, node: Any) -> None:
        edge = edge_of(tensor)
        own = edge is not None and (edge.node if type(edge) is Port else edge) is node
        self.array = tensor._array
        self.store: Storage = marked_storage(tensor)
        self.written = self.store.written
        self.edge = None if own else edge
        self.kind = edge.number if own and type(edge) is Port else 0 if own else None
        self.leaf = weakref.ref(tensor) if type(edge) is AccumulateGrad or edge is None else None


class FunctionCtx:
    """What `forward` and `backward` share: `ctx`."""

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep tensors for `backward`, where `ctx.saved_tensors` gives them; writes to them
        meanwhile are noticed.

        Raises:
            TypeError: something is neither a tensor nor None.
        """
        for k, value in enumerate(tensors):
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(
                    f"save_for_backward can only save variables, but argument {k} is of type "
                    f"{type(value).__name__}: keep it as an attribute of ctx."
                )
        self.to_save = tensors

    def save_for_forward(self, *tensors: Tensor | None) -> None:
        """Keep tensors for `jvp`."""
        self.saved_for_forward = tensors

    def mark_dirty(self, *args: Tensor) -> None:
        """Name the inputs that `forward` wrote in place."""
        self.dirty_tensors = args

    def mark_non_differentiable(self, *args: Tensor) -> None:
        """Name the outputs that have no gradient."""
        self.non_differentiable = args

    def set_materialize_grads(self, value: bool) -> None:
        """Whether `backward` gets zeros instead of None for unused outputs (default True)."""
        self.materialize_grads = value


SHARED = frozenset(
    "metadata name next_functions register_hook register_prehook _sequence_nr".split()
)
"""What a node says of itself to its `ctx`."""


class Context(FunctionCtx):
    """The `ctx` of a call. Its attributes are the user's own, whatever a node calls its parts.
    What the user sets is read at `grad_fn`, too.
    """

    moving = False
    """Whether `jvp` runs: it sees what was saved for it."""

    def __init__(self, node: FunctionNode, needs: tuple[bool, ...]) -> None:
        self._node_of_call = weakref.ref(node)
        self.needs_input_grad = needs
        self.to_save: tuple[Any, ...] = ()
        self.dirty_tensors: tuple[Tensor, ...] = ()
        self.non_differentiable: tuple[Tensor, ...] = ()
        self.materialize_grads = True

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The tensors given to `save_for_backward`.

        Raises:
            RuntimeError: they were freed, or written in place since.
        """
        if self.moving:
            return tuple(self.__dict__.get("saved_for_forward") or ())
        node = self._node_of_call()
        return tuple(self.to_save) if node is None else node.saved_tensors

    @property
    def saved_variables(self) -> tuple[Any, ...]:
        return self.saved_tensors

    def __getattr__(self, name: str) -> Any:
        node = self.__dict__["_node_of_call"]() if "_node_of_call" in self.__dict__ else None
        if name in SHARED and node is not None:
            return getattr(node, name)
        owner = "ctx" if node is None else node.name()
        raise AttributeError(f"'{owner}' object has no attribute '{name}'")

    def __repr__(self) -> str:
        node = self._node_of_call()
        return super().__repr__() if node is None else repr(node)


class FunctionNode(Node):
    """The node of a call in the graph."""

    function: type[Function]
    freed: Any = None

    def __init__(self, function: type[Function], needs: tuple[bool, ...]) -> None:
        self.function = function
        self.hooks = None
        self.edges = ()
        self._arguments = len(needs)
        self._context = Context(self, needs)
        self._kept: list[_Kept | None] | None = None
        self._packed: list[Any] | None = None

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The tensors given to `save_for_backward`.

        Raises:
            RuntimeError: they were freed, or written in place since.
        """
        if self._packed is not None:
            return tuple(None if p is None else p[1](p[0]) for p in self._packed)
        if self._kept is None:
            if self.freed is not None:
                raise was_freed(self, self.freed)
            return tuple(self._context.to_save)
        found: list[Tensor | None] = []
        for k, kept in enumerate(self._kept):
            if kept is None:
                found.append(None)
                continue
            if kept.store.written > max(kept.written, self.sequence):
                raise was_written(self, f"saved tensor number {k}", kept.store, kept.array.shape)
            leaf = kept.leaf() if kept.leaf is not None else None
            if leaf is not None and leaf._array is kept.array:
                found.append(leaf)
                continue
            tensor = wrap(kept.array)
            tensor._storage = kept.store
            if kept.kind is not None:
                tensor._edge = Port(self, kept.kind) if self.outputs > 1 else self
            else:
                tensor._edge = kept.edge
            found.append(tensor)
        return tuple(found)

    @property
    def saved_variables(self) -> tuple[Any, ...]:
        return self.saved_tensors

    def __getattr__(self, name: str) -> Any:
        context = self.__dict__.get("_context")
        if context is not None and name in context.__dict__:
            return context.__dict__[name]
        raise AttributeError(f"'{self.name()}' object has no attribute '{name}'")

    def name(self) -> str:
        return self.function.__name__ + "Backward"

    def __repr__(self) -> str:
        return f"<torch.autograd.function.{self.name()} object at {id(self):#x}>"

    def run(self, grads: Any, graph: bool, keep: bool) -> Iterable[Any]:
        given = [
            g if g is None or isinstance(g, Tensor) else wrap(g)
            for g in (grads if self.outputs > 1 else [grads])
        ]
        context = self._context
        if PUSHING.get() and self.function.jvp is not Function.jvp:
            from flambeau.func.functions import moved

            return moved(self, given)
        if context.materialize_grads:
            shapes = self.shape if self.outputs > 1 else (self.shape,)
            kinds = self.dtype if self.outputs > 1 else (self.dtype,)
            import numpy as np

            given = [
                wrap(np.zeros(s, d)) if g is None and s is not None else g
                for g, s, d in zip(given, shapes, kinds, strict=True)
            ]
        function = self.function
        if function.vjp is not Function.vjp:
            if function.backward is not Function.backward:
                raise fail(
                    RuntimeError,
                    self.name(),
                    "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. "
                    "They are two names of one thing: keep one.",
                )
            results = function.vjp(context, *given)
        else:
            results = function.backward(context, *given)
        if not keep and (self._kept or self._packed):
            self._kept = self._packed = None
            context.to_save = ()
            frame = user_frame(sys._getframe(1))
            self.freed = (frame.f_code, frame.f_lasti)
        results = results if isinstance(results, (tuple, list)) else (results,)
        wanted = self._positions
        count = self._arguments
        if len(results) > count and all(r is None for r in results[count:]):
            results = results[:count]
        if len(results) != count:
            raise fail(
                RuntimeError,
                self.name(),
                f"returned an incorrect number of gradients (expected {count}, got "
                f"{len(results)}): backward returns one for "
                "each argument of forward after ctx, None for those that are no tensors.",
            )
        found = []
        for k in wanted:
            r = results[k]
            if r is not None and not isinstance(r, Tensor):
                raise fail(
                    RuntimeError,
                    self.name(),
                    f"expected Variable or None for gradient {k} (got {type(r).__name__})",
                )
            self._check_shape(k, r)
            found.append(r if graph or r is None else r._array)
        return found

    def _check_shape(self, k: int, grad: Tensor | None) -> None:
        """Whether a gradient fits the input it belongs to.

        Raises:
            RuntimeError: it does not sum to the input's shape.
        """
        edge = self.edges[self._positions.index(k)]
        if grad is None or edge is None:
            return
        shape = edge.node.shape[edge.number] if type(edge) is Port else edge.shape
        given = grad._array.shape
        lead = len(given) - len(shape)
        if given != shape and (
            lead < 0 or any(n not in (1, m) for n, m in zip(shape, given[lead:], strict=True))
        ):
            raise fail(
                RuntimeError,
                self.name(),
                f"Function {self.name()} returned an invalid gradient at index {k} - got "
                f"{list(given)} but expected shape "
                f"compatible with {list(shape)}",
            )


class Function(FunctionCtx):
    """An operation with its own `forward` and `backward` (static methods); call it with `apply`.

    ``forward(ctx, *args)`` computes, or ``forward(*args)`` with ``setup_context(ctx, inputs,
    output)``; ``backward(ctx, *grad_outputs)`` returns a gradient for every argument.
    """

    generate_vmap_rule = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warnings.warn(
            f"{type(self)} should not be instantiated. Methods on autograd functions are all "
            f"static, so you should invoke them on "
            "the class itself.",
            DeprecationWarning,
            stacklevel=stack_level(),
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. Please use "
            "new-style autograd function with "
            f"static forward method, and call {type(self).__name__}.apply(...)."
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(
            "You must implement the forward function for custom autograd.Function."
        )

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom "
            "autograd.Function to use it with backward mode AD."
        )

    @staticmethod
    def vjp(ctx: Any, *grad_outputs: Any) -> Any:
        raise NotImplementedError

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with "
            "forward mode AD."
        )

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        raise NotImplementedError(
            "To use autograd.Function with vmap, you must either override the vmap static method "
            "or set generate_vmap_rule=True."
        )

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run `forward` and record the call."""
        for base in cls.__mro__:  # as inspect.getattr_static finds it, in a tenth of the time
            if "forward" in base.__dict__:
                forward = base.__dict__["forward"]
                break
        if not isinstance(forward, (staticmethod, classmethod, FunctionType)):
            raise RuntimeError("forward must be a static method")
        if cls.setup_context is not Function.setup_context:
            args, kwargs = _with_defaults(cls.forward, args, kwargs)
        if TRANSFORMING.get() or ACTIVE.get():
            from flambeau.func.functions import apply_by_level, check_form

            check_form(cls, Function)
            found = apply_by_level(cls, Function, args) if ACTIVE.get() else NotImplemented
            if found is not NotImplemented:
                return found
        edges = [edge_of(a) if isinstance(a, Tensor) else None for a in args]
        recording = state.grad_enabled() and any(e is not None for e in edges)
        node = FunctionNode(cls, tuple(e is not None for e in edges))
        ctx = node._context
        m = state.mode()
        token = state.switch_grad(False)
        try:
            if cls.setup_context is not Function.setup_context:
                output = cls.forward(*args, **kwargs)
                cls.setup_context(ctx, args, output)
            else:
                output = cls.forward(ctx, *args, **kwargs)
        finally:
            state.restore(token)
        return _record(cls, node, args, edges, output, recording, m)


def _with_defaults(forward: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
    """What `forward` gets, its defaults among it: `setup_context` sees them as inputs."""
    if kwargs:
        bound = inspect.signature(forward).bind(*args, **kwargs)
        bound.apply_defaults()
        return bound.args, bound.kwargs
    defaults = getattr(forward, "__defaults__", None) or ()
    missing = forward.__code__.co_argcount - len(args) if defaults else 0
    if 0 < missing <= len(defaults):
        args = (*args, *defaults[-missing:])
    return args, kwargs


def _record(
    cls: Any, node: FunctionNode, args: Any, edges: Any, output: Any, recording: bool, m: Any
) -> Any:
    ctx = node._context
    single = not isinstance(output, tuple)
    outputs = [output] if single else list(output)
    inputs = {id(a): a for a in args if isinstance(a, Tensor)}
    dirty = {id(t) for t in ctx.dirty_tensors}
    for t in ctx.dirty_tensors:
        if id(t) not in inputs:
            warnings.warn(
                f"{cls.__name__}: only input tensors should be given to mark_dirty(), and a tensor "
                "that is no input was. It is taken for a result like others.",
                UserWarning,
                stacklevel=stack_level(),
            )
            dirty.discard(id(t))
            continue
        touch(t, cls.__name__)
    hidden = {id(t) for t in ctx.non_differentiable}
    frame = user_frame(sys._getframe(2))
    node.code, node.lasti = frame.f_code, frame.f_lasti
    node.sequence = state.next_sequence()
    if not recording:
        ctx.to_save = tuple(ctx.to_save or ())
        return output
    node._positions = tuple(k for k, a in enumerate(args) if isinstance(a, Tensor))
    if cls.jvp is not Function.jvp:
        node._inputs = tuple((args[k]._array.shape, args[k]._array.dtype) for k in node._positions)
        node._written = {
            k: next(i for i, a in enumerate(args) if a is out)
            for k, out in enumerate(outputs)
            if id(out) in dirty
        }
    node.edges = tuple(edges[k] for k in node._positions)
    many = len(outputs) > 1
    if many:
        node.outputs = len(outputs)
        node.shape = tuple(o._array.shape if isinstance(o, Tensor) else None for o in outputs)
        node.dtype = tuple(o._array.dtype if isinstance(o, Tensor) else None for o in outputs)
    elif outputs and isinstance(outputs[0], Tensor):
        node.shape, node.dtype = outputs[0]._array.shape, outputs[0]._array.dtype
    for k, out in enumerate(outputs):
        if not isinstance(out, Tensor) or id(out) in hidden:
            continue
        kind = out.dtype
        if not (kind.is_floating_point or kind.is_complex):
            continue
        edge = Port(node, k) if many else node
        if id(out) in dirty:
            from flambeau.core.inplace import check_inplace, rebase

            check_inplace(cls.__name__, out, True)
            if out._view is not None and not many:
                rebase(out, node)
            else:
                out._edge = edge
            continue
        if id(out) in inputs:
            # An input returned as it is: a view of it carries the history.
            fresh = wrap_like_view(out._array, out)
            base = out if out._view is None else out._view[0]
            fresh._view = (base, storage_of(out).version, "")
            outputs[k] = out = fresh
        if out._view is not None:
            # Written in place, its gradient would go past the user's backward.
            out._view = (*out._view[:2], "multi" if many else "function")
        out._edge = edge
        if out._view is not None and id(out) not in inputs and edge_of(out._view[0]) is None:
            # A view of a tensor of forward's own: what forward wrote into it is in the values.
            out._view = (out._view[0], storage_of(out).version, out._view[2])
    kept = [None if t is None else t for t in (ctx.to_save or ())]
    if m is not None and m.anomaly:
        note_forward(node)
    if m is not None and m.pack:
        pack, unpack = m.pack[-1]
        with unrecorded():
            node._packed = [None if t is None else (pack(t), unpack) for t in kept]
    else:
        node._kept = [None if t is None else _Kept(t, node) for t in kept]
    ctx.to_save = ()
    ctx.dirty_tensors = ctx.non_differentiable = ()
    return outputs[0] if single else tuple(outputs)


def once_differentiable(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator of a `backward` that may not be differentiated again."""

    @functools.wraps(function)
    def wrapper(ctx: Any, *args: Any) -> Any:
        recorded = state.grad_enabled()
        token = state.switch(grad=False)
        try:
            outputs = function(ctx, *args)
        finally:
            state.restore(token)
        if not recorded or not any(isinstance(a, Tensor) and a.requires_grad for a in args):
            return outputs
        found = outputs if isinstance(outputs, tuple) else (outputs,)
        marked = tuple(None if t is None else _refusing(t, function.__qualname__) for t in found)
        return marked if isinstance(outputs, tuple) else marked[0]

    return wrapper


class _Refusal(Node):
    def __init__(self, tensor: Tensor, name: str) -> None:
        self.edges = ()
        self.hooks = None
        self.shape, self.dtype = tensor._array.shape, tensor._array.dtype
        self.sequence = state.next_sequence()
        self.label = name
        frame = user_frame(sys._getframe(1))
        self.code, self.lasti = frame.f_code, frame.f_lasti

    def run(self, grads: Any, graph: bool, keep: bool) -> Iterable[Any]:
        raise fail(
            RuntimeError,
            self.label,
            "trying to differentiate twice a function that was marked with @once_differentiable: "
            "write its backward in "
            "differentiable operations and take the decorator away.",
        )


def _refusing(tensor: Tensor, name: str) -> Tensor:
    fresh = wrap_like_view(tensor._array, tensor)
    fresh._edge = _Refusal(tensor, name)
    return fresh


class NestedIOFunction(Function):
    """A Function whose arguments and results may be nested; kept for programs that name it."""


class InplaceFunction(Function):
    """A Function that remembers whether it works in place.

    Args:
        inplace: whether it does.
    """

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace


FunctionMeta = type(Function)
BackwardCFunction = FunctionNode
