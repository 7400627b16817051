"""What changes all tensors of a module at once: dtype, device, memory format, grad flags.

Everything goes through ``_apply``, which layers with further tensors extend. Parameters keep
their identity (optimizers hold them): only their data is exchanged, wherever that is possible.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any

import flambeau
from flambeau.core.dtypes import PYTHON_TYPES
from flambeau.core.errors import fail
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import Tensor
from flambeau.nn.parameter import Parameter


def _exchangeable(old: Tensor, new: Tensor) -> bool:
    """Whether ``old.data = new`` is possible: same kind of device and same layout."""
    future = sys.modules.get("flambeau.__future__")
    if future is not None and future.get_overwrite_module_params_on_conversion():
        return False
    return old.device.type == new.device.type and old.layout == new.layout


class Conversions:
    """The part of Module that converts its tensors."""

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Any:
        """Run ``fn`` on every parameter, its gradient, and every buffer."""
        if recurse:
            for module in self.children():
                module._apply(fn)
        for name, parameter in self._parameters.items():
            if parameter is None:
                continue
            gradient = parameter.grad
            with flambeau.no_grad():
                converted = fn(parameter)
            if _exchangeable(parameter, converted):
                parameter.data = converted
            else:
                parameter = Parameter(converted, parameter.requires_grad)
                self._parameters[name] = parameter
            if gradient is None:
                continue
            with flambeau.no_grad():
                converted = fn(gradient)
            if parameter.grad is not None and _exchangeable(gradient, converted):
                parameter.grad.data = converted
            else:
                parameter.grad = converted.requires_grad_(gradient.requires_grad)
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """Move to a device, a floating dtype or a memory format, in place.

        Forms: ``to(device, dtype, non_blocking)``, ``to(dtype, non_blocking)``,
        ``to(tensor, non_blocking)``, ``to(memory_format=...)``. Integer tensors keep their dtype;
        the memory format concerns tensors of 4 and 5 dimensions.

        Raises:
            TypeError: the dtype is neither floating nor complex.
            NotImplementedError: from meta to a device: there are no values; see ``to_empty``.
        """
        device, dtype, non_blocking, memory_format = _parse_to(*args, **kwargs)
        if dtype is not None:
            if not (dtype.is_floating_point or dtype.is_complex):
                raise fail(
                    TypeError,
                    f"{type(self).__name__}.to",
                    "nn.Module.to only accepts floating point or complex dtypes, but got desired "
                    f"dtype={dtype}",
                )
            if dtype.is_complex:
                warnings.warn(
                    "Complex modules are a new feature under active development whose design may "
                    "change, and some modules might not work as expected when using complex "
                    "tensors as parameters or buffers.",
                    stacklevel=stack_level(),
                )

        def convert(tensor: Tensor) -> Tensor:
            floating = tensor.is_floating_point() or tensor.is_complex()
            wanted = dtype if floating else None
            try:
                if memory_format is not None and tensor.dim() in (4, 5):
                    return tensor.to(device, wanted, non_blocking, memory_format=memory_format)
                return tensor.to(device, wanted, non_blocking)
            except NotImplementedError as error:
                if "Cannot copy out of meta tensor; no data!" not in str(error):
                    raise
                raise NotImplementedError(
                    "Cannot copy out of meta tensor; no data! Please use "
                    "torch.nn.Module.to_empty() instead of torch.nn.Module.to() when moving "
                    "module from meta to a different device."
                ) from None

        return self._apply(convert)

    def to_empty(self, *, device: Any, recurse: bool = True) -> Any:
        """Move to a device without copying values: all tensors are uninitialised there."""
        return self._apply(lambda t: flambeau.empty_like(t, device=device), recurse=recurse)

    def type(self, dst_type: Any) -> Any:
        """Cast all parameters and buffers, integer ones too."""
        return self._apply(lambda t: t.type(dst_type))

    def float(self) -> Any:
        """Cast floating tensors to float32."""
        return self._apply(lambda t: t.float() if t.is_floating_point() else t)

    def double(self) -> Any:
        """Cast floating tensors to float64."""
        return self._apply(lambda t: t.double() if t.is_floating_point() else t)

    def half(self) -> Any:
        """Cast floating tensors to float16."""
        return self._apply(lambda t: t.half() if t.is_floating_point() else t)

    def bfloat16(self) -> Any:
        """Cast floating tensors to bfloat16."""
        return self._apply(lambda t: t.bfloat16() if t.is_floating_point() else t)

    def cpu(self) -> Any:
        """Move to the CPU."""
        return self._apply(lambda t: t.cpu())

    def cuda(self, device: Any = None) -> Any:
        """Move to a CUDA device; answers as a CPU build of PyTorch does."""
        return self._apply(lambda t: t.cuda(device))

    def ipu(self, device: Any = None) -> Any:
        """Move to an IPU; there is none."""
        return self._apply(lambda t: t.ipu(device))

    def xpu(self, device: Any = None) -> Any:
        """Move to an XPU; there is none."""
        return self._apply(lambda t: t.xpu(device))

    def mtia(self, device: Any = None) -> Any:
        """Move to an MTIA device; there is none."""
        return self._apply(lambda t: t.mtia(device))

    def share_memory(self) -> Any:
        """Put all tensors into memory that other processes can share."""
        return self._apply(lambda t: t.share_memory_())

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Freeze (False) or thaw all parameters.

        Raises:
            TypeError: what is given is no bool.
        """
        if type(requires_grad) is not bool:
            kind = type(requires_grad).__name__
            raise TypeError(f"requires_grad_: argument 'requires_grad' must be bool, not {kind}.")
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients of all parameters, or zero them in place.

        Args:
            set_to_none: ``.grad = None`` (default); else the gradients are filled with zero.
        """
        if getattr(self, "_is_replica", False):
            warnings.warn(
                "Calling .zero_grad() from a module created with nn.DataParallel() has no "
                "effect. The parameters are copied (in a differentiable manner) from the "
                "original module.",
                stacklevel=stack_level(),
            )
        for parameter in self.parameters():
            gradient = parameter.grad
            if gradient is None:
                continue
            if set_to_none:
                parameter.grad = None
                continue
            if gradient.grad_fn is not None:
                gradient.detach_()
            else:
                gradient.requires_grad_(False)
            gradient.zero_()


def _parse_to(*args: Any, **kwargs: Any) -> tuple[Any, Any, bool, Any]:
    """(device, dtype, non_blocking, memory_format) of the forms of ``to``."""
    slots: dict[str, Any] = {"device": None, "dtype": None, "non_blocking": False}
    slots["memory_format"] = kwargs.pop("memory_format", None)
    copied = kwargs.pop("copy", None)
    other = kwargs.pop("tensor", None) if "tensor" in kwargs else kwargs.pop("other", None)
    rest = [PYTHON_TYPES.get(a, a) if isinstance(a, type) else a for a in args]
    if rest and isinstance(rest[0], Tensor):
        other = rest.pop(0)
    if other is not None:
        slots["device"], slots["dtype"] = other.device, other.dtype
        order = ["non_blocking", "copy"]
    elif rest and isinstance(rest[0], flambeau.dtype):
        order = ["dtype", "non_blocking", "copy"]
    else:
        order = ["device", "dtype", "non_blocking", "copy"]
    flags = rest[order.index("non_blocking") :]
    if (
        len(rest) > len(order)
        or not set(kwargs) <= set(slots)
        or any(type(flag) is not bool for flag in flags)
    ):
        raise fail(
            TypeError,
            "Module.to",
            f"received an invalid combination of arguments: {len(args)} positional, keywords "
            f"{sorted(kwargs)}. Expected to(device, dtype, non_blocking), to(dtype, "
            "non_blocking), to(tensor, non_blocking) or to(memory_format=...).",
        )
    slots.update(zip(order, rest, strict=False))
    slots.update(kwargs)
    if copied is not None or "copy" in slots:
        raise fail(
            RuntimeError, "Module.to", "a module is changed in place: .to() does not accept copy."
        )
    dtype, device = slots["dtype"], slots["device"]
    if dtype is not None and not isinstance(dtype, flambeau.dtype):
        raise fail(
            TypeError, "Module.to", f"dtype is a {type(dtype).__name__}, expected a torch.dtype."
        )
    if device is not None:
        device = flambeau.device(device)
    return device, dtype, bool(slots["non_blocking"]), slots["memory_format"]
