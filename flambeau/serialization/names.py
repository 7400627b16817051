"""The names by which checkpoints call things: PyTorch's, whatever the thing is called here.

``written`` gives the global a checkpoint names for an object of flambeau's; ``resolve`` gives the
object for a global; ``allowed`` is the table of what a checkpoint may name without the user's
consent. Nothing here imports a module outside flambeau.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections import Counter, OrderedDict
from types import ModuleType
from typing import Any

from flambeau.core import layout
from flambeau.core.device import device
from flambeau.core.dtypes import DTYPES
from flambeau.core.size import Size
from flambeau.core.tensor import Tensor
from flambeau.serialization import pickle_tensor as tensors

__all__ = ["QUANTISED", "StorageType", "allowed", "quantised", "resolve", "written"]

REBUILDERS = (
    "_rebuild_device_tensor_from_numpy",
    "_rebuild_meta_tensor_no_storage",
    "_rebuild_parameter",
    "_rebuild_parameter_with_state",
    "_rebuild_sparse_tensor",
    "_rebuild_tensor",
    "_rebuild_tensor_v2",
    "_rebuild_tensor_v3",
    "_rebuild_wrapper_subclass",
)


class StorageType:
    """What ``torch.FloatStorage`` means in a checkpoint: the dtype of the elements counted."""

    def __init__(self, name: str, dtype: Any) -> None:
        self.name = name
        self.dtype = dtype

    def __repr__(self) -> str:
        return f"StorageType({self.name})"


def _get_layout(name: str) -> Any:
    """The layout of a name such as "torch.sparse_coo"."""
    found = getattr(layout, str(name).removeprefix("torch."), None)
    if not isinstance(found, layout.layout):
        raise RuntimeError(f"load: the checkpoint names the layout {name!r}, which is not known.")
    return found


def _encode(text: str, encoding: str = "latin1") -> bytes:
    """How protocol 2 writes bytes: as text of their code points."""
    if encoding != "latin1":
        raise RuntimeError(f"load: bytes are written as latin1, the checkpoint says {encoding!r}.")
    return text.encode("latin1")


@functools.cache
def _storage_types() -> dict[str, StorageType]:
    table = {
        storage: StorageType(storage, DTYPES[dtype])
        for dtype, storage in tensors.LEGACY_STORAGES.items()
    }
    table["UntypedStorage"] = StorageType("UntypedStorage", DTYPES["uint8"])
    return table


@functools.cache
def allowed() -> dict[str, Any]:
    """The globals a checkpoint may name by default: data and the rebuilding of tensors."""
    from flambeau.nn.parameter import Parameter

    table: dict[str, Any] = {
        "_codecs.encode": _encode,
        "builtins.bytearray": bytearray,
        "builtins.complex": complex,
        "builtins.set": set,
        "collections.Counter": Counter,
        "collections.OrderedDict": OrderedDict,
        "torch.Size": Size,
        "torch.Tensor": Tensor,
        "torch._tensor._rebuild_from_type_v2": tensors._rebuild_from_type_v2,
        "torch.device": device,
        "torch.nn.parameter.Parameter": Parameter,
        "torch.serialization._get_layout": _get_layout,
    }
    for name in REBUILDERS:
        table[f"torch._utils.{name}"] = getattr(tensors, name)
    for name, kind in _storage_types().items():
        table[f"torch.{name}"] = table[f"torch.storage.{name}"] = kind
    for storage in tensors.LEGACY_STORAGES.values():  # the tar format names these, as data only
        table.setdefault(
            f"torch.{storage.removesuffix('Storage')}Tensor", _storage_types()[storage]
        )
    for name, value in DTYPES.items():
        table[f"torch.{name}"] = value
    return table


QUANTISED = frozenset(
    [f"torch.{name}" for pair in tensors.QUANTISED_STORAGES.items() for name in pair]
    + ["torch.per_channel_affine", "torch.per_tensor_affine", "torch._utils._rebuild_qtensor"]
)
"""What a checkpoint of quantised tensors names; their room is loaded when one does."""


@functools.cache
def quantised() -> dict[str, Any]:
    """The things behind `QUANTISED`, which a checkpoint may name as well."""
    from flambeau.ao.quantization import schemes

    table: dict[str, Any] = {"torch._utils._rebuild_qtensor": tensors._rebuild_qtensor}
    for name in ("per_channel_affine", "per_tensor_affine"):
        table[f"torch.{name}"] = getattr(schemes, name)
    for name, storage in tensors.QUANTISED_STORAGES.items():
        kind = table[f"torch.{name}"] = getattr(schemes, name)
        table[f"torch.{storage}"] = StorageType(storage, kind)
    return table


@functools.cache
def _own_names() -> dict[int, str]:
    """The reverse: the name to write, by the identity of functions and classes."""
    names = {id(_get_layout): "torch.serialization._get_layout"}
    for name in REBUILDERS:
        names[id(getattr(tensors, name))] = f"torch._utils.{name}"
    names[id(tensors._rebuild_from_type_v2)] = "torch._tensor._rebuild_from_type_v2"
    names[id(tensors._rebuild_qtensor)] = "torch._utils._rebuild_qtensor"
    for name in ("torch.Size", "torch.Tensor", "torch.device", "torch.nn.parameter.Parameter"):
        names[id(allowed()[name])] = name
    return names


def written(thing: Any) -> tuple[str, str] | None:
    """Module and name under which a checkpoint names a class or function of flambeau's.

    None where the thing is not flambeau's: it goes by its own name.
    """
    known = _own_names().get(id(thing))
    if known is not None:
        module, _, name = known.rpartition(".")
        return module, name
    where, called = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    if not isinstance(where, str) or not isinstance(called, str):
        return None
    if where.partition(".")[0] == "flambeau":
        return "torch" + where.removeprefix("flambeau"), called
    return None


def resolve(module: str, name: str) -> Any:
    """The object of flambeau's behind a checkpoint's ``torch`` global.

    Looked for under the same path first, then by the same name in the rooms above it: PyTorch's
    ``torch.nn.modules.linear.Linear`` is public as ``torch.nn.Linear``.

    Raises:
        AttributeError: flambeau has nothing by that name.
    """
    path = f"{module}.{name}"
    known = quantised()[path] if path in QUANTISED else allowed().get(path)
    if known is not None:
        return known
    path = "flambeau" + module.removeprefix("torch").removeprefix("flambeau")
    while path:
        found = _attribute(_module(path), name)
        if found is not None:
            return found
        path = path.rpartition(".")[0]
    raise AttributeError(f"flambeau has nothing for {module}.{name}")


def _module(path: str) -> ModuleType | None:
    try:
        return sys.modules.get(path) or importlib.import_module(path)
    except ModuleNotFoundError:
        return None


def _attribute(module: ModuleType | None, name: str) -> Any:
    value: Any = module
    for part in name.split("."):
        value = getattr(value, part, None)
    return value
