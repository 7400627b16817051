"""``torch.ops.aten``: PyTorch's names for the operations that the library brings itself.

Each is the public function, or the method of a tensor, under that name; every overload is that same
function, which tells its argument types apart by itself. Stands on core.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from flambeau.core.tensor import Tensor

__all__ = ["AtenOverload", "AtenPacket", "find"]

# PyTorch's inner name -> the public function that computes the same.
RENAMED = {
    "_adaptive_avg_pool2d": "nn.functional.adaptive_avg_pool2d",
    "_grouped_mm": "nn.functional.grouped_mm",
    "_is_all_true": "all",
    "_local_scalar_dense": "Tensor.item",
    "_pin_memory": "Tensor.pin_memory",
    "_sparse_addmm": "sparse.addmm",
    "lift_fresh_copy": "clone",
    "embedding": "embedding",  # the table first, which nn.functional takes second
    "sym_numel": "Tensor.numel",
    "sym_size": "Tensor.size",
    "sym_stride": "Tensor.stride",
    "_log_softmax": "log_softmax",
    "_softmax": "softmax",
    "_to_copy": "Tensor.to",
    "_unsafe_view": "Tensor.view",
    "max_pool2d_with_indices": "nn.functional.max_pool2d_with_indices",
    "unfold": "Tensor.unfold",  # along a dimension; that of images is im2col
    "upsample_nearest2d": "nn.functional.interpolate",
}
# PyTorch's inner name -> our inner operation, where it is not the same behind an underscore.
INNER = {
    "convolution": "convolved",
    "copy": "_copied",
    "fill": "_fill_in_place",
    "nll_loss_forward": "_nll_loss",
}
# What PyTorch says of a tensor made of the program's numbers: it is what it is.
MARKS: dict[str, Callable[..., Any]] = {"lift_fresh": lambda input: input}
OVERLOADS = (
    "default Tensor Scalar out int dim Tensor_Scalar Scalar_Tensor Tensor_out Scalar_out "
    "Tensor_mode Scalar_mode self self_int Dimname names dim_IntList IntList_out memory_format "
    "Stream correction other dtype_layout low low_dtype generator start start_step using_ints x "
    "vec unpacked_dims sizes size float source ScalarSelf ScalarOther "
    "value src two dtype device values msg int_Scalar int_Tensor values_stable stable dim_int"
).split()


class AtenOverload:
    """``torch.ops.aten.add.Tensor``."""

    def __init__(self, packet: AtenPacket, overload: str) -> None:
        self.overloadpacket = packet
        self._overloadname = overload
        self.__name__ = f"{packet.__name__}.{overload}"
        self.namespace = packet._namespace
        self.__module__ = f"torch._ops.{self.namespace}"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.overloadpacket(*args, **kwargs)

    def name(self) -> str:
        """``aten::add.Tensor``."""
        tail = "" if self._overloadname == "default" else f".{self._overloadname}"
        return f"{self.overloadpacket._qualified_op_name}{tail}"

    def __str__(self) -> str:
        return f"{self.overloadpacket}.{self._overloadname}"

    def __repr__(self) -> str:
        return f"<OpOverload(op='{self.overloadpacket}', overload='{self._overloadname}')>"


class AtenPacket:
    """``torch.ops.aten.add``: calling it calls `torch.add`."""

    def __init__(self, name: str, function: Callable[..., Any], namespace: str = "aten") -> None:
        self.__name__ = name
        self._function = function
        self._namespace = namespace
        self._qualified_op_name = f"{namespace}::{name}"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(*args, **kwargs)

    def overloads(self) -> list[str]:
        """The names of the overloads that were asked for."""
        return sorted({"default"} | {n for n, v in vars(self).items() if type(v) is AtenOverload})

    def overload(self, name: str) -> AtenOverload:
        """The overload of that name."""
        return vars(self).get(name) or self._made(name)

    def _made(self, name: str) -> AtenOverload:
        found = AtenOverload(self, name)
        setattr(self, name, found)
        return found

    def __getattr__(self, name: str) -> AtenOverload:
        if name.startswith("_"):  # a copy half made asks for its own names
            raise AttributeError(name)
        if name not in OVERLOADS:
            # A copy being made asks before it has any attribute of its own.
            op = vars(self).get("_qualified_op_name")
            raise AttributeError(f"The underlying op of '{op}' has no overload name '{name}'")
        return self._made(name)

    def __str__(self) -> str:
        return f"{self._namespace}.{self.__name__}"

    def __repr__(self) -> str:
        return f"<OpOverloadPacket(op='{self}')>"


def find(name: str) -> AtenPacket | None:
    """The operation of that name, if the library has it."""
    torch: Any = importlib.import_module("flambeau")
    if name in MARKS:
        return AtenPacket(name, MARKS[name])
    path = RENAMED.get(name)
    if path is not None:
        found: Any = torch
        for part in path.split("."):
            found = getattr(found, part, None)
        return None if found is None else AtenPacket(name, found)
    rooms = (vars(torch), vars(importlib.import_module("flambeau.nn.functional")), vars(Tensor))
    from flambeau.core.declare import ops

    for room in rooms:
        if callable(room.get(name)):
            return AtenPacket(name, room[name])
    inner = getattr(ops, name, None) or getattr(ops, INNER.get(name, "_" + name), None)
    return AtenPacket(name, inner) if callable(inner) else None
