"""``load``: reads what ``save`` wrote, here or in PyTorch, by default without executing it."""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Callable
from typing import IO, Any

import numpy as np

from flambeau.core.provenance import stack_level
from flambeau.serialization import legacy
from flambeau.serialization.archive import ArchiveReader
from flambeau.serialization.location import restorer
from flambeau.serialization.names import StorageType
from flambeau.serialization.pickle_tensor import StorageBytes, TypedBytes
from flambeau.serialization.unpickler import SafeUnpickler, full_unpickler, globals_of

__all__ = ["get_unsafe_globals_in_checkpoint", "load"]


def load(
    f: str | os.PathLike[str] | IO[bytes],
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """Load an object that `save` wrote, here or in PyTorch (all its formats since 0.4).

    Args:
        f: a file's name, or an object with ``read``, ``readline``, ``tell`` and ``seek``.
        map_location: where storages go: a device, a name, a dict of names, or a function of
            (storage, saved location).
        pickle_module: the pickle module to use with ``weights_only=False``.
        weights_only: True (default) builds tensors, numbers, text and containers, and refuses
            every other global; False runs whatever the file says.
        mmap: map the file instead of reading it; its tensors are copied when written to.

    Raises:
        pickle.UnpicklingError: the file names a global that is not allowed, or its pickle is
            damaged.
        RuntimeError: the archive is truncated or damaged, or a device does not exist.
        EOFError: the file is empty.
    """
    weights_only = _decide(weights_only, pickle_module)
    if weights_only and pickle_module is not None:
        raise RuntimeError(
            "load: Can not safely load weights when explicit pickle_module is specified; leave "
            "out pickle_module, or give weights_only=False for a file you trust."
        )
    if weights_only and pickle_load_args:
        warnings.warn(
            "load: pickle_load_args only works if `weights_only=False`: leave out "
            f"{', '.join(pickle_load_args)}.",
            UserWarning,
            stacklevel=stack_level(),
        )
    kind = SafeUnpickler if weights_only else full_unpickler(pickle_module)
    encoding = pickle_load_args.get("encoding", "utf-8")

    def unpickler(file: IO[bytes], persistent: Callable[[Any], Any]) -> Any:
        return kind(file, persistent, encoding).load()

    if isinstance(f, (str, os.PathLike)):
        with open(f, "rb") as file:
            return _load(file, os.fspath(f), map_location, unpickler, bool(mmap), weights_only)
    for name in ("seek", "tell", "read", "readline"):
        if not hasattr(f, name):
            raise AttributeError(
                f"load: '{type(f).__name__}' object has no attribute '{name}'. Expected a file's "
                "name or a seekable file; read the data into io.BytesIO first."
            )
    if mmap:
        raise ValueError("load: f must be a file path in order to use the mmap argument.")
    label = getattr(f, "name", type(f).__name__)
    return _load(f, label, map_location, unpickler, False, weights_only)


def _decide(weights_only: bool | None, pickle_module: Any) -> bool:
    yes = ("1", "y", "yes", "true")
    if os.environ.get("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "0").lower() in yes:
        return True
    if weights_only is not None:
        return bool(weights_only)
    if os.environ.get("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "0").lower() in yes:
        warnings.warn(
            "load: TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD is set and weights_only was not given: the "
            "file may run code.",
            UserWarning,
            stacklevel=stack_level(),
        )
        return False
    return pickle_module is None


def _program(file: IO[bytes], label: Any, map_location: Any, weights_only: bool) -> Any:
    """What `jit.save` wrote, read by `jit.load`."""
    if weights_only:
        raise RuntimeError(
            f"load: Cannot use weights_only=True with TorchScript archives: {label} holds a "
            "program, whose source is executed. Use torch.jit.load where you trust the file."
        )
    warnings.warn(
        "'torch.load' received a zip file that looks like a TorchScript archive dispatching to "
        "'torch.jit.load' (call 'torch.jit.load' directly to silence this warning)",
        UserWarning,
        stacklevel=stack_level(),
    )
    from flambeau.jit import load as load_program

    return load_program(file, map_location)


def _load(
    file: IO[bytes],
    label: Any,
    map_location: Any,
    unpickler: Callable[..., Any],
    mapped: bool,
    weights_only: bool,
) -> Any:
    start = file.tell()
    magic = file.read(4)
    file.seek(start)
    restore = restorer(map_location)
    if magic != b"PK\3\4":
        if not magic:
            raise EOFError(f"load: Ran out of input: {label} is empty.")
        if mapped:
            raise RuntimeError(
                "load: mmap can only be used with files in the zip format; load without mmap and "
                "save again."
            )
        return legacy.load(file, str(label), restore, unpickler)
    archive = ArchiveReader(file, str(label))
    if "program.pt" in archive:
        return _program(file, label, map_location, weights_only)
    if "constants.pkl" in archive:
        raise RuntimeError(
            f"load: {label} is a TorchScript archive; flambeau reads checkpoints of torch.save. "
            "Save the state_dict() of the original module instead."
        )
    swap = "byteorder" in archive and archive.read("byteorder").decode("ascii", "replace")
    if swap not in (False, "little", "big"):
        raise ValueError(f"load: Unknown endianness type: {swap}; expected little or big.")
    whole = np.memmap(file.name, np.uint8, "c") if mapped else None
    storages: dict[Any, StorageBytes] = {}

    def persistent(pid: Any) -> TypedBytes:
        _, kind, key, location, count = pid[:5]
        if key not in storages:
            data = _record(archive, f"data/{key}", whole)
            _check_size(kind, count, data, str(key))
            if swap and swap != sys.byteorder:
                data = data.view(kind.dtype.numpy).byteswap().view(np.uint8)
            storages[key] = restore(StorageBytes(data), legacy.text(location))
        return TypedBytes(storages[key], kind.dtype)

    return unpickler(io.BytesIO(archive.read("data.pkl")), persistent)


def _record(
    archive: ArchiveReader, name: str, whole: np.ndarray[Any, Any] | None
) -> np.ndarray[Any, Any]:
    if whole is None:
        return archive.array(name)
    offset, size = archive.offset(name)
    return np.asarray(whole[offset : offset + size])


def _check_size(kind: StorageType, count: Any, data: np.ndarray[Any, Any], key: str) -> None:
    if not isinstance(count, int) or count * kind.dtype.numpy.itemsize > data.nbytes:
        raise RuntimeError(
            f"load: storage {key} has {data.nbytes} bytes, the checkpoint expects {count} "
            f"elements of {kind.dtype}. The file is damaged."
        )


def get_unsafe_globals_in_checkpoint(f: str | os.PathLike[str] | IO[bytes]) -> list[str]:
    """The globals of a checkpoint that `load` refuses by default; nothing is built or run.

    Raises:
        ValueError: ``f`` is not a checkpoint in the zip format.
    """
    from flambeau.serialization import names, safe

    if isinstance(f, (str, os.PathLike)):
        with open(f, "rb") as file:
            return get_unsafe_globals_in_checkpoint(file)
    if f.read(4) != b"PK\3\4":
        raise ValueError(
            "get_unsafe_globals_in_checkpoint: expected a checkpoint that save wrote in the zip "
            "format."
        )
    f.seek(0)
    archive = ArchiveReader(f, "the checkpoint")
    if "constants.pkl" in archive:
        raise ValueError(
            "get_unsafe_globals_in_checkpoint: expected a checkpoint that save wrote, got a "
            "TorchScript archive."
        )
    known = set(names.allowed()) | set(safe.user_allowed())
    return sorted(globals_of(archive.read("data.pkl")) - known)
