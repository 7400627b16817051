"""`custom_op`: a Python function as an operation, with a gradient through `autograd.Function`.
Stands on registry."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

import flambeau
from flambeau.core import state
from flambeau.core.batch.array import ACTIVE
from flambeau.core.errors import fail
from flambeau.core.storage import touch
from flambeau.core.tensor import Tensor, edge_of
from flambeau.library import registry
from flambeau.library.custom_graph import function_of, in_graph
from flambeau.library.schema import Schema, infer_schema

__all__ = [
    "CustomOpDef",
    "custom_op",
    "impl_abstract",
    "register_autocast",
    "register_autograd",
    "register_fake",
    "register_kernel",
    "register_vmap",
    "triton_op",
]


class CustomOpDef:
    """An operation of the user's own: call it like the function it was made of."""

    def __init__(
        self, namespace: str, name: str, schema: str, function: Callable[..., Any], devices: Any
    ) -> None:
        self._namespace, self._name = namespace, name
        self._init_fn = function
        self._kernels: dict[str | None, Callable[..., Any]] = {}
        self._fake: Callable[..., Any] | None = None
        self._backward: Callable[..., Any] | None = None
        self._setup: Callable[..., Any] | None = None
        self._vmap: Callable[..., Any] | None = None
        self._casts: dict[str, Any] = {}
        self._signature = inspect.signature(function)
        kinds = self._signature.parameters.items()
        self._keywords = tuple(n for n, p in kinds if p.kind is p.KEYWORD_ONLY)
        self.__name__, self.__doc__ = name, function.__doc__
        packet = registry.make(namespace, name, schema)
        packet.kernels["Autograd"] = packet.kernels["Meta"] = self
        self._opoverload = packet.default
        for device in (devices,) if devices is None or isinstance(devices, str) else devices:
            self._kernels[device] = function
        self._function = function_of(self)

    @property
    def _qualname(self) -> str:
        return f"{self._namespace}::{self._name}"

    @property
    def _schema(self) -> Schema:
        return self._opoverload._schema

    def __repr__(self) -> str:
        return f"<CustomOpDef({self._qualname})>"

    def register_kernel(self, device_types: Any, func: Callable[..., Any] | None = None) -> Any:
        """Implement the operation for device types; None for all. A decorator without `func`."""

        def register(function: Callable[..., Any]) -> Callable[..., Any]:
            for device in (
                (device_types,)
                if device_types is None or isinstance(device_types, str)
                else device_types
            ):
                self._kernels[device] = function
            return function

        return register if func is None else register(func)

    def register_fake(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        """What the operation does on meta tensors: only shapes and dtypes."""
        self._fake = fn
        return fn

    def register_autograd(
        self, backward: Callable[..., Any], /, *, setup_context: Callable[..., Any] | None = None
    ) -> None:
        """The gradient: ``setup_context(ctx, inputs, output)`` saves, ``backward(ctx, *grads)``
        returns one for each input."""
        if self._schema.mutates:
            raise fail(
                RuntimeError,
                "register_autograd",
                f"Cannot register autograd formula for non-functional operator {self!r}: it writes "
                f"{sorted(self._schema.mutates)}",
            )
        self._backward, self._setup = backward, setup_context

    def register_vmap(self, func: Callable[..., Any] | None = None) -> Any:
        """What the operation does on batched tensors."""

        def register(function: Callable[..., Any]) -> Callable[..., Any]:
            self._vmap = function
            return function

        return register if func is None else register(func)

    def register_autocast(self, device_type: str, cast_inputs: Any) -> None:
        """Cast floating inputs to a dtype inside autocast regions of a device type."""
        self._casts[device_type] = cast_inputs

    def set_kernel_enabled(self, device_type: str, enabled: bool = True) -> Any:
        """Within a block, use or leave the kernel of a device type."""
        from contextlib import contextmanager

        @contextmanager
        def switched() -> Any:
            kept = self._kernels.get(device_type)
            if not enabled and kept is not None:
                self._kernels[device_type] = self._init_fn
            try:
                yield
            finally:
                if kept is not None:
                    self._kernels[device_type] = kept

        return switched()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        inputs = bound.args + tuple(bound.kwargs.values())
        cast = self._casts.get("cpu")
        if cast is not None and state.current().autocast is not None:
            inputs = tuple(
                x.to(cast)
                if isinstance(x, Tensor) and x.is_floating_point() and x.element_size() < 8
                else x
                for x in inputs
            )
        if ACTIVE.get():
            from flambeau.func.functions import call_rule

            rule = self._by_sample if self._vmap is None else self._by_rule
            found = call_rule(self._qualname, rule, inputs)
            if found is not NotImplemented:
                return found
        tensors = [
            t
            for x in inputs
            for t in (x if isinstance(x, (list, tuple)) else (x,))
            if isinstance(t, Tensor)
        ]
        if not state.grad_enabled() or not any(edge_of(t) is not None for t in tensors):
            return self._run(inputs)
        if self._schema.mutates:
            return self._run(inputs)
        return in_graph(self, inputs)

    def apart(self, inputs: tuple[Any, ...]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The positional inputs, and those by keyword alone, which come last."""
        count = len(inputs) - len(self._keywords)
        return inputs[:count], dict(zip(self._keywords, inputs[count:], strict=True))

    def _by_rule(self, info: Any, in_dims: tuple[Any, ...], *inputs: Any) -> Any:
        """The operation on a batch, by the rule that is registered."""
        assert self._vmap is not None
        plain, named = self.apart(inputs)
        return self._vmap(info, in_dims[: len(plain)], *plain, **named)

    def _by_sample(self, info: Any, in_dims: tuple[Any, ...], *inputs: Any) -> Any:
        """The operation on a batch where no rule is registered: sample after sample."""
        from flambeau.utils._pytree import tree_flatten, tree_unflatten

        leaves, spec = tree_flatten(inputs)
        dims = tree_flatten(in_dims, is_leaf=lambda d: d is None)[0]
        pairs = list(zip(leaves, dims, strict=True))
        found = []
        for i in range(info.batch_size):
            sample = [x if d is None else x.select(d, i) for x, d in pairs]
            found.append(tree_flatten(self(*tree_unflatten(sample, spec))))
        stacked = [
            flambeau.stack(each) if isinstance(each[0], Tensor) else each[0]
            for each in zip(*(outputs for outputs, _ in found), strict=True)
        ]
        return tree_unflatten(stacked, found[0][1]), 0

    def _run(self, inputs: tuple[Any, ...]) -> Any:
        """The implementation, outside the graph; notes what it wrote."""
        tensors = [x for x in inputs if isinstance(x, Tensor)]
        if any(t.is_meta for t in tensors):
            if self._fake is None:
                raise fail(
                    NotImplementedError,
                    self._qualname,
                    f"There was no fake impl registered for {self!r}: add one with register_fake",
                )
            function = self._fake
        else:
            function = self._kernels.get("cpu") or self._kernels.get(None)  # type: ignore[assignment]
            if function is None:
                raise fail(
                    NotImplementedError,
                    self._qualname,
                    f"there is no kernel for the cpu, only for {sorted(map(str, self._kernels))}",
                )
        names = list(self._signature.parameters)
        plain, named = self.apart(inputs)
        versions = {
            n: x._version
            for n, x in zip(names, inputs, strict=True)
            if isinstance(x, Tensor) and n in self._schema.mutates
        }
        token = state.switch_grad(False)
        try:
            found = function(*plain, **named)
        finally:
            state.restore(token)
        for name, value in zip(names, inputs, strict=True):
            if name in versions and value._version == versions[name]:
                touch(value, self._qualname)
        self._check_alias(found, tensors)
        return found

    def _check_alias(self, found: Any, tensors: list[Tensor]) -> None:
        outputs = found if isinstance(found, (list, tuple)) else (found,)
        for output in outputs:
            if isinstance(output, Tensor) and any(
                output is t or (output._storage is not None and output._storage is t._storage)
                for t in tensors
            ):
                raise fail(
                    RuntimeError,
                    self._qualname,
                    "The output of this custom operator (1) must not also be an input to this "
                    "custom operator and (2) may not alias "
                    "any inputs to this custom operator or other returns. Return a clone() "
                    "instead.",
                )


def custom_op(
    name: str,
    fn: Callable[..., Any] | None = None,
    /,
    *,
    mutates_args: str | Iterable[str],
    device_types: Any = None,
    schema: str | None = None,
    tags: Any = None,
) -> Any:
    """Make an operation of a function: ``@custom_op("namespace::name", mutates_args=())``.

    Args:
        mutates_args: names of the tensors the function writes. device_types: those it implements
            (default all).
        schema: by default read from the annotations.

    Raises:
        ValueError: a name without namespace, or annotations that schemas have no word for.
    """
    namespace, separator, short = name.partition("::")
    if not separator or not namespace or not short:
        raise ValueError(f"custom_op: expected a name of the form 'namespace::name', got '{name}'")

    def make(function: Callable[..., Any]) -> CustomOpDef:
        text = (
            infer_schema(function, mutates_args=mutates_args)
            if schema is None
            else schema[schema.index("(") :]
        )
        return CustomOpDef(namespace, short, text, function, device_types)

    return make if fn is None else make(fn)


def triton_op(
    name: str,
    fn: Callable[..., Any] | None = None,
    /,
    *,
    mutates_args: Any,
    schema: str | None = None,
) -> Any:
    """`custom_op`: there is no Triton here, the function runs as Python."""
    return custom_op(name, fn, mutates_args=mutates_args, schema=schema)


def _found(op: Any) -> Any:
    if isinstance(op, CustomOpDef):
        return op
    name = (
        op
        if isinstance(op, str)
        else op.name()
        if callable(getattr(op, "name", None))
        else op._qualified_op_name
    )
    packet = registry.packet(name)
    if packet is None:
        raise fail(
            RuntimeError, "torch.library", f"operator {name} does not exist: define it first"
        )
    owner = packet.kernels.get("Autograd")
    if isinstance(owner, CustomOpDef):
        return owner
    # An operation defined by text: its kernel becomes a custom one when it gets rules.
    kernel = (
        packet.kernels.get("CPU")
        or packet.kernels.get("CompositeExplicitAutograd")
        or packet.kernels.get("CompositeImplicitAutograd")
    )
    if kernel is None:
        return packet
    found = CustomOpDef(packet.namespace, packet.name, packet.schema.text, kernel, None)
    meta = packet.kernels.get("Meta")
    found._fake = meta
    return found


def register_kernel(
    op: Any, device_types: Any, func: Callable[..., Any] | None = None, /, *, lib: Any = None
) -> Any:
    """Implement an operation for device types."""
    return _found(op).register_kernel(device_types, func)


def register_fake(
    op: Any,
    func: Callable[..., Any] | None = None,
    /,
    *,
    lib: Any = None,
    _stacklevel: int = 1,
    **_: Any,
) -> Any:
    """What an operation does on meta tensors; a decorator without `func`."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        found = _found(op)
        if isinstance(found, CustomOpDef):
            found.register_fake(function)
        else:
            found.kernels["Meta"] = function
        return function

    return register if func is None else register(func)


def impl_abstract(
    qualname: Any, func: Callable[..., Any] | None = None, *, lib: Any = None, _stacklevel: int = 1
) -> Any:
    """`register_fake`, by its old name."""
    return register_fake(qualname, func, lib=lib, _stacklevel=_stacklevel + 1)


def register_autograd(
    op: Any,
    backward: Callable[..., Any],
    /,
    *,
    setup_context: Callable[..., Any] | None = None,
    lib: Any = None,
) -> None:
    """The gradient of an operation."""
    _found(op).register_autograd(backward, setup_context=setup_context)


def register_vmap(op: Any, func: Callable[..., Any] | None = None, /, *, lib: Any = None) -> Any:
    """What an operation does on batched tensors."""
    return _found(op).register_vmap(func)


def register_autocast(op: Any, device_type: str, cast_inputs: Any, /, *, lib: Any = None) -> None:
    """Cast an operation's inputs inside autocast regions."""
    _found(op).register_autocast(device_type, cast_inputs)
