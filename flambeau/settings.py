"""Switches and questions at the package's top level: threads, determinism, precision, what is a
tensor.

Each is exported as `flambeau.<name>`. Stands on core.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from flambeau import compat
from flambeau.core import dtypes, threads
from flambeau.core.device import default_device
from flambeau.core.device import device as Device
from flambeau.core.errors import fail
from flambeau.core.factory.blank import switch
from flambeau.core.promotion import result_dtype
from flambeau.core.provenance import stack_level
from flambeau.core.slow import is_number
from flambeau.core.tensor import Tensor

__all__ = [
    "are_deterministic_algorithms_enabled",
    "compiled_with_cxx11_abi",
    "detach",
    "detach_",
    "get_default_device",
    "get_deterministic_debug_mode",
    "get_device",
    "get_device_module",
    "get_float32_matmul_precision",
    "get_num_interop_threads",
    "get_num_threads",
    "has_lapack",
    "has_mkl",
    "has_openmp",
    "has_spectral",
    "is_complex",
    "is_conj",
    "is_deterministic_algorithms_warn_only_enabled",
    "is_distributed",
    "is_floating_point",
    "is_inference",
    "is_neg",
    "is_same_size",
    "is_signed",
    "is_storage",
    "is_tensor",
    "is_warn_always_enabled",
    "neg_",
    "negative_",
    "numel",
    "result_type",
    "set_default_tensor_type",
    "set_deterministic_debug_mode",
    "set_float32_matmul_precision",
    "set_flush_denormal",
    "set_num_interop_threads",
    "set_num_threads",
    "set_warn_always",
    "typename",
    "use_deterministic_algorithms",
]

# What scripts ask a build for: decompositions and transforms are there, Intel's libraries are not.
has_lapack = has_spectral = True
has_mkl = has_openmp = False


class _Settings:
    deterministic = False
    warn_only = False
    matmul_precision = "highest"
    warn_always = False
    interop_threads: int | None = None


def get_num_threads() -> int:
    """How many threads a kernel may use: `set_num_threads`, else OMP_NUM_THREADS, else the
    processors allowed.
    """
    return threads.count()


def _blas_threads(count: int) -> None:
    """Tell NumPy's OpenBLAS, where it is the one that NumPy brings."""
    from flambeau.core.blas import set_threads

    set_threads(count)


def set_num_threads(int: int, /) -> None:
    """Set how many threads a kernel may use.

    Raises:
        RuntimeError: not a positive number. TypeError: not an integer.
    """
    if isinstance(int, bool) or not hasattr(int, "__index__"):
        raise fail(
            TypeError,
            "set_num_threads",
            f"set_num_threads expects an int, but got {type(int).__name__}",
        )
    if int <= 0:
        raise fail(
            RuntimeError, "set_num_threads", f"expected a positive number of threads, got {int}"
        )
    threads.set_count(int)
    _blas_threads(int)


def get_num_interop_threads() -> int:
    """How many threads may run independent operations."""
    return _Settings.interop_threads or threads.quota()


def set_num_interop_threads(int: int, /) -> None:
    """Set the number of inter-operation threads (kept and reported; operations run one after
    another).
    """
    if int <= 0:
        raise fail(RuntimeError, "set_num_interop_threads", "expected a positive number of threads")
    _Settings.interop_threads = int


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Ask for bit-equal results from run to run: operations here give them anyway, on any number of
    threads. Memory that nobody wrote (`empty`, what `resize_` adds) holds NaN, the largest integer
    or True meanwhile, unless `torch.utils.deterministic.fill_uninitialized_memory` is False.
    """
    if not isinstance(mode, bool):
        raise fail(
            TypeError,
            "use_deterministic_algorithms",
            f"argument 'mode' must be bool, not {type(mode).__name__}",
        )
    if not isinstance(warn_only, bool):
        raise fail(
            TypeError,
            "use_deterministic_algorithms",
            f"argument 'warn_only' must be bool, not {type(warn_only).__name__}",
        )
    _Settings.deterministic, _Settings.warn_only = mode, warn_only
    switch(deterministic=mode)


def are_deterministic_algorithms_enabled() -> bool:
    """Whether `use_deterministic_algorithms(True)` holds."""
    return _Settings.deterministic


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Whether it only warns."""
    return _Settings.warn_only


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """The same as a level: 0 "default", 1 "warn", 2 "error"."""
    levels = {"default": 0, "warn": 1, "error": 2}
    level = levels.get(debug_mode, -1) if isinstance(debug_mode, str) else debug_mode
    if level not in (0, 1, 2):
        raise fail(
            RuntimeError,
            "set_deterministic_debug_mode",
            f"invalid value {debug_mode!r}: give default, warn or error",
        )
    use_deterministic_algorithms(level > 0, warn_only=level == 1)


def get_deterministic_debug_mode() -> int:
    """0, 1 or 2."""
    return 0 if not _Settings.deterministic else 1 if _Settings.warn_only else 2


def set_float32_matmul_precision(precision: str) -> None:
    """Kept and reported; matrix products are computed in full float32."""
    if precision not in ("highest", "high", "medium"):
        raise fail(
            RuntimeError,
            "set_float32_matmul_precision",
            f"invalid precision {precision!r}: highest, high or medium",
        )
    _Settings.matmul_precision = precision


def get_float32_matmul_precision() -> str:
    """What `set_float32_matmul_precision` set."""
    return _Settings.matmul_precision


def set_flush_denormal(mode: bool) -> bool:
    """False: the processor's mode is left alone, denormal numbers are computed as such."""
    return False


def set_warn_always(b: bool, /) -> None:
    """Whether warnings that come once come always."""
    _Settings.warn_always = b
    compat.warn_always(b)


def is_warn_always_enabled() -> bool:
    """Whether they do."""
    return _Settings.warn_always


def set_default_tensor_type(t: Any, /) -> None:
    """Deprecated: set the default dtype by a tensor type."""
    warnings.warn(
        "torch.set_default_tensor_type() is deprecated as of PyTorch 2.1, please use "
        "torch.set_default_dtype() and "
        "torch.set_default_device() as alternatives.",
        UserWarning,
        stacklevel=stack_level(),
    )
    from flambeau.core.legacy import dtype_of_type

    dtypes.set_default_dtype(dtype_of_type(t))


def get_default_device() -> Any:
    """The device factories use when none is named."""
    return default_device()


def get_device_module(device: Any = None) -> Any:
    """The module of a device's functions: by default that of the CPU.

    Raises:
        RuntimeError: there is no module for such a device.
    """
    from importlib import import_module

    kind = Device("cpu" if device is None else device).type
    if kind not in ("cpu", "cuda", "mps", "mtia", "xpu"):
        raise RuntimeError(
            f"Device '{kind}' does not have a corresponding module registered as 'torch.{kind}'."
        )
    return import_module(f"flambeau.{kind}")


def is_tensor(obj: Any, /) -> bool:
    """Whether `obj` is a Tensor."""
    return isinstance(obj, Tensor)


def is_storage(obj: Any, /) -> bool:
    """Whether `obj` is a storage."""
    from flambeau.core.untyped import TypedStorage, UntypedStorage

    return isinstance(obj, (TypedStorage, UntypedStorage))


def _method(name: str, doc: str) -> Callable[..., Any]:
    def function(input: Tensor, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(input, Tensor):
            raise fail(
                TypeError,
                name,
                f"argument 'input' (position 1) must be Tensor, not {type(input).__name__}",
            )
        return getattr(input, name)(*args, **kwargs)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


is_floating_point = _method(
    "is_floating_point", "Whether the tensor's dtype is a floating-point one."
)
is_complex = _method("is_complex", "Whether the tensor's dtype is complex.")
is_signed = _method("is_signed", "Whether the tensor's dtype has negative numbers.")
numel = _method("numel", "Number of elements.")


def result_type(tensor: Any, other: Any) -> dtypes.dtype:
    """The dtype an arithmetic operation on the two gives."""
    operands = []
    for each in (tensor, other):
        if isinstance(each, Tensor):
            operands.append((each._array.dtype, each._array.ndim))
        elif is_number(each):
            operands.append(each)
        else:
            raise fail(
                TypeError, "result_type", f"expected Tensors or numbers, got {type(each).__name__}"
            )
    return dtypes.of(result_dtype(operands))


def typename(obj: Any, /) -> str:
    """The name of an object's type, 'torch.FloatTensor' for tensors."""
    if isinstance(obj, Tensor):
        return str(obj.type())
    kind = (
        obj
        if isinstance(obj, type) or callable(obj) and hasattr(obj, "__qualname__")
        else type(obj)
    )
    module = getattr(kind, "__module__", "") or ""
    name = getattr(kind, "__qualname__", "")
    return name if module in ("builtins", "__builtin__", "") else f"{module}.{name}"


def compiled_with_cxx11_abi() -> bool:
    """True: there is no old ABI to be compatible with."""
    return True


detach = _method("detach", "`input.detach(...)`.")
detach_ = _method("detach_", "`input.detach_(...)`.")
get_device = _method("get_device", "`input.get_device(...)`.")
is_conj = _method("is_conj", "`input.is_conj(...)`.")
is_inference = _method("is_inference", "`input.is_inference(...)`.")
is_neg = _method("is_neg", "`input.is_neg(...)`.")
is_same_size = _method("is_same_size", "`input.is_same_size(...)`.")
neg_ = _method("neg_", "`input.neg_(...)`.")
negative_ = _method("negative_", "`input.negative_(...)`.")


def is_distributed(input: Tensor) -> bool:
    """False: tensors live in one process."""
    return False
