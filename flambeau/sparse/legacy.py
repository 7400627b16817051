"""``torch.sparse.FloatTensor(indices, values, size)`` and its kin: the names of before
`sparse_coo_tensor`.

Stands on build.
"""

from __future__ import annotations

from typing import Any

from flambeau.compat import warn_once
from flambeau.core import dtypes
from flambeau.core.errors import fail
from flambeau.core.layout import sparse_coo
from flambeau.core.size import Size
from flambeau.core.tensor import Tensor
from flambeau.sparse.build import sparse_coo_tensor

__all__ = ["TYPES", "new"]


def new(kind: Any, args: tuple[Any, ...]) -> Tensor:
    """``tensor.new(...)`` of a sparse tensor: of sizes, or of indices and values.

    Raises:
        TypeError: something else.
    """
    if all(isinstance(n, int) for n in args):
        return sparse_coo_tensor(args or (0,), dtype=kind)
    if len(args) == 1 and isinstance(args[0], Size):
        return sparse_coo_tensor(args[0], dtype=kind)
    if len(args) in (2, 3) and isinstance(args[0], Tensor) and isinstance(args[1], Tensor):
        return sparse_coo_tensor(*args, dtype=kind)
    raise fail(
        TypeError,
        "new",
        f"of a sparse tensor takes sizes, or indices, values and a size; got "
        f"{', '.join(type(a).__name__ for a in args)}",
    )


class _Kind(type):
    kind: Any

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, Tensor) and value.layout is sparse_coo and value.dtype is cls.kind

    def __repr__(cls) -> str:
        return f"<class 'torch.sparse.{cls.__name__}'>"

    def __call__(cls, *args: Any, device: Any = None) -> Tensor:
        sized = not args or all(isinstance(n, int) for n in args) or len(args) == 1
        old = "shape" if sized else "indices, values" + ", shape" * (len(args) > 2)
        then, now = f"{old}, *, device=", f"{old}, dtype=, device="
        if not args:
            then, now = "", "(0,), dtype="
        warn_once(
            f"torch.sparse.SparseTensor({then}) is deprecated.  Please use "
            f"torch.sparse_coo_tensor({now}).",
            UserWarning,
        )
        if sized:
            size = args[0] if len(args) == 1 and not isinstance(args[0], int) else args
            return sparse_coo_tensor(tuple(size) or (0,), dtype=cls.kind, device=device)
        kind = args[1].dtype if isinstance(args[1], Tensor) else cls.kind  # the values', as given
        return sparse_coo_tensor(*args, dtype=kind, device=device)


TYPES = {
    f"{name}Tensor": _Kind(
        f"{name}Tensor",
        (),
        {"kind": getattr(dtypes, kind), "__doc__": f"Sparse tensors of {kind}."},
    )
    for name, kind in {
        "Float": "float32",
        "Double": "float64",
        "Half": "float16",
        "BFloat16": "bfloat16",
        "Long": "int64",
        "Int": "int32",
        "Short": "int16",
        "Char": "int8",
        "Byte": "uint8",
    }.items()
}
