"""The faces of a storage that users see: bytes (`untyped_storage()`) and elements (`storage()`).
Stands on storage.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core import dtypes
from flambeau.core.storage import Storage, address, root_of, storage_of
from flambeau.core.tensor import Tensor, wrap

__all__ = ["TypedStorage", "UntypedStorage"]


class UntypedStorage:
    """The bytes a tensor and its views share."""

    def __init__(self, source: Any = 0, *, device: Any = None) -> None:
        if isinstance(source, Tensor):
            self._tensor = source
        else:
            data = (
                np.zeros(source, np.uint8)
                if isinstance(source, int)
                else np.array(list(source), np.uint8)
            )
            self._tensor = wrap(data)
        self._cdata: Storage = storage_of(self._tensor)

    def _bytes(self) -> np.ndarray[Any, Any]:
        root = root_of(self._tensor)
        if not root.size:
            return np.empty(0, np.uint8)
        span = (
            sum((n - 1) * abs(s) for n, s in zip(root.shape, root.strides, strict=True))
            + root.itemsize
        )
        if span == root.size * root.itemsize:  # dense, in whatever order
            return root.ravel(order="K").view(np.uint8)
        first = root[tuple([slice(0, 1)] * root.ndim)].reshape(-1).view(np.uint8)
        flat: np.ndarray[Any, Any] = np.lib.stride_tricks.as_strided(first, (span,), (1,))
        return flat

    def data_ptr(self) -> int:
        root = root_of(self._tensor)
        return address(root) if root.size else 0

    def nbytes(self) -> int:
        """Bytes in the storage."""
        if not isinstance(self._tensor._array, np.ndarray):
            return int(self._tensor._array.nbytes)
        return int(self._bytes().size)

    def size(self) -> int:
        return self.nbytes()

    def __len__(self) -> int:
        return self.nbytes()

    def __getitem__(self, index: Any) -> Any:
        found = self._bytes()[index]
        return int(found) if isinstance(found, np.generic) else UntypedStorage(wrap(found))

    def __setitem__(self, index: Any, value: Any) -> None:
        self._bytes()[index] = value

    def __iter__(self) -> Any:
        return iter(self.tolist())

    def tolist(self) -> list[int]:
        found: list[int] = self._bytes().tolist()
        return found

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, UntypedStorage)
            and self.data_ptr() == other.data_ptr()
            and self.nbytes() == other.nbytes()
        )

    def __hash__(self) -> int:
        return id(self._cdata)

    @property
    def device(self) -> Any:
        return self._tensor.device

    is_cuda = False

    def is_shared(self) -> bool:
        return self._cdata.shared

    def share_memory_(self) -> UntypedStorage:
        self._cdata.shared = True
        return self

    def clone(self) -> UntypedStorage:
        return UntypedStorage(wrap(self._bytes().copy()))

    def resize_(self, size: int) -> None:
        """Give the storage another number of bytes (the tensor keeps its geometry)."""
        old = self._bytes()
        fresh = np.zeros(size, np.uint8)
        count = min(size, old.size)
        fresh[:count] = old[:count]
        self._cdata.root = fresh

    def tensor(self, dtype: dtypes.dtype) -> Tensor:
        """All bytes as a 1-D tensor on the same memory."""
        found = wrap(self._bytes().view(dtype.numpy))
        found._storage = self._cdata
        return found

    def __repr__(self) -> str:
        rows = "\n".join(f" {b}" for b in self.tolist())
        return f"{rows}\n[torch.storage.UntypedStorage(device=cpu) of size {self.nbytes()}]"


class TypedStorage:
    """The storage as elements of one dtype."""

    def __init__(
        self, source: Any = 0, *, dtype: Any = None, wrap_storage: Any = None, **_: Any
    ) -> None:
        if wrap_storage is not None:
            self._untyped = wrap_storage
            self.dtype = dtype
        else:
            self._untyped = UntypedStorage(source)
            self.dtype = source.dtype if isinstance(source, Tensor) else (dtype or dtypes.default())

    def untyped(self) -> UntypedStorage:
        return self._untyped  # type: ignore[no-any-return]

    def _elements(self) -> np.ndarray[Any, Any]:
        found: np.ndarray[Any, Any] = self._untyped._bytes().view(self.dtype.numpy)
        return found

    def __len__(self) -> int:
        return self.size()

    def size(self) -> int:
        return int(self._untyped.nbytes() // self.dtype.itemsize)

    def nbytes(self) -> int:
        return int(self._untyped.nbytes())

    def element_size(self) -> int:
        return self.dtype.itemsize

    def data_ptr(self) -> int:
        return int(self._untyped.data_ptr())

    def tolist(self) -> list[Any]:
        found: list[Any] = self._elements().tolist()
        return found

    def __iter__(self) -> Any:
        return iter(self.tolist())

    def __getitem__(self, index: Any) -> Any:
        found = self._elements()[index]
        return found.item() if isinstance(found, np.generic) else TypedStorage(wrap(found))

    def __setitem__(self, index: Any, value: Any) -> None:
        self._elements()[index] = value

    def tensor(self, dtype: dtypes.dtype) -> Tensor:
        return self._untyped.tensor(self.dtype)  # type: ignore[no-any-return]

    @property
    def device(self) -> Any:
        return self._untyped.device

    is_cuda = False

    def is_shared(self) -> bool:
        return bool(self._untyped.is_shared())

    def __repr__(self) -> str:
        rows = "\n".join(f" {x}" for x in self.tolist())
        kind = f"torch.storage.TypedStorage(dtype={self.dtype}, device=cpu)"
        return f"{rows}\n[{kind} of size {len(self)}]"
