"""What scripts set once for all `save` and `load`, and the helpers PyTorch's own file offers: where
storages are restored, byte orders, memory mapping, checksums."""

from __future__ import annotations

import enum
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from flambeau.core.errors import fail
from flambeau.core.untyped import OLD_NAMES, StorageBase
from flambeau.serialization.location import packages

__all__ = [
    "LoadEndianness",
    "SourceChangeWarning",
    "check_module_version_greater_or_equal",
    "default_restore_location",
    "get_crc32_options",
    "get_default_load_endianness",
    "get_default_mmap_options",
    "location_tag",
    "mkdtemp",
    "normalize_storage_type",
    "register_package",
    "set_crc32_options",
    "set_default_load_endianness",
    "set_default_mmap_options",
    "skip_data",
    "storage_to_tensor_type",
    "validate_cuda_device",
    "validate_hpu_device",
]

MAP_SHARED, MAP_PRIVATE = 1, 2


class LoadEndianness(enum.Enum):
    """The byte order of a file that does not say."""

    NATIVE = 1
    LITTLE = 2
    BIG = 3


class SourceChangeWarning(Warning):
    """A module's source differs from the one that was saved; modules are saved without theirs."""


class _Options:
    crc32 = True
    endianness: LoadEndianness | None = None
    mmap = MAP_PRIVATE
    skip_data = False


options = _Options()


def get_crc32_options() -> bool:
    """Whether files are written with checksums."""
    return options.crc32


def set_crc32_options(compute_crc32: bool) -> None:
    """Ask for checksums or not. Archives always have them here: they cost nothing to speak of."""
    options.crc32 = compute_crc32


def get_default_load_endianness() -> LoadEndianness | None:
    """The byte order taken for files that do not say; None: the machine's."""
    return options.endianness


def set_default_load_endianness(endianness: LoadEndianness | None) -> None:
    """Set the byte order taken for files that do not say."""
    if endianness is not None and not isinstance(endianness, LoadEndianness):
        raise fail(
            TypeError,
            "set_default_load_endianness",
            f"expected a LoadEndianness or None, got {endianness!r}.",
        )
    options.endianness = endianness


def get_default_mmap_options() -> int | None:
    """How files are mapped: mmap.MAP_PRIVATE or mmap.MAP_SHARED."""
    return options.mmap


class set_default_mmap_options:
    """Say how files are mapped; as a context manager, for a block.

    Args:
        flags: mmap.MAP_PRIVATE or mmap.MAP_SHARED.
    """

    def __init__(self, flags: int) -> None:
        if flags not in (MAP_PRIVATE, MAP_SHARED):
            raise fail(
                ValueError,
                "set_default_mmap_options",
                f"expected mmap.MAP_PRIVATE or mmap.MAP_SHARED, but got {flags}.",
            )
        self._before, options.mmap = options.mmap, flags

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        options.mmap = self._before


@contextmanager
def skip_data(materialize_fake_tensors: bool = False) -> Iterator[None]:
    """The block in which `save` leaves room for the storages' bytes and fills it with zeros, for a
    program that writes them later."""
    before, options.skip_data = options.skip_data, True
    try:
        yield
    finally:
        options.skip_data = before


def register_package(
    priority: int,
    tagger: Callable[[Any], str | None],
    deserializer: Callable[[Any, str], Any],
) -> None:
    """Teach `save` and `load` of another place for storages.

    Args:
        priority: lower ones are asked first.
        tagger: the name of a storage's place, or None. deserializer: a storage put there, or None.
    """
    packages.append((priority, tagger, deserializer))
    packages.sort(key=lambda entry: entry[0])


def location_tag(storage: StorageBase) -> str:
    """The name of the place of a storage: cpu, meta."""
    for _, tagger, _ in packages:
        tag = tagger(storage)
        if tag:
            return tag
    return str(storage.device)


def default_restore_location(storage: StorageBase, location: str) -> Any:
    """The storage at a named place.

    Raises:
        RuntimeError: there is no such place.
    """
    for _, _, deserializer in packages:
        found = deserializer(storage, location)
        if found is not None:
            return found
    kind = location.partition(":")[0]
    if kind in ("cpu", storage.device.type):
        return storage
    if kind == "cuda":
        validate_cuda_device(location)
    raise fail(
        RuntimeError,
        "default_restore_location",
        f"don't know how to restore data location of {type(storage).__name__} (tagged with "
        f"{location}).",
    )


def validate_cuda_device(location: str) -> int:
    """Refuse a CUDA device.

    Raises:
        RuntimeError: always; there is none.
    """
    raise fail(
        RuntimeError,
        "load",
        "Attempting to deserialize object on a CUDA device but torch.cuda.is_available() is "
        "False. Give map_location='cpu'.",
    )


def validate_hpu_device(location: str) -> int:
    """Refuse an HPU.

    Raises:
        RuntimeError: always; there is none.
    """
    raise fail(
        RuntimeError,
        "load",
        "The HPU device module is not registered. Give map_location='cpu'.",
    )


def normalize_storage_type(storage_type: Any) -> Any:
    """The class of storages that an old name stands for: the name itself."""
    return storage_type


def storage_to_tensor_type(storage: Any) -> Any:
    """The tensor type of a typed storage: ``torch.FloatTensor``."""
    import flambeau

    return getattr(flambeau, f"{OLD_NAMES[storage.dtype]}Tensor")


def check_module_version_greater_or_equal(
    module: ModuleType, req_version_tuple: tuple[int, ...], error_if_malformed: bool = True
) -> bool:
    """Whether a module's version is at least this one."""
    try:
        found = re.match(r"\d+(\.\d+)*", module.__version__)
        numbers = tuple(int(x) for x in (found[0] if found else "").split("."))
    except ValueError:
        if error_if_malformed:
            raise fail(
                RuntimeError,
                "check_module_version_greater_or_equal",
                f"'{module.__name__}' module version is malformed string: {module.__version__}.",
            ) from None
        return True
    return numbers[: len(req_version_tuple)] >= tuple(req_version_tuple)


@contextmanager
def mkdtemp() -> Iterator[str]:
    """A folder for the time of a block."""
    path = tempfile.mkdtemp()
    try:
        yield path
    finally:
        shutil.rmtree(path)
