"""The constructors of old: `torch.Tensor(2, 3)`, `torch.FloatTensor([..])` and the names of tensor
types.

Integers are sizes, sequences are data. A class such as FloatTensor is a name for "tensor of
float32": instances are plain Tensors, `isinstance` looks at the dtype. Stands on factory, dtypes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core import dtypes
from flambeau.core.device import cuda_means_cpu
from flambeau.core.errors import fail
from flambeau.core.tensor import PLAIN, Tensor, wrap

__all__ = ["CUDA_TYPES", "TENSOR_TYPES", "construct", "dtype_of_type"]


def construct(
    cls: type,
    *args: Any,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    **kwargs: Any,
) -> Tensor:
    """`Tensor(...)` of a class: sizes, a sequence of data, an array (float32 shares its memory), a
    tensor (an alias).
    """
    if cls not in PLAIN and args and isinstance(args[0], Tensor):
        return (
            args[0].detach().as_subclass(cls)
            if not args[0].requires_grad
            else args[0].as_subclass(cls)
        )
    found = _typed(dtypes.default(), args, cls.__name__, kwargs, device)
    return found if cls is Tensor else found.as_subclass(cls)


def _check_device(name: str, device: Any) -> None:
    """The old constructors make tensors on the CPU alone.

    Raises:
        RuntimeError: another device.
    """
    from flambeau.core.device import device as Device

    kind = "accelerator" if isinstance(device, int) else Device(device).type
    if kind != "cpu":
        raise fail(
            RuntimeError,
            name,
            f"legacy constructor expects device type: cpu but device type: {kind} was passed. "
            "Use torch.empty or torch.tensor with device=.",
        )


def _typed(
    dtype: dtypes.dtype,
    args: tuple[Any, ...],
    name: str,
    kwargs: dict[str, Any] | None = None,
    device: Any = None,
) -> Tensor:
    from flambeau.core.factory import data_array, from_numpy
    from flambeau.core.untyped import TypedStorage, UntypedStorage

    kind = dtype.numpy
    if device is not None:
        _check_device(name, device)
    if not args and kwargs and "size" in kwargs:
        args = tuple(kwargs["size"])
    if not args:
        return wrap(np.empty((0,), kind))
    first = args[0]
    if len(args) == 1:
        if isinstance(first, (UntypedStorage, TypedStorage)):
            return first.tensor(dtype)
        if isinstance(first, Tensor):
            if first.dtype is not dtype:
                if dtype is dtypes.uint8 and first.dtype is dtypes.bool:
                    from flambeau.compat import understood

                    if understood(name, "a tensor of bools", "mask.to(torch.uint8)"):
                        return first.to(dtype)  # type: ignore[attr-defined, no-any-return]
                raise fail(
                    TypeError,
                    name,
                    f"expected {dtypes.tensor_type_name(dtype)} (got {first.type()}): convert "
                    f"with .to({dtype}) first",
                )
            from flambeau.core.declare import ops

            return ops.alias(first)  # type: ignore[no-any-return]
        if isinstance(first, np.ndarray):
            return (
                from_numpy(first)
                if first.dtype == kind and first.ndim
                else wrap(data_array(first, dtype, name))
            )
        if (
            type(first) is not int
            and isinstance(first, (list, tuple, range))
            and type(first).__name__ != "Size"
        ):
            return wrap(np.ascontiguousarray(data_array(list(first), dtype, name)))
        if type(first).__name__ == "Size":
            return _blank(tuple(first), kind)
    try:
        shape = tuple(n.__index__() for n in args)
    except AttributeError:
        raise fail(
            TypeError,
            name,
            f"expected sizes (integers), a sequence or an array, got "
            f"{', '.join(type(a).__name__ for a in args)}",
        ) from None
    return _blank(shape, kind)


def _blank(shape: tuple[int, ...], kind: np.dtype[Any]) -> Tensor:
    from flambeau.core.factory.blank import Unset, marked

    array = np.empty(shape, kind)
    if Unset.on:
        marked(array)
    return wrap(array)


class _TensorType(type):
    """The metaclass of the legacy types: calling one makes a plain Tensor, `isinstance` asks the
    dtype.
    """

    dtype: dtypes.dtype

    def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> Any:
        base = next((base for base in bases if isinstance(base, _TensorType)), None)
        if base is not None:
            raise fail(
                TypeError,
                name,
                f"type 'torch.{base.__name__}' is not an acceptable base type: subclass "
                "torch.Tensor.",
            )
        return super().__new__(mcs, name, bases, body)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and instance.dtype is cls.dtype

    def __call__(cls, *args: Any, **kwargs: Any) -> Tensor:
        return _typed(cls.dtype, args, cls.__name__, kwargs, kwargs.get("device"))

    def __repr__(cls) -> str:
        return f"<class '{cls.__module__}.{cls.__name__}'>"


class _CudaType(_TensorType):
    """The same for CUDA: no tensor is one, unless the user lets ``cuda`` mean the CPU."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return cuda_means_cpu() and super().__instancecheck__(instance)

    def __call__(cls, *args: Any, **kwargs: Any) -> Tensor:
        if not cuda_means_cpu():
            raise fail(TypeError, cls.__name__, _no_cuda(f"type {cls.__module__}.{cls.__name__}"))
        return super().__call__(*args, **kwargs)


def _no_cuda(what: str) -> str:
    return (
        f"{what} not available. Torch not compiled with CUDA enabled: use the type of the CPU, or "
        "set FLAMBEAU_CUDA=cpu to let cuda mean the CPU."
    )


TENSOR_TYPES: dict[str, type] = {}
CUDA_TYPES: dict[str, type] = {}
for _dtype in (
    dtypes.float32,
    dtypes.float64,
    dtypes.float16,
    dtypes.bfloat16,
    dtypes.uint8,
    dtypes.int8,
    dtypes.int16,
    dtypes.int32,
    dtypes.int64,
    dtypes.bool,
):
    _name = dtypes.tensor_type_name(_dtype).removeprefix("torch.")
    _doc = (
        f"The old name of tensors of {_dtype}: calling it makes one of sizes, or of data; "
        f"`isinstance` asks for the dtype."
    )
    TENSOR_TYPES[_name] = _TensorType(
        _name, (), {"dtype": _dtype, "__module__": "torch", "is_cuda": False, "__doc__": _doc}
    )
    CUDA_TYPES[_name] = _CudaType(
        _name, (), {"dtype": _dtype, "__module__": "torch.cuda", "is_cuda": True, "__doc__": _doc}
    )


def dtype_of_type(kind: Any) -> dtypes.dtype:
    """The dtype a legacy type, its name or a dtype stands for.

    Raises:
        ValueError: an unknown name. RuntimeError: a type of CUDA's, without `FLAMBEAU_CUDA=cpu`.
    """
    if isinstance(kind, dtypes.dtype):
        return kind
    on_cuda = isinstance(kind, _CudaType) or isinstance(kind, str) and "torch.cuda." in kind
    if on_cuda and not cuda_means_cpu():
        raise fail(RuntimeError, "type", _no_cuda(str(kind)))
    if isinstance(kind, _TensorType):
        return kind.dtype
    if kind is Tensor:
        return dtypes.default()
    if isinstance(kind, str):
        name = kind.removeprefix("torch.").removeprefix("cuda.").removeprefix("sparse.")
        if name in TENSOR_TYPES:
            return TENSOR_TYPES[name].dtype  # type: ignore[attr-defined, no-any-return]
        if name == "Tensor":
            return dtypes.default()
    raise fail(
        ValueError,
        "type",
        f"invalid type: '{kind}'. Give a dtype such as torch.float32 or a name such as "
        f"'torch.FloatTensor'",
    )
