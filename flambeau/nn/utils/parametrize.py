"""Parametrization: a parameter computed by modules from others, at every access.

Registering one gives the module a class of its own with a property in the parameter's place;
what is learned moves to ``module.parametrizations.<name>.original`` (or ``original0``, ...).
"""

from __future__ import annotations

import copyreg
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.nn.modules.container import ModuleDict, ModuleList
from flambeau.nn.modules.module import Module
from flambeau.nn.parameter import Parameter

__all__ = [
    "ParametrizationList",
    "cached",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
    "transfer_parametrizations_and_params",
    "type_before_parametrizations",
]

_cache_enabled = 0
_cache: dict[tuple[int, str], Any] = {}


@contextmanager
def cached() -> Iterator[None]:
    """Within: every parametrized tensor is computed once, at its first access."""
    global _cache_enabled, _cache
    _cache_enabled += 1
    try:
        yield
    finally:
        _cache_enabled -= 1
        if not _cache_enabled:
            _cache = {}


def _register_parameter_or_buffer(module: Module, name: str, tensor: Tensor) -> None:
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


def _refuse(message: str) -> BaseException:
    return fail(ValueError, "register_parametrization", message)


def _check_same(what: str, made: Any, expected: Tensor) -> None:
    """A parametrization must give a tensor of the dtype and shape that was there."""
    if not isinstance(made, Tensor):
        raise _refuse(f"{what} must return a tensor. Got {type(made).__name__}.")
    if made.dtype != expected.dtype:
        raise _refuse(
            "Registering a parametrization may not change the dtype of the tensor, unless the "
            f"`unsafe` flag is enabled: {what} gives {made.dtype}, expected {expected.dtype}."
        )
    if made.shape != expected.shape:
        raise _refuse(
            "Registering a parametrization may not change the shape of the tensor, unless the "
            f"`unsafe` flag is enabled: {what} gives {made.shape}, expected {expected.shape}."
        )


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor, in order, and what they start from.

    Args:
        modules: the parametrizations; their ``right_inverse`` gives the originals.
        original: the tensor as it was.
        unsafe: dtype and shape may change.
    """

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False) -> None:
        if len(modules) == 0:
            raise _refuse("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        # Noted before the inverses: they may change the original in place.
        before = flambeau.empty(original.shape, dtype=original.dtype, device="meta")
        new: Any = self._inverted(original)
        if not isinstance(new, (Tensor, Sequence)):
            raise _refuse(
                "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). "
                f"Got {type(new).__name__}"
            )
        self.is_tensor = isinstance(new, Tensor)
        self.ntensors = 1 if isinstance(new, Tensor) else len(new)
        if isinstance(new, Tensor):
            if original.dtype != new.dtype or original.device != new.device:
                raise _refuse(
                    "When `right_inverse` outputs one tensor, it may not change the dtype or the "
                    f"device: {original.dtype} on {original.device} became {new.dtype} on "
                    f"{new.device}."
                )
            # The optimizer may hold the parameter: it stays, with new data.
            with flambeau.no_grad():
                original.data = new.data
            _register_parameter_or_buffer(self, "original", original)
        else:
            self._register_several(new, original)
        if not unsafe:
            _check_same("A parametrization", self(), before)

    def _inverted(self, value: Any) -> Any:
        """The right inverses applied from last to first, where there are any."""
        with flambeau.no_grad():
            for module in reversed(list(self)):
                if hasattr(module, "right_inverse"):
                    try:
                        value = module.right_inverse(value)
                    except NotImplementedError:
                        continue
        return value

    def _register_several(self, tensors: Sequence[Any], original: Tensor) -> None:
        for i, tensor in enumerate(tensors):
            if not isinstance(tensor, Tensor):
                raise _refuse(
                    "'right_inverse' must return a Tensor or a Sequence of tensors (list, "
                    f"tuple...). Got element {i} of the sequence with type "
                    f"{type(tensor).__name__}."
                )
            if isinstance(original, Parameter):
                tensor = Parameter(tensor, original.requires_grad)
            tensor.requires_grad_(original.requires_grad)
            _register_parameter_or_buffer(self, f"original{i}", tensor)

    def right_inverse(self, value: Tensor) -> None:
        """Set the originals so that the parametrized tensor becomes ``value``."""
        with flambeau.no_grad():
            for module in reversed(list(self)):
                if not hasattr(module, "right_inverse"):
                    raise fail(
                        RuntimeError,
                        "parametrize",
                        f"parametrization {type(module).__name__} does not implement "
                        "right_inverse, so the parametrized tensor cannot be assigned.",
                    )
                value = module.right_inverse(value)
            if self.is_tensor:
                values, names = [value], ["original"]
            else:
                if not isinstance(value, Sequence) or len(value) != self.ntensors:
                    raise _refuse(
                        f"'right_inverse' must return a sequence of {self.ntensors} tensors. Got "
                        f"{type(value).__name__}."
                    )
                values, names = list(value), [f"original{i}" for i in range(self.ntensors)]
            for name, tensor in zip(names, values, strict=True):
                self._set_original(name, tensor)

    def _set_original(self, name: str, tensor: Any) -> None:
        if not isinstance(tensor, Tensor):
            raise _refuse(f"`right_inverse` should return a tensor. Got {type(tensor).__name__}")
        original = getattr(self, name)
        if tensor.dtype != original.dtype:
            raise _refuse(
                f"The tensor returned by `right_inverse` has dtype {tensor.dtype} while "
                f"`{name}` has dtype {original.dtype}"
            )
        original.data = tensor.data

    def forward(self) -> Tensor:
        """The parametrized tensor."""
        if self.is_tensor:
            value = self[0](self.original)
        else:
            value = self[0](*(getattr(self, f"original{i}") for i in range(self.ntensors)))
        for i in range(1, len(self)):
            value = self[i](value)
        return value


def _inject_new_class(module: Module) -> None:
    """Give the module a class of its own, which can take properties."""
    cls = type(module)

    def getstate(self: Any) -> Any:
        raise fail(
            RuntimeError,
            cls.__name__,
            "Serialization of parametrized modules is only supported through state_dict(). Save "
            "state_dict(), or call remove_parametrizations first.",
        )

    def copy_deeply(self: Any, memo: dict[int, Any]) -> Any:
        if id(self) in memo:
            return memo[id(self)]
        replica = self.__new__(type(self))
        memo[id(self)] = replica
        replica.__dict__ = deepcopy(self.__dict__, memo)
        for slot in copyreg._slotnames(type(self)):
            if hasattr(self, slot):
                setattr(replica, slot, deepcopy(getattr(self, slot), memo))
        return replica

    members: dict[str, Any] = {
        "__getstate__": getstate,
        "__module__": ParametrizationList.__module__,  # the place of this file, as programs see it
    }
    if not hasattr(cls, "__deepcopy__"):
        members["__deepcopy__"] = copy_deeply
    module.__class__ = type(f"Parametrized{cls.__name__}", (cls,), members)


def _inject_property(module: Module, tensor_name: str) -> None:
    """The property that computes the tensor, and inverts on assignment."""

    def get(self: Any) -> Tensor:
        parametrization = self.parametrizations[tensor_name]
        if not _cache_enabled:
            return parametrization()
        key = (id(self), tensor_name)
        if _cache.get(key) is None:
            _cache[key] = parametrization()
        return _cache[key]

    def set_(self: Any, value: Tensor) -> None:
        self.parametrizations[tensor_name].right_inverse(value)

    setattr(type(module), tensor_name, property(get, set_))


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Compute ``module.<tensor_name>`` by ``parametrization`` from now on.

    A second one is applied after the first. Assigning to the tensor goes through the
    parametrizations' ``right_inverse``.

    Args:
        module: the module; it is changed and returned.
        tensor_name: a parameter or buffer.
        parametrization: a module from the original to the tensor.
        unsafe: dtype and shape may change.

    Raises:
        ValueError: no such tensor, or its dtype or shape would change.
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        if not unsafe:
            _check_further(module, tensor_name, parametrization)
        chain = module.parametrizations[tensor_name]
        chain.append(parametrization)
        chain.unsafe |= unsafe
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        original = getattr(module, tensor_name)
        # Made first: if the checks fail the module is as it was.
        chain = ParametrizationList([parametrization], original, unsafe=unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            _inject_new_class(module)
            module.parametrizations = ModuleDict()
        _inject_property(module, tensor_name)
        module.parametrizations[tensor_name] = chain
    else:
        raise _refuse(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element "
            f"with name '{tensor_name}'"
        )
    return module


def _check_further(module: Module, tensor_name: str, parametrization: Module) -> None:
    """A further parametrization and its inverse keep dtype and shape."""
    before = getattr(module, tensor_name)
    after = parametrization(before)
    _check_same("A parametrization", after, before)
    if hasattr(parametrization, "right_inverse"):
        try:
            inverse = parametrization.right_inverse(after)
        except NotImplementedError:
            return
        _check_same("parametrization.right_inverse", inverse, before)


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether the module has a parametrized tensor (of that name)."""
    chains = getattr(module, "parametrizations", None)
    if not isinstance(chains, ModuleDict):
        return False
    return len(chains) > 0 if tensor_name is None else tensor_name in chains


def remove_parametrizations(
    module: Module, tensor_name: str, leave_parametrized: bool = True
) -> Module:
    """Make a parametrized tensor a plain one again.

    Args:
        module: the module; it is changed and returned.
        tensor_name: the tensor.
        leave_parametrized: keep its present value; else that of the original.

    Raises:
        ValueError: it is not parametrized, or its several originals are asked for.
    """
    if not is_parametrized(module, tensor_name):
        message = f"Module {module} does not have a parametrization on {tensor_name}"
        raise fail(ValueError, "remove_parametrizations", message)
    chain = module.parametrizations[tensor_name]
    if chain.is_tensor:
        original = chain.original
        if leave_parametrized:
            with flambeau.no_grad():
                original.data = getattr(module, tensor_name).data
    elif leave_parametrized:
        value = getattr(module, tensor_name)
        original = Parameter(value.detach()) if value.requires_grad else value
    else:
        raise fail(
            ValueError,
            "remove_parametrizations",
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is "
            "parametrized in terms of a sequence of tensors.",
        )
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    _register_parameter_or_buffer(module, tensor_name, original)
    if not is_parametrized(module):
        delattr(module, "parametrizations")
        module.__class__ = type(module).__bases__[0]
    return module


def type_before_parametrizations(module: Module) -> type:
    """The module's class without parametrizations."""
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(
    from_module: Module, to_module: Module, tensor_name: str | None = None
) -> Module:
    """Register the parametrizations of one module on another, with the originals.

    Args:
        from_module: where they are.
        to_module: where they go; it is changed and returned.
        tensor_name: only this tensor's.
    """
    if not is_parametrized(from_module):
        return to_module
    names = list(from_module.parametrizations) if tensor_name is None else [tensor_name]
    for name in names:
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(getattr(from_module, name).detach()))
        source = from_module.parametrizations[name]
        for parametrization in source:
            register_parametrization(to_module, name, parametrization)
        target = to_module.parametrizations[name]
        count = 1 if source.is_tensor else source.ntensors
        for i in range(count):
            key = "original" if source.is_tensor else f"original{i}"
            setattr(target, key, getattr(source, key))
    return to_module
