"""The `__torch_function__` protocol by its public names: modes, the list of what can be overridden,
helpers for functions written outside. The mechanism stands in core.overrides.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from flambeau.core import lower, state
from flambeau.core import overrides as core
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import Tensor

__all__ = [
    "BaseTorchFunctionMode",
    "DisableTorchFunction",
    "DisableTorchFunctionSubclass",
    "TorchFunctionMode",
    "enable_reentrant_dispatch",
    "get_default_nowrap_functions",
    "get_ignored_functions",
    "get_overridable_functions",
    "get_testing_overrides",
    "handle_torch_function",
    "has_torch_function",
    "has_torch_function_unary",
    "has_torch_function_variadic",
    "is_tensor_like",
    "is_tensor_method_or_property",
    "redispatch_function",
    "resolve_name",
    "wrap_torch_function",
]


class DisableTorchFunctionSubclass(core.without_subclasses):
    """The block in which subclasses are plain tensors; modes are still asked."""


class DisableTorchFunction:
    """The block in which neither subclasses nor modes are asked."""

    def __enter__(self) -> None:
        self._token = state.switch(functions=(*state.current().functions, core.ALL_OFF))

    def __exit__(self, *exc: object) -> None:
        state.restore(self._token)


class TorchFunctionMode:
    """A block in which every function of the library asks
    `__torch_function__(func, types, args, kwargs)` first.

    Inside that method the mode itself is off.
    """

    def __init__(self) -> None:
        pass

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: Any = (), kwargs: Any = None
    ) -> Any:
        raise NotImplementedError

    def __enter__(self) -> TorchFunctionMode:
        core.cover()
        tokens = self.__dict__.setdefault("_tokens", [])
        tokens.append(state.switch(functions=(*state.current().functions, self)))
        return self

    def __exit__(self, *exc: object) -> None:
        state.restore(self.__dict__["_tokens"].pop())

    @classmethod
    def push(cls, *args: Any, **kwargs: Any) -> TorchFunctionMode:
        """An instance, to be entered with `with` (the old form)."""
        warnings.warn(
            "`Mode.push()` is no longer necessary and can be replaced with just `with Mode()`",
            UserWarning,
            stacklevel=stack_level(),
        )
        return cls(*args, **kwargs)


class BaseTorchFunctionMode(TorchFunctionMode):
    """A mode that calls what it is asked about."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: Any = (), kwargs: Any = None
    ) -> Any:
        return func(*args, **(kwargs or {}))


def _modes() -> list[Any]:
    return [each for each in state.current().functions if each not in core.MARKS]


def _get_current_function_mode() -> TorchFunctionMode | None:
    """The innermost mode."""
    modes = _modes()
    return modes[-1] if modes else None


def _get_current_function_mode_stack() -> list[TorchFunctionMode]:
    """The modes, outermost first."""
    return _modes()


def _len_torch_function_stack() -> int:
    return len(_modes())


@contextmanager
def enable_reentrant_dispatch() -> Iterator[None]:
    """In a `__torch_dispatch__`, record gradients as where the operation was called."""
    token = state.switch(grad=lower.OUTER.get())
    try:
        yield
    finally:
        state.restore(token)


def has_torch_function(relevant_args: Iterable[Any]) -> bool:
    """Whether one of the arguments, or a mode, wants to be asked before yours runs."""
    return core.concern(relevant_args, state.mode())


def has_torch_function_unary(arg: Any) -> bool:
    """`has_torch_function` of one argument."""
    return core.concern((arg,), state.mode())


def has_torch_function_variadic(*args: Any) -> bool:
    """`has_torch_function` of the arguments."""
    return core.concern(args, state.mode())


def handle_torch_function(
    public_api: Callable[..., Any], relevant_args: Iterable[Any], *args: Any, **kwargs: Any
) -> Any:
    """Ask modes, then the types of `relevant_args`, what ``public_api(*args, **kwargs)`` gives.

    Raises:
        TypeError: all answered NotImplemented.
    """
    asked = core.listening(relevant_args)
    kinds = tuple(type(x) for x in asked)
    modes = _modes()
    if modes:
        functions = state.current().functions
        handler = modes[-1]
        at = len(functions) - 1 - functions[::-1].index(handler)
        token = state.switch(functions=functions[:at] + functions[at + 1 :])
        try:
            result = handler.__torch_function__(public_api, kinds, args, kwargs)
        finally:
            state.restore(token)
        if result is not NotImplemented:
            return result
    for x in asked:
        result = type(x).__torch_function__(public_api, kinds, args, kwargs)
        if result is not NotImplemented:
            return result
    name = f"{public_api.__module__}.{public_api.__name__}"
    found = [k.__name__ for k in kinds]
    message = (
        f"no implementation found for '{name}' on types that implement __torch_function__: {found}"
    )
    if modes:
        message += f" nor in mode {modes[-1]}"
    raise TypeError(message)


def wrap_torch_function(
    dispatcher: Callable[..., Iterable[Any]],
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: a function of yours takes part in the protocol; `dispatcher` gives the arguments
    to be asked.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            relevant = dispatcher(*args, **kwargs)
            if has_torch_function(relevant):
                return handle_torch_function(wrapped, relevant, *args, **kwargs)
            return function(*args, **kwargs)

        return wrapped

    return decorate


def redispatch_function(
    func: Callable[..., Any], types: Iterable[type], args: Any = (), kwargs: Any = None
) -> Any:
    """Call a function from a handler with subclasses off."""
    with DisableTorchFunctionSubclass():
        return func(*args, **(kwargs or {}))


def is_tensor_like(inp: Any) -> bool:
    """Whether a value is a tensor, or speaks the protocol."""
    return type(inp) is Tensor or hasattr(inp, "__torch_function__")


def get_default_nowrap_functions() -> set[Any]:
    """The functions whose results `Tensor.__torch_function__` does not give the subclass."""
    return core.NOT_WRAPPED


def _rooms() -> dict[str, Any]:
    rooms: dict[str, Any] = {}
    for name in ("", ".functional", ".nn.functional", ".nn.init", ".linalg", ".fft", ".special"):
        try:
            rooms["torch" + name] = importlib.import_module("flambeau" + name)
        except ImportError:
            continue
    rooms["torch.Tensor"] = Tensor
    return rooms


@functools.cache
def get_ignored_functions() -> set[Any]:
    """Functions that never ask: they make tensors, or say something about the library."""
    torch: Any = importlib.import_module("flambeau")
    names = (
        "typename is_tensor is_storage set_default_tensor_type set_default_dtype "
        "get_default_dtype set_rng_state get_rng_state manual_seed "
        "initial_seed seed save load set_printoptions from_numpy tensor as_tensor arange empty "
        "eye full linspace logspace ones zeros rand "
        "randn randint randperm range from_file frombuffer asarray from_dlpack can_cast "
        "promote_types result_type no_grad enable_grad "
        "set_grad_enabled is_grad_enabled compile get_num_threads set_num_threads"
    ).split()
    found = {getattr(torch, name) for name in names if hasattr(torch, name)}
    methods = (
        "__new__ __init__ __init_subclass__ __torch_function__ as_subclass new_tensor new __dir__ "
        "__setattr__ __delattr__"
    ).split()
    return found | {
        getattr(Tensor, name)
        for name in methods
        if hasattr(Tensor, name) and callable(getattr(Tensor, name))
    }


@functools.cache
def _overridable() -> tuple[dict[Any, list[Any]], dict[Any, str]]:
    core.cover()
    table: dict[Any, list[Any]] = {}
    names: dict[Any, str] = {}
    ignored = get_ignored_functions()
    for label, room in _rooms().items():
        listed = dict(vars(room))
        for name, value in listed.items():
            if isinstance(value, property):
                value = value.fget
                found = [(value, f"{label}.{name}.__get__")]
            elif inspect.isclass(value) or isinstance(value, ModuleType) or not callable(value):
                continue
            else:
                found = [(value, f"{label}.{name}")]
            if (name.startswith("_") and not name.startswith("__")) or name in (
                "__getattr__",
                "__dir__",
                "__class__",
            ):
                continue
            if room is not Tensor and not getattr(value, "__module__", "flambeau").startswith(
                "flambeau"
            ):
                continue
            for each, title in found:
                if each is None or each in ignored:
                    continue
                table.setdefault(room, []).append(each)
                names.setdefault(each, title)
    return table, names


def get_overridable_functions() -> dict[Any, list[Callable[..., Any]]]:
    """By namespace, the functions that ask `__torch_function__`."""
    return _overridable()[0]


def resolve_name(f: Callable[..., Any]) -> str | None:
    """The public name of a function that a handler was given: ``torch.Tensor.__matmul__``."""
    return _overridable()[1].get(f)


def get_testing_overrides() -> dict[Callable[..., Any], Callable[..., Any]]:
    """For every overridable function one of the same signature that returns -1."""
    return {f: _dummy(f) for functions in get_overridable_functions().values() for f in functions}


def _dummy(function: Callable[..., Any]) -> Callable[..., Any]:
    def answer(*args: Any, **kwargs: Any) -> int:
        return -1

    try:
        answer.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        pass
    return answer


def is_tensor_method_or_property(func: Callable[..., Any]) -> bool:
    """Whether a function that a handler was given is a method or a property of Tensor."""
    return (
        func in get_overridable_functions().get(Tensor, ())
        or getattr(func, "__name__", "") == "__get__"
    )
