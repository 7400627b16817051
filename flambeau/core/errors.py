"""How an error is worded: operation, module path, the user's line; expected, given, mend. Exception
types are PyTorch's.

    Warning
      LegacyWarning        a form PyTorch dropped that is still understood
    RuntimeError
      HostMemoryError      (also a MemoryError)
      OutOfMemoryError     (name only: scripts catch it)

Stands on provenance.
"""

from __future__ import annotations

import sys
from pathlib import Path

from flambeau.core import provenance

__all__ = [
    "HostMemoryError",
    "LegacyWarning",
    "OutOfMemoryError",
    "fail",
    "missing_extra",
    "no_memory",
    "setting",
]


_CORE = str(Path(__file__).parent)


class LegacyWarning(UserWarning):
    """A form that today's PyTorch refuses and flambeau still understands."""


class HostMemoryError(RuntimeError, MemoryError):
    """The machine has not the memory for an array: PyTorch's type, and Python's."""


class OutOfMemoryError(RuntimeError):
    """The device has no memory left; on a CPU it is a `HostMemoryError`."""


def setting() -> str:
    """`model.encoder.fc1, train.py:31`: where the call that is failing stands; empty when nothing
    is known.
    """
    frame = sys._getframe(1)
    parts = []
    modules = provenance.module_frames(frame)
    if modules:
        parts.append(_path(modules))
    spot = provenance.user_frame(frame)
    if not spot.f_code.co_filename.startswith(provenance.LIBRARY):
        name = spot.f_code.co_filename
        parts.append(f"{name if name.startswith('<') else Path(name).name}:{spot.f_lineno}")
    return ", ".join(parts)


def _path(modules: list[object]) -> str:
    root, leaf = modules[0], modules[-1]
    label = type(root).__name__
    named = getattr(root, "named_modules", None)
    if leaf is root or named is None:
        return label
    for name, module in named():
        if module is leaf:
            return f"{label}.{name}: {type(leaf).__name__}"
    return f"{label} > {type(leaf).__name__}"


def fail(kind: type[Exception], operation: str, message: str) -> Exception:
    """An exception of PyTorch's type whose text names the operation and the place:
    `raise fail(...)`.
    """
    spot = setting()
    operation = (_called() if operation == "dim" else operation).lstrip("_")
    return kind(f"{operation} ({spot}): {message}" if spot else f"{operation}: {message}")


def no_memory(error: Exception) -> Exception:
    """NumPy's error of an array that does not fit, in PyTorch's type; scripts that try again with
    less look for the words of its allocator.
    """
    if isinstance(error, HostMemoryError):
        return error
    too_big = "array is too big" in str(error) or "Maximum allowed dimension" in str(error)
    if not isinstance(error, MemoryError) and not too_big:
        return error
    told = str(error).rstrip(".")
    return fail(
        HostMemoryError,
        "dim",
        f"there is no memory for the array, DefaultCPUAllocator: can't allocate memory: {told}. "
        "Use smaller batches or sizes.",
    )


def _called() -> str:
    """The operation that was called, for errors of helpers that serve many: the outermost of core's
    frames.
    """
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_back.f_code.co_filename.startswith(_CORE):
        frame = frame.f_back
    known = frame.f_locals
    if frame.f_code.co_name == "__call__":  # see overrides: it asks for a function that is inside
        return str(known["function"].__name__)
    return getattr(known.get("op"), "name", None) or frame.f_code.co_name


def missing_extra(operation: str, package: str, extra: str) -> Exception:
    """What a call says whose optional package is not installed."""
    return fail(
        ImportError,
        operation,
        f"this needs the package {package}, which is not installed. pip install "
        f"'flambeau[{extra}]'",
    )
