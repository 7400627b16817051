"""Shape, dtype, device, strides, memory: what a tensor says of itself. Stands on core.tensor."""

from __future__ import annotations

from numbers import Number
from typing import Any

import numpy as np

from flambeau.core import dtypes
from flambeau.core import layout as layouts
from flambeau.core.device import cuda_means_cpu
from flambeau.core.device import device as Device
from flambeau.core.dims import wrap_dim
from flambeau.core.errors import fail
from flambeau.core.ir.abstract import Abstract
from flambeau.core.lower import Shell
from flambeau.core.methods import attach, bind
from flambeau.core.size import Size
from flambeau.core.storage import address, root_of, storage_of, touch
from flambeau.core.tensor import Tensor, edge_of

__all__ = ["Attributes"]

CPU = Device("cpu")
META = Device("meta")

DENSE_FORMATS = (layouts.contiguous_format, layouts.channels_last, layouts.channels_last_3d)


def _no_memory(tensor: Tensor, name: str, kind: type[Exception]) -> None:
    raise fail(
        kind,
        name,
        f"a tensor of layout {tensor.layout} has no memory of its own: ask its values()",
    )


def broadcast_to(name: str, shape: Any, *others: Tensor) -> list[Any]:
    """The arrays of other operands, in the shape of the tensor that is written.

    Raises:
        RuntimeError: one does not broadcast to it.
    """
    for other in others:
        if edge_of(other) is not None:
            raise fail(
                RuntimeError,
                name,
                f"Can't call {name}() on Variable that requires grad: an argument does. Use "
                "var.detach().",
            )
    try:
        return [np.broadcast_to(other._array, shape) for other in others]
    except ValueError:
        given = ", ".join(str(list(other._array.shape)) for other in others)
        raise fail(
            RuntimeError, name, f"{given} does not broadcast to this tensor's {list(shape)}."
        ) from None


class Attributes:
    @property
    def shape(self: Tensor) -> Size:
        """The sizes of the dimensions."""
        return tuple.__new__(Size, self._array.shape)

    def size(self: Tensor, dim: int | None = None) -> Any:
        """The sizes, or the size of dimension `dim`."""
        if dim is None:
            return tuple.__new__(Size, self._array.shape)
        shape = self._array.shape
        return shape[wrap_dim(dim, len(shape))]

    @property
    def ndim(self: Tensor) -> int:
        """Number of dimensions."""
        return int(self._array.ndim)

    def dim(self: Tensor) -> int:
        """Number of dimensions."""
        return int(self._array.ndim)

    ndimension = dim

    def numel(self: Tensor) -> int:
        """Number of elements."""
        return int(self._array.size)

    nelement = numel

    @property
    def dtype(self: Tensor) -> dtypes.dtype:
        """The element type."""
        return dtypes.of(self._array.dtype)

    @property
    def device(self: Tensor) -> Device:
        """Where the elements lie: cpu or meta."""
        array = self._array
        if isinstance(array, Abstract):
            return array.device if type(array) is Shell else META
        return CPU

    @property
    def layout(self: Tensor) -> Any:
        """strided, or one of the sparse layouts."""
        return getattr(self._array, "layout", layouts.strided)

    @property
    def itemsize(self: Tensor) -> int:
        """Bytes of one element."""
        return int(self._array.dtype.itemsize)

    def element_size(self: Tensor) -> int:
        """Bytes of one element."""
        return int(self._array.dtype.itemsize)

    @property
    def nbytes(self: Tensor) -> int:
        """Bytes of all elements."""
        return int(self._array.size * self._array.dtype.itemsize)

    def stride(self: Tensor, dim: int | None = None) -> Any:
        """Steps between elements along each dimension (or `dim`), counted in elements."""
        a = self._array
        if hasattr(a, "compressed"):
            _no_memory(self, "stride", RuntimeError)
        item = a.dtype.itemsize
        # NumPy's new arrays without elements have steps of 0, their views keep those they had.
        steps = (
            tuple([s // item for s in a.strides])
            if a.size or all(a.strides)
            else layouts.contiguous_strides(a.shape)
        )
        return steps if dim is None else steps[wrap_dim(dim, len(steps))]

    def storage_offset(self: Tensor) -> int:
        """How far the first element lies into the storage, in elements."""
        if isinstance(self._array, Abstract):
            return self._array.offset
        if not self._array.size or hasattr(self._array, "is_sparse_data"):
            return 0
        root = root_of(self)
        return (address(self._array) - address(root)) // self._array.dtype.itemsize

    def data_ptr(self: Tensor) -> int:
        """The address of the first element; 0 for an empty or meta tensor."""
        return address(self._array) if type(self._array) is np.ndarray and self._array.size else 0

    def is_contiguous(self: Tensor, memory_format: Any = layouts.contiguous_format) -> bool:
        """Whether the elements lie in order without gaps."""
        a = self._array
        if memory_format is layouts.contiguous_format and type(a) is np.ndarray:
            return bool(a.flags.c_contiguous)
        if hasattr(a, "compressed"):
            _no_memory(self, "is_contiguous", RuntimeError)
        return layouts.is_contiguous(
            a.shape, tuple(s // a.dtype.itemsize for s in a.strides), memory_format
        )

    def is_floating_point(self: Tensor) -> bool:
        """Whether the dtype is a floating-point one."""
        return self.dtype.is_floating_point

    def is_complex(self: Tensor) -> bool:
        """Whether the dtype is complex."""
        return self._array.dtype.kind in "cW"  # complex32 is W

    def is_signed(self: Tensor) -> bool:
        """Whether the dtype can hold negative numbers."""
        return self.dtype.is_signed

    is_cuda = property(lambda self: False)
    is_mps = property(lambda self: False)
    is_xpu = property(lambda self: False)
    is_xla = property(lambda self: False)
    is_ipu = property(lambda self: False)
    is_mkldnn = property(lambda self: False)
    is_quantized = property(lambda self: False)
    is_nested = property(lambda self: False)
    is_vulkan = property(lambda self: False)
    is_maia = property(lambda self: False)
    is_mtia = property(lambda self: False)
    is_cpu = property(lambda self: type(self._array) is not Abstract)
    is_meta = property(lambda self: type(self._array) is Abstract)
    is_sparse = property(lambda self: self.layout is layouts.sparse_coo)
    is_sparse_csr = property(lambda self: self.layout is layouts.sparse_csr)

    @property
    def name(self: Tensor) -> None:
        return None

    def map_(self: Tensor, tensor: Tensor, callable: Any) -> Tensor:
        """Replace each element by ``callable(self, tensor)``, in place."""
        (other,) = broadcast_to("map_", self._array.shape, tensor)
        pairs = zip(self._array.flat, other.flat, strict=True)
        return self._filled([callable(a.item(), b.item()) for a, b in pairs], "map_")

    def apply_(self: Tensor, callable: Any) -> Tensor:
        """Replace each element by ``callable(element)``, in place; slow, for the cpu."""
        return self._filled([callable(a.item()) for a in self._array.flat], "apply_")

    def _filled(self: Tensor, values: list[Any], name: str) -> Tensor:
        if edge_of(self) is not None:
            raise RuntimeError(
                f"Can't call {name}() on Variable that requires grad. Use var.detach().{name}() "
                f"instead."
            )
        strange = next((v for v in values if not isinstance(v, Number | np.bool)), None)
        if strange is not None:
            raise fail(
                TypeError, name, f"the callable gave a {type(strange).__name__}: give numbers."
            )
        self._array[...] = np.array(values, self._array.dtype).reshape(self._array.shape)
        touch(self, name)
        return self

    def get_device(self: Tensor) -> int:
        """-1: not on an accelerator."""
        return -1

    def is_conj(self: Tensor) -> bool:
        """False: conjugation is computed at once."""
        return False

    def is_neg(self: Tensor) -> bool:
        """False: negation is computed at once."""
        return False

    def is_pinned(self: Tensor, device: Any = None) -> bool:
        """Whether the memory is page-locked for an accelerator: there is none."""
        return False

    def pin_memory(self: Tensor, device: Any = None) -> Tensor:
        """Pinned memory serves accelerators: there is none here.

        Raises:
            RuntimeError: as in a CPU build of PyTorch (with FLAMBEAU_CUDA=cpu: the tensor itself).
        """
        if cuda_means_cpu():
            return self
        raise RuntimeError(
            "Cannot access accelerator device when none is available: pin_memory() serves "
            "accelerators."
        )

    def is_inference(self: Tensor) -> bool:
        """Whether the tensor was made under `inference_mode`."""
        return self._storage is not None and self._storage.inference

    def to_padded_tensor(self: Tensor, padding: float, output_size: Any = None) -> Tensor:
        """Only nested tensors have parts to pad.

        Raises:
            NotImplementedError: always.
        """
        raise fail(
            NotImplementedError,
            "to_padded_tensor",
            "the tensor is not nested: torch.nn.utils.rnn.pad_sequence pads a list of tensors.",
        )

    def is_same_size(self: Tensor, other: Tensor) -> bool:
        """Whether the sizes are equal.

        Raises:
            RuntimeError: one of the tensors is nested, the other not.
        """
        if self.is_nested is not other.is_nested:
            raise fail(
                RuntimeError,
                "is_same_size",
                "Expected both self and other to be nested tensors, or neither.",
            )
        return bool(self._array.shape == other._array.shape)

    def is_set_to(self: Tensor, tensor: Tensor) -> bool:
        """Whether both are the same view of the same storage."""
        return (
            storage_of(self) is storage_of(tensor)
            and self.storage_offset() == tensor.storage_offset()
            and self.size() == tensor.size()
            and self.stride() == tensor.stride()
        )

    @property
    def _version(self: Tensor) -> int:
        """How often the storage was written in place."""
        storage = self._storage
        if storage is not None and storage.inference:
            raise RuntimeError(
                "Inference tensors do not track version counter: they are never saved for backward."
            )
        return storage.version if storage is not None else 0

    @property
    def _base(self: Tensor) -> Tensor | None:
        """The tensor this is a view of."""
        return self._view[0] if self._view is not None else None

    def _is_view(self: Tensor) -> bool:
        return self._view is not None

    def dim_order(self: Tensor, ambiguity_check: Any = False) -> tuple[int, ...]:
        """The dimensions from the slowest to the fastest.

        Args:
            ambiguity_check: True refuses where sizes of 1 and overlaps leave a choice; a list of
                memory formats refuses where not exactly one of them fits.

        Raises:
            RuntimeError: the order is ambiguous.
            TypeError: `ambiguity_check` is something else.
        """
        formats = [] if isinstance(ambiguity_check, bool) else ambiguity_check
        if not isinstance(formats, (list, tuple)) or not all(
            isinstance(each, layouts.memory_format) for each in formats
        ):
            message = "The ambiguity_check argument must be a bool or a list of memory formats."
            raise fail(TypeError, "dim_order", message)
        shape, steps = self._array.shape, self.stride()
        order = tuple(sorted(range(len(steps)), key=lambda k: (-steps[k], -shape[k])))
        fitting = [each for each in DENSE_FORMATS if layouts.is_contiguous(shape, steps, each)]
        if len(fitting) == 1:
            plain = fitting[0] is layouts.contiguous_format
            order = tuple(range(len(shape))) if plain else (0, *range(2, len(shape)), 1)
        clear = 1 not in shape and 0 not in steps and len(set(steps)) == len(steps)
        if ambiguity_check is False or clear or (len(fitting) == 1 and fitting[0] in formats):
            return order
        raise fail(
            RuntimeError,
            "dim_order",
            f"The tensor of shape {list(shape)} and strides {list(steps)} does not have unique dim "
            "order, or cannot map to exact one of the given memory formats: leave ambiguity_check "
            "out, or name the one format that fits.",
        )

    def untyped_storage(self: Tensor) -> Any:
        """The bytes behind the tensor, shared with its views."""
        from flambeau.core.untyped import UntypedStorage

        if hasattr(self._array, "is_sparse_data"):
            _no_memory(self, "untyped_storage", NotImplementedError)
        return UntypedStorage(self)

    def storage(self: Tensor) -> Any:
        """The storage as elements of the tensor's dtype."""
        from flambeau.core.untyped import TypedStorage

        if hasattr(self._array, "is_sparse_data"):
            _no_memory(self, "storage", NotImplementedError)
        return TypedStorage(self)

    def storage_type(self: Tensor) -> Any:
        """The old name of storages of the tensor's dtype, ``torch.FloatStorage``."""
        from flambeau import storage
        from flambeau.core.untyped import OLD_NAMES

        name = OLD_NAMES.get(self.dtype)
        return storage.TypedStorage if name is None else getattr(storage, f"{name}Storage")

    def share_memory_(self: Tensor) -> Tensor:
        """Move the storage, with all tensors on it, to memory that processes share."""
        from flambeau.core.sharing import share

        share(self)
        return self

    def is_shared(self: Tensor) -> bool:
        """Whether the storage is in memory that processes share."""
        return self._storage is not None and bool(self._storage.shared)

    def record_stream(self: Tensor, stream: Any) -> None:
        """Nothing: memory is not shared between streams here."""
        return None


attach(Attributes)
bind(__hash__=object.__hash__)
