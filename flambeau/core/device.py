"""`device`: where a tensor lives, by name; and the default device of factories.

Only ``cpu`` and ``meta`` hold tensors. The other names of PyTorch exist, compare and print, and are
refused where a tensor would have to be made (`require_usable`), as a CPU build refuses them; with
``FLAMBEAU_CUDA=cpu`` in the environment ``cuda`` is accepted there and means the CPU.
Stands on errors and state, where the factories find the device in force.
"""

from __future__ import annotations

import os
import re
from contextvars import ContextVar
from typing import Any, NoReturn, Self

from flambeau.core import state
from flambeau.core.context import assign
from flambeau.core.errors import fail

__all__ = [
    "CPU",
    "META",
    "as_device",
    "cuda_means_cpu",
    "default_device",
    "device",
    "require_usable",
    "set_default_device",
]

KINDS = (
    "cpu", "cuda", "ipu", "xpu", "mkldnn", "opengl", "opencl", "ideep", "hip", "ve", "fpga", "maia",
    "xla", "lazy", "vulkan", "mps", "meta", "hpu", "mtia", "privateuseone",
)  # fmt: skip
USABLE = frozenset({"cpu", "meta"})
_SPELLING = re.compile(r"([a-zA-Z_]+)(?::(0|[1-9][0-9]*))?")

# The devices of `with device(...)` blocks as a linked list, innermost first, per thread.
_blocks: ContextVar[tuple[device, Any] | None] = ContextVar("device_blocks", default=None)
_chosen: ContextVar[device | None] = ContextVar("default_device", default=None)


class device:
    """A device: ``device("cuda:1")``, ``device("cuda", 1)``, ``device("cpu")``.

    As a context manager it is the device of factories that are given none.

    Args:
        type: a name with or without an index, or a device.
        index: which of several, None for the current one.

    Raises:
        RuntimeError: unknown or ill-formed name, negative index, no accelerator for a bare index.
        TypeError: neither a string, an int nor a device.
    """

    __slots__ = ("index", "type")

    type: str
    index: int | None

    def __new__(cls, type: Any = None, index: int | None = None, **named: Any) -> Self:
        if "device" in named:
            type = named.pop("device")
        if named:
            raise TypeError(f"device() got an unexpected keyword argument '{next(iter(named))}'")
        if isinstance(type, device) and index is None:
            return type  # type: ignore[return-value]
        if _is_int(type) and index is None:
            if type < 0:
                raise fail(RuntimeError, "device", "Device index must not be negative")
            if cuda_means_cpu():
                return _make("cuda", int(type))  # type: ignore[return-value]
            raise fail(
                RuntimeError,
                "device",
                "Cannot access accelerator device when none is available. Name one: device('cpu').",
            )
        if not isinstance(type, str):
            raise fail(
                TypeError,
                "device",
                "received an invalid combination of arguments: expected a device or a str such as "
                f"'cpu', got {_class_name(type)}",
            )
        if index is not None and not _is_int(index):
            raise fail(
                TypeError,
                "device",
                f"argument 'index' (position 2) must be int, not {_class_name(index)}",
            )
        kind, written = _parse(type)
        if index is not None and written is not None:
            raise fail(
                RuntimeError,
                "device",
                "type (string) must not include an index because index was passed explicitly: "
                f"{type}",
            )
        if index is not None and index < 0:
            raise fail(RuntimeError, "device", f"Device index must not be negative, got {index}")
        return _make(kind, written if index is None else int(index))  # type: ignore[return-value]

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"attribute '{name}' of 'torch.device' objects is not writable")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, device):
            return NotImplemented
        return self.type == other.type and self.index == other.index

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type='{self.type}'{index})"

    def __reduce__(self) -> tuple[Any, ...]:
        return device, ((self.type,) if self.index is None else (self.type, self.index))

    def __enter__(self) -> Self:
        assign(_blocks, (self, _blocks.get()))
        _in_force()
        return self

    def __exit__(self, *exception: object) -> None:
        block = _blocks.get()
        if block is not None:
            assign(_blocks, block[1])
            _in_force()

    def __call__(self, function: Any) -> Any:
        """Decorate a function to run inside ``with device``."""
        from functools import wraps

        @wraps(function)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return inside


def _make(kind: str, index: int | None) -> device:
    self: device = object.__new__(device)
    object.__setattr__(self, "type", kind)
    object.__setattr__(self, "index", index)
    return self


def _is_int(value: object) -> bool:
    return hasattr(value.__class__, "__index__") and not isinstance(value, bool)


def _class_name(value: object) -> str:
    return value.__class__.__name__


def _parse(text: str) -> tuple[str, int | None]:
    if not text:
        raise fail(RuntimeError, "device", "Device string must not be empty")
    found = _SPELLING.fullmatch(text)
    if found is None:
        raise fail(
            RuntimeError,
            "device",
            f"Invalid device string: '{text}'. "
            "Expected a name, or a name and an index: 'cpu', 'cuda:0'.",
        )
    kind, index = found.groups()
    if kind not in KINDS:
        raise fail(
            RuntimeError,
            "device",
            f"Expected one of {', '.join(KINDS)} device type at start of device string: {kind}",
        )
    return kind, None if index is None else int(index)


CPU = _make("cpu", None)
META = _make("meta", None)


def cuda_means_cpu() -> bool:
    """Whether the user opted in, by ``FLAMBEAU_CUDA=cpu``, to let ``cuda`` mean the CPU."""
    return os.environ.get("FLAMBEAU_CUDA", "").lower() == "cpu"


def default_device() -> device:
    """The device of factories given none: the innermost ``with device``, the one set, or cpu."""
    block = _blocks.get()
    if block is not None:
        found: device = block[0]
        return found
    return _chosen.get() or CPU


def _in_force() -> None:
    """Tell the thread's mode; cpu is the ordinary one, in which operations take their short way."""
    found = default_device()
    state.switch(device=None if found.type == "cpu" else found)


def set_default_device(device: Any) -> None:
    """Make `device` the default of this thread (None: cpu again)."""
    assign(_chosen, None if device is None else as_device(device, "set_default_device"))
    _in_force()


def as_device(value: Any, op: str = "device") -> device:
    """The device a ``device=`` argument names; None gives the default one.

    Raises:
        TypeError: not a device, a string or an int.
        RuntimeError: no such device.
    """
    if type(value) is device:
        return value
    if value is None:
        return default_device()
    if not isinstance(value, str) and not _is_int(value):
        raise fail(
            TypeError,
            op,
            f"argument 'device' must be torch.device, not {_class_name(value)}",
        )
    return device(value)


def require_usable(value: device, op: str) -> device:
    """The device itself, if tensors can live there.

    Raises:
        AssertionError: cuda and xpu, with a CPU build's words.
        NotImplementedError: every other device than cpu and meta.
    """
    if value.type in USABLE or value.type == "cuda" and cuda_means_cpu():
        return value
    if value.type in ("cuda", "xpu"):
        raise fail(
            AssertionError,
            op,
            f"Torch not compiled with {value.type.upper()} enabled: device is '{value}', flambeau "
            "runs on cpu. Choose it by 'cuda' if torch.cuda.is_available() else 'cpu'.",
        )
    raise fail(
        NotImplementedError,
        op,
        f"Could not run '{op}' on the '{value.type}' backend: tensors live on cpu and meta here. "
        "Use device='cpu'.",
    )
