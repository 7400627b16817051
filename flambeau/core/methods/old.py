"""Methods that only old scripts call: `new`, `volatile`, `resize_as`, `map2_`, `module_load`.

Stands on the legacy constructors.
"""

from __future__ import annotations

import warnings
from typing import Any, NoReturn

from flambeau.core import dtypes
from flambeau.core.errors import fail
from flambeau.core.layout import sparse_coo
from flambeau.core.legacy import _typed
from flambeau.core.methods import attach
from flambeau.core.methods.attributes import broadcast_to
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import Tensor

__all__: list[str] = []


class _Old:
    def new(self: Tensor, *args: Any, device: Any = None, **kwargs: Any) -> Tensor:
        """A tensor of the same dtype by the old constructor: of sizes, or of data."""
        if self.layout is sparse_coo:
            from flambeau.sparse.factory import new

            return new(self.dtype, args)
        return _typed(self.dtype, args, "new", kwargs)

    @property
    def volatile(self: Tensor) -> bool:
        """False, with a warning: `torch.no_grad()` does what it did."""
        warnings.warn(
            "volatile was removed (Variable.volatile is always False): use torch.no_grad()",
            UserWarning,
            stacklevel=stack_level(),
        )
        return False

    @volatile.setter
    def volatile(self: Tensor, value: Any) -> None:
        warnings.warn(
            "volatile was removed and does nothing: use torch.no_grad()",
            UserWarning,
            stacklevel=stack_level(),
        )

    def resize_as(self: Tensor, tensor: Tensor) -> Tensor:
        """Of the other tensor's size, when it has as many elements."""
        warnings.warn("non-inplace resize_as is deprecated", stacklevel=stack_level())
        return self.view(tensor.shape)

    def map2_(self: Tensor, x: Tensor, y: Tensor, callable: Any) -> Tensor:
        """Replace each element by ``callable(self, x, y)``, in place."""
        shape = self._array.shape
        others = [a.flat for a in broadcast_to("map2_", shape, x, y)]
        values = [
            callable(a.item(), b.item(), c.item())
            for a, b, c in zip(self._array.flat, *others, strict=True)
        ]
        return self._filled(values, "map2_")  # type: ignore[no-any-return]

    def module_load(self: Tensor, other: Tensor, assign: bool = False) -> Tensor:
        """What `load_state_dict` puts in this tensor's place under swapping: `other`'s values."""
        return other.detach() if assign else self.detach().copy_(other)

    def const_data_ptr(self: Tensor) -> int:
        """The address of the first element."""
        return self.data_ptr()

    def is_distributed(self: Tensor) -> bool:
        """False."""
        return False

    def dequantize(self: Tensor) -> Tensor:
        """The numbers as float32; those of a quantised tensor are its own method's."""
        return self.to(dtypes.float32)

    def int_repr(self: Tensor) -> Any:
        """The integers of a quantised tensor."""
        _not_quantised("int_repr")

    def q_scale(self: Tensor) -> Any:
        """The scale of a quantised tensor."""
        _not_quantised("q_scale")

    def q_zero_point(self: Tensor) -> Any:
        """The zero point of a quantised tensor."""
        _not_quantised("q_zero_point")

    def q_per_channel_scales(self: Tensor) -> Any:
        """The scales of a tensor quantised by channel."""
        _not_quantised("q_per_channel_scales")

    def q_per_channel_zero_points(self: Tensor) -> Any:
        """The zero points of a tensor quantised by channel."""
        _not_quantised("q_per_channel_zero_points")

    def q_per_channel_axis(self: Tensor) -> Any:
        """The channels' dimension of a tensor quantised by channel."""
        _not_quantised("q_per_channel_axis")

    def qscheme(self: Tensor) -> Any:
        """How a quantised tensor is quantised."""
        _not_quantised("qscheme")

    def mtia(self: Tensor, *args: Any, **kwargs: Any) -> NoReturn:
        """The tensor on an MTIA device: there is none."""
        raise fail(AssertionError, "mtia", "Torch not compiled with MTIA enabled.")

    def xpu(self: Tensor, *args: Any, **kwargs: Any) -> NoReturn:
        """The tensor on an XPU: there is none."""
        raise fail(AssertionError, "xpu", "Torch not compiled with XPU enabled.")

    def ipu(self: Tensor, *args: Any, **kwargs: Any) -> NoReturn:
        """The tensor on an IPU: there is none."""
        raise fail(RuntimeError, "ipu", "PyTorch is not linked with support for ipu devices.")

    def __delitem__(self: Tensor, index: Any) -> NoReturn:
        raise TypeError("Tensor does not support deleting items")

    def __long__(self: Tensor) -> int:
        return int(self)

    def __nonzero__(self: Tensor) -> bool:
        return bool(self)

    def __div__(self: Tensor, other: Any) -> Any:
        return self / other

    def __idiv__(self: Tensor, other: Any) -> Any:
        return self.div_(other)


attach(_Old)


def _not_quantised(name: str) -> NoReturn:
    raise fail(
        NotImplementedError,
        name,
        "the tensor is not quantised: torch.quantize_per_tensor makes one that is.",
    )
