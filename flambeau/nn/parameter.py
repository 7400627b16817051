"""Parameter and Buffer: the tensors a Module owns, and their forms of yet unknown shape.

A Parameter is a Tensor whose class says "an optimizer may move me": assigning one to a module
registers it. Buffers are registered too, but hold state (running means), not weights. The
``Uninitialized`` forms have a device and a dtype, no shape; lazy modules materialize them.
"""

from __future__ import annotations

from typing import Any, SupportsIndex, cast

import flambeau
from flambeau.core import overrides
from flambeau.core.entry.process import be_plain
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor, wrap_like_view

__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter"]


class _ParameterMeta(type(Tensor)):
    """``isinstance(x, Parameter)`` is also true for a tensor subclass tagged ``_is_param``."""

    def __instancecheck__(self, instance: Any) -> bool:
        if type.__instancecheck__(self, instance):
            return True
        if self is Parameter and isinstance(instance, Tensor):
            return getattr(instance, "_is_param", False)
        return False


class Parameter(Tensor, metaclass=_ParameterMeta):
    """A tensor that is a module's weight: a leaf which requires grad, registered on assignment.

    Args:
        data: the values. None gives an empty tensor. The storage is shared, not copied.
        requires_grad: whether gradients are accumulated into ``.grad`` (default True).
            Only floating-point and complex tensors may require grad.

    Example:
        >>> import flambeau as torch
        >>> torch.nn.Parameter(torch.tensor([10.0]))
        Parameter containing:
        tensor([10.], requires_grad=True)
    """

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Parameter:
        if data is None:
            data = flambeau.empty(0)
        kind = type(data)
        if kind is Tensor or kind is Parameter:
            return Tensor._make_subclass(cls, data, requires_grad)
        if not hasattr(data, "detach"):
            raise fail(
                AttributeError,
                "Parameter",
                f"data must be a Tensor, got {kind.__name__}. Make it one by torch.tensor(...).",
            )
        # A user's tensor subclass keeps its class; a tag makes it a parameter.
        detached: Any = data.detach().requires_grad_(requires_grad)
        if type(detached) is not kind:
            raise fail(
                RuntimeError,
                "Parameter",
                f"data is a {kind.__name__}, but its detach() returned a "
                f"{type(detached).__name__}. Let __torch_function__ of {kind.__name__} keep the "
                "class, or pass a plain Tensor.",
            )
        detached._is_param = True
        return cast(Parameter, detached)

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        if id(self) in memo:
            return memo[id(self)]
        data = self.data.clone(memory_format=flambeau.preserve_format)
        result = type(self)(data, self.requires_grad)
        memo[id(self)] = result
        return result

    def __repr__(self) -> str:  # type: ignore[override]  # PyTorch's takes nothing here either
        return "Parameter containing:\n" + super().__repr__()

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        import flambeau._utils as rebuild

        no_hooks = _no_hooks()
        state = {name: value for name, value in self.__dict__.items() if name != "_is_param"}
        if not state:
            return rebuild._rebuild_parameter, (self.data, self.requires_grad, no_hooks)
        arguments = (self.data, self.requires_grad, no_hooks, state)
        return rebuild._rebuild_parameter_with_state, arguments


# Operations on parameters take the short way, as those on plain tensors.
be_plain(Parameter)


class _BufferMeta(type(Tensor)):
    """``isinstance(x, Buffer)`` is also true for a tensor tagged ``_is_buffer``."""

    def __instancecheck__(self, instance: Any) -> bool:
        if type.__instancecheck__(self, instance):
            return True
        if self is Buffer and isinstance(instance, Tensor):
            return getattr(instance, "_is_buffer", False)
        return False


class Buffer(Tensor, metaclass=_BufferMeta):
    """A tensor that is a module's state but no weight: registered as a buffer on assignment.

    Args:
        data: the values; None gives an empty tensor.
        persistent: whether the buffer is part of ``state_dict()`` (default True).

    The result is a plain tensor with a tag, so that operations on it stay on the fast path.
    """

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Tensor:
        if data is None:
            data = flambeau.empty(0)
        result = data.detach().requires_grad_(data.requires_grad)
        result.persistent = persistent
        result._is_buffer = True
        return result


class UninitializedTensorMixin:
    """What the lazy forms share: a device, a dtype, and ``materialize`` to give them a shape."""

    cls_to_become: type = Tensor
    # What a module does to all its tensors (to, half, load, freeze) must go on working.
    _allowed = frozenset(
        "copy_ _to_copy alias is_complex is_floating_point half float double bfloat16 char short "
        "int long cuda cpu to get_device requires_grad_".split()
    )

    def materialize(self: Any, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Give the tensor a shape, in place: the object stays, its class and values change.

        Args:
            shape: the shape to allocate. Values are uninitialised.
            device, dtype: default to those the tensor was made with.
        """
        device = self.data.device if device is None else device
        dtype = self.data.dtype if dtype is None else dtype
        self.data = flambeau.empty(shape, device=device, dtype=dtype)
        self.__class__ = self.cls_to_become

    @property
    def shape(self) -> Any:
        """Refused: a lazy tensor has none before the first forward."""
        raise fail(
            RuntimeError,
            f"{type(self).__name__}.shape",
            "an uninitialized parameter has no shape yet. Run a forward pass (a dry run) through "
            "the lazy module first, or call materialize(shape).",
        )

    def numel(self) -> Any:
        """Refused: a count of 0 would be silently wrong."""
        raise fail(
            ValueError,
            f"{type(self).__name__}.numel",
            "an uninitialized parameter has no elements to count yet. Run a forward pass (a dry "
            "run) through the lazy module first.",
        )

    __len__ = numel

    def share_memory_(self) -> Any:
        """Refused: there is no memory to share before the first forward."""
        raise fail(
            RuntimeError,
            f"{type(self).__name__}.share_memory_",
            "an uninitialized parameter has no memory to share. Run a forward pass (a dry run) "
            "through the lazy module first.",
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        return type(self), (self.requires_grad,)

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "")
        if name in cls._allowed:
            plain = [wrap_like_view(x._array, x) if is_lazy(x) else x for x in args]
            return func(*plain, **(kwargs or {}))
        raise fail(
            ValueError,
            name or str(func),
            "an argument is an uninitialized parameter, which has no shape and no values. Run a "
            "forward pass (a dry run) through the lazy module first.",
        )


def is_lazy(param: Any) -> bool:
    """Whether ``param`` still waits for its shape."""
    return isinstance(param, UninitializedTensorMixin)


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A Parameter whose shape the first forward decides.

    Args:
        requires_grad: as for Parameter.
        device, dtype: where and what the materialized weight will be.
    """

    cls_to_become = Parameter

    def __new__(
        cls, requires_grad: bool = True, device: Any = None, dtype: Any = None
    ) -> UninitializedParameter:
        overrides.cover()  # functions written over others refuse it as well
        data = flambeau.empty(0, device=device, dtype=dtype)
        return Tensor._make_subclass(cls, data, requires_grad)

    def __deepcopy__(self, memo: dict[int, Any]) -> UninitializedParameter:
        if id(self) in memo:
            return memo[id(self)]
        result = type(self)(self.requires_grad, self.data.device, self.data.dtype)
        memo[id(self)] = result
        return result


class UninitializedBuffer(UninitializedTensorMixin, Tensor):
    """A buffer whose shape the first forward decides.

    Args:
        requires_grad: default False.
        device, dtype: where and what the materialized buffer will be.
        persistent: whether it is part of ``state_dict()``.
    """

    cls_to_become = Tensor

    def __new__(
        cls,
        requires_grad: bool = False,
        device: Any = None,
        dtype: Any = None,
        persistent: bool = True,
    ) -> UninitializedBuffer:
        overrides.cover()
        data = flambeau.empty(0, device=device, dtype=dtype)
        result = Tensor._make_subclass(cls, data, requires_grad)
        result.persistent = persistent
        result._is_buffer = True
        return result


def _no_hooks() -> Any:
    """The empty hook table that PyTorch's checkpoints carry beside each parameter."""
    from collections import OrderedDict

    return OrderedDict()
