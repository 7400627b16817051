"""Checkpoints: ``save`` and ``load`` in PyTorch's formats, both ways, without executing a file."""

from __future__ import annotations

import os as _os
from collections.abc import Callable as _Callable
from typing import IO as _IO
from typing import Any as _Any

from flambeau.core.device import device as _device
from flambeau.serialization.loading import get_unsafe_globals_in_checkpoint, load
from flambeau.serialization.names import StorageType
from flambeau.serialization.options import (
    LoadEndianness,
    SourceChangeWarning,
    check_module_version_greater_or_equal,
    default_restore_location,
    get_crc32_options,
    get_default_load_endianness,
    get_default_mmap_options,
    location_tag,
    mkdtemp,
    normalize_storage_type,
    register_package,
    set_crc32_options,
    set_default_load_endianness,
    set_default_mmap_options,
    skip_data,
    storage_to_tensor_type,
    validate_cuda_device,
    validate_hpu_device,
)
from flambeau.serialization.safe import (
    add_safe_globals,
    clear_safe_globals,
    get_safe_globals,
    safe_globals,
)
from flambeau.serialization.saving import save

FILE_LIKE = str | _os.PathLike[str] | _IO[bytes]
MAP_LOCATION = _Callable[[_Any, str], _Any] | _device | str | dict[str, str] | None

__all__ = [
    "FILE_LIKE",
    "LoadEndianness",
    "MAP_LOCATION",
    "SourceChangeWarning",
    "StorageType",
    "add_safe_globals",
    "check_module_version_greater_or_equal",
    "clear_safe_globals",
    "default_restore_location",
    "get_crc32_options",
    "get_default_load_endianness",
    "get_default_mmap_options",
    "get_safe_globals",
    "get_unsafe_globals_in_checkpoint",
    "load",
    "location_tag",
    "mkdtemp",
    "normalize_storage_type",
    "register_package",
    "safe_globals",
    "save",
    "set_crc32_options",
    "set_default_load_endianness",
    "set_default_mmap_options",
    "skip_data",
    "storage_to_tensor_type",
    "validate_cuda_device",
    "validate_hpu_device",
]
