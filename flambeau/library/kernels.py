"""`get_kernel`: what runs for an operation, to be called where another takes its place. Stands on
registry and aten."""

from __future__ import annotations

from typing import Any

from flambeau.core.errors import fail
from flambeau.library import registry
from flambeau.library.aten import AtenOverload
from flambeau.library.custom import CustomOpDef

__all__ = ["get_kernel"]

BUILTIN = {
    "Autograd", "AutogradCPU", "CPU", "CompositeExplicitAutograd", "CompositeImplicitAutograd",
    "Meta",
}  # fmt: skip
"""Keys for which the library's own operations are one function."""
OTHERS = {
    "AutogradCUDA", "AutogradMeta", "AutogradXLA", "CUDA", "Functionalize", "MPS", "MTIA",
    "MkldnnCPU", "NestedTensorCPU", "PrivateUse1", "QuantizedCPU", "SparseCPU", "SparseCsrCPU",
    "XLA", "XPU", "ZeroTensor",
}  # fmt: skip


class SafeKernelFunction:
    """What runs for an operation."""

    def __init__(self, name: str, function: Any) -> None:
        self._name, self._function = name, function

    def call_boxed(self, keyset: Any, *args: Any, **kwargs: Any) -> Any:
        """Run it. `keyset` chooses nothing: it is the kernel of one key already."""
        return self._function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"SafeKernelFunction(debug='{self._name}')"


def get_kernel(op: Any, dispatch_key: Any) -> SafeKernelFunction:
    """The kernel of an operation for a dispatch key.

    Args:
        op: ``namespace::name.overload``, or an overload. dispatch_key: "CPU", "Meta", ...

    Raises:
        RuntimeError: there is no such operation, or no kernel for the key.
        ValueError: there is no such key, or `op` is something else.
    """
    key = str(getattr(dispatch_key, "name", dispatch_key))
    if key not in BUILTIN | OTHERS:
        raise ValueError(f"Invalid dispatch key: {dispatch_key}")
    if isinstance(op, str):
        name = op
    elif isinstance(op, AtenOverload):
        name = f"aten::{str(op).removeprefix('aten.')}"
    elif isinstance(op, registry.Packet | CustomOpDef) or not callable(getattr(op, "name", None)):
        raise ValueError(f"get_kernel({op}): got unexpected type for op: {type(op)}")
    else:
        name = op.name()
    if name.startswith("aten::"):
        short = name.removeprefix("aten::").partition(".")[0]
        function = getattr(registry.ops.aten, short, None) if key in BUILTIN else None
        known = getattr(registry.ops.aten, short, None) is not None
    else:
        packet = registry.packet(name)
        known = packet is not None
        function = packet and _kernel(packet.kernels, key)
    if not known:
        raise fail(RuntimeError, "get_kernel", f"operator {name} does not exist")
    if function is None:
        raise fail(RuntimeError, "get_kernel", f"{name} has no kernel for {key}")
    return SafeKernelFunction(f"{name} {key}", function)


def _kernel(kernels: dict[str, Any], key: str) -> Any:
    """The key's own, or one that is made of other operations."""
    owner = kernels.get("Autograd")
    if isinstance(owner, CustomOpDef) and key in BUILTIN:
        return owner
    wholes = "CompositeExplicitAutograd", "CompositeImplicitAutograd"
    return next((kernels[k] for k in (key, *wholes) if k in kernels), None)
