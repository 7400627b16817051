"""``torch.ops``: operations by namespace and name; `Library` defines and implements them by text.
Stands on schema."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.library.schema import Schema, parse

__all__ = [
    "Library", "Overload", "Packet", "define", "fallthrough_kernel", "get_ctx", "impl", "ops",
    "packet",
]  # fmt: skip


class Overload:
    """``torch.ops.name.space.default``."""

    def __init__(self, packet: Packet) -> None:
        self.packet = packet

    @property
    def _schema(self) -> Schema:
        return self.packet.schema

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.packet(*args, **kwargs)

    def name(self) -> str:
        """``namespace::name``."""
        return f"{self.packet.namespace}::{self.packet.name}"

    def __str__(self) -> str:
        return f"{self.packet}.default"

    def __repr__(self) -> str:
        return f"<OpOverload(op='{self.packet}', overload='default')>"


class Packet:
    """``torch.ops.namespace.name``: what is called, once something implements it."""

    def __init__(self, namespace: str, name: str, schema: str) -> None:
        self.namespace, self.name = namespace, name
        self.schema = Schema(f"{namespace}::{name}", schema)
        self.kernels: dict[str, Callable[..., Any]] = {}
        self.default = Overload(self)
        self.__name__ = name

    @property
    def _qualified_op_name(self) -> str:
        return f"{self.namespace}::{self.name}"

    def overloads(self) -> list[str]:
        """The names of the overloads."""
        return ["default"]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        meta = any(isinstance(a, Tensor) and a.is_meta for a in args)
        order = (
            ("Meta", "CompositeExplicitAutograd", "CompositeImplicitAutograd")
            if meta
            else (
                "Autograd",
                "AutogradCPU",
                "CPU",
                "CompositeExplicitAutograd",
                "CompositeImplicitAutograd",
                "",
            )
        )
        for key in order:
            if key in self.kernels:
                return self.kernels[key](*args, **kwargs)
        where = "the meta device" if meta else "the CPU"
        raise fail(
            NotImplementedError,
            self._qualified_op_name,
            f"no kernel for {where} was registered: it has {sorted(self.kernels)}. Use "
            "torch.library.impl or register_fake.",
        )

    def __str__(self) -> str:
        return f"{self.namespace}.{self.name}"

    def __repr__(self) -> str:
        return f"<OpOverloadPacket(op='{self}')>"


class _Namespace:
    def __init__(self, name: str) -> None:
        self.__dict__["_name"] = name

    def __getattr__(self, name: str) -> Any:
        if self._name == "aten" and not name.startswith("__"):
            from flambeau.library.aten import find

            found = find(name)
            if found is not None:
                self.__dict__[name] = found
                return found
        if self._name == "quantized" and not name.startswith("__"):
            from flambeau.ao.nn.quantized.operations import OPERATIONS

            if name in OPERATIONS:
                return OPERATIONS[name]
        raise AttributeError(f"'_OpNamespace' '{self._name}' object has no attribute '{name}'")

    def __repr__(self) -> str:
        return f"<module 'torch.ops.{self._name}' from 'torch.ops'>"


class _Operations:
    """`torch.ops`: namespaces appear when they are asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = _Namespace(name)
        setattr(self, name, found)
        return found

    def load_library(self, path: str) -> None:
        """Compiled operations cannot be loaded.

        Raises:
            OSError: always.
        """
        raise OSError(
            f"torch.ops.load_library: {path} is compiled for PyTorch; flambeau runs operations "
            "written in Python."
        )


ops = _Operations()


def packet(qualified: str) -> Packet | None:
    """The operation ``namespace::name``, if there is one."""
    namespace, _, name = qualified.partition("::")
    return vars(getattr(ops, namespace)).get(name.partition(".")[0])


def make(namespace: str, name: str, schema: str) -> Packet:
    """Define ``torch.ops.namespace.name``."""
    found = Packet(namespace, name, schema)
    setattr(getattr(ops, namespace), name, found)
    return found


def fallthrough_kernel() -> None:
    """Given to `Library.impl`: this dispatch key leaves the operation to the next.

    Raises:
        NotImplementedError: it is called.
    """
    raise NotImplementedError("fallthrough_kernel() should never be called.")


class Library:
    """Operations of one namespace, defined and implemented by text.

    Args:
        ns: the namespace. kind: "DEF", "IMPL" or "FRAGMENT". dispatch_key: where `impl` goes by
            default.
    """

    def __init__(self, ns: str, kind: str, dispatch_key: str = "") -> None:
        if kind not in ("DEF", "IMPL", "FRAGMENT"):
            raise ValueError(f"Library: Unsupported kind: {kind}. It is DEF, IMPL or FRAGMENT.")
        if kind != "IMPL" and ns == "prim":
            raise ValueError(f"Library: the namespace {ns} is reserved. Choose one of your own.")
        if kind == "DEF" and ns == "aten":
            raise RuntimeError(
                "Library: the namespace aten is defined already. Extend it with FRAGMENT or IMPL."
            )
        self.ns, self.kind, self.dispatch_key = ns, kind, dispatch_key
        self._names: list[str] = []

    def __repr__(self) -> str:
        return f"Library(kind={self.kind}, ns={self.ns}, dispatch_key={self.dispatch_key})>"

    def define(self, schema: str, alias_analysis: str = "", *, tags: Any = ()) -> str:
        """Define ``name(arguments) -> returns``; its name.

        Raises:
            RuntimeError: an unknown `alias_analysis`.
        """
        if alias_analysis not in ("", "FROM_SCHEMA", "CONSERVATIVE"):
            raise fail(
                RuntimeError,
                "Library.define",
                f"alias_analysis is {alias_analysis!r}, expected '', 'FROM_SCHEMA' or "
                "'CONSERVATIVE'",
            )
        name, rest = parse(schema)
        make(self.ns, name, rest)
        self._names.append(name)
        return name

    def impl(
        self,
        op_name: Any,
        fn: Callable[..., Any],
        dispatch_key: str = "",
        *,
        with_keyset: bool = False,
        allow_override: bool = True,
    ) -> None:
        """Implement an operation for a dispatch key (CPU, Meta, Autograd,
        CompositeImplicitAutograd, ...).

        Raises:
            RuntimeError: it was not defined, or has this kernel already and `allow_override` is
                False. TypeError: `fn` cannot be called.
        """
        if not callable(fn):
            raise fail(
                TypeError,
                "Library.impl",
                f"Input function is required to be a callable but found type {type(fn)}",
            )
        name = (op_name if isinstance(op_name, str) else op_name.name()).rpartition("::")[2]
        found = packet(f"{self.ns}::{name}")
        if found is None:
            raise fail(
                RuntimeError,
                "Library.impl",
                f"{self.ns}::{name} was not defined: call define() first",
            )
        if fn is not fallthrough_kernel:
            key = dispatch_key or self.dispatch_key or "CompositeImplicitAutograd"
            if key in found.kernels and not allow_override:
                raise fail(
                    RuntimeError,
                    "Library.impl",
                    f"This is not allowed since there's already a kernel of {self.ns}::{name} for "
                    f"{key}. allow_override=True puts another in its place.",
                )
            found.kernels[key] = fn

    def _destroy(self) -> None:
        for name in self._names:
            vars(getattr(ops, self.ns)).pop(name, None)


def define(qualname: str, schema: str, *, lib: Library | None = None, tags: Any = ()) -> Any:
    """Define ``namespace::name`` by the text of its schema; without the text, a decorator of the
    function."""
    namespace, _, name = qualname.partition("::")
    make(namespace, name, parse(schema)[1])


KEYS = {
    "cpu": "CPU",
    "cuda": "CUDA",
    "meta": "Meta",
    "default": "CompositeExplicitAutograd",
    "types": "CompositeExplicitAutograd",
}


def impl(
    qualname: Any, types: Any, func: Callable[..., Any] | None = None, *, lib: Any = None
) -> Any:
    """Implement an operation for device types: ``impl("ns::name", "cpu", f)``, or as a decorator.

    With a `Library` first: ``@impl(library, "name", "CPU")``.
    """
    if isinstance(qualname, Library):
        library, name, key = qualname, types, func

        def register(function: Callable[..., Any]) -> Callable[..., Any]:
            library.impl(name, function, str(key or ""))
            return function

        return register

    def implement(function: Callable[..., Any]) -> Callable[..., Any]:
        found = packet(qualname)
        if found is None:
            raise fail(
                RuntimeError,
                "library.impl",
                f"{qualname} was not defined: call torch.library.define() first",
            )
        for kind in (types,) if isinstance(types, str) else types:
            found.kernels[KEYS.get(kind, kind)] = function
        return function

    return implement if func is None else implement(func)


class _FakeContext:
    """What a fake implementation asks for sizes that depend on data."""

    def new_dynamic_size(self, *, min: int = 0, max: int | None = None) -> int:
        """A size of the least value."""
        return min


def get_ctx() -> _FakeContext:
    """The context of the fake implementation that runs."""
    return _FakeContext()
