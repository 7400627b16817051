"""Making sparse tensors: from indices and values, and like another tensor. The given memory is
kept, not copied.

Size and dtype are inferred where they are not given. Whether the indices fit the size is looked at
only with
``check_invariants=True`` or under `check_sparse_tensor_invariants`, as in PyTorch. Stands on basis.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core import dtypes
from flambeau.core import layout as layouts
from flambeau.core.errors import fail
from flambeau.core.factory import tensor as make_tensor
from flambeau.core.factory_options import element_type, is_meta
from flambeau.core.tensor import Tensor, leaf_edge, wrap
from flambeau.sparse import basis, invariants
from flambeau.sparse.data import COO, Compressed

__all__ = [
    "like",
    "sparse_bsc_tensor",
    "sparse_bsr_tensor",
    "sparse_compressed_tensor",
    "sparse_coo_tensor",
    "sparse_csc_tensor",
    "sparse_csr_tensor",
    "unfilled",
]

COMPRESSED = (layouts.sparse_csr, layouts.sparse_csc, layouts.sparse_bsr, layouts.sparse_bsc)


def _numbers(value: Any, dtype: Any = None) -> Tensor:
    """A tensor of what was given; a given tensor itself, converted where a dtype is asked for."""
    if isinstance(value, Tensor):
        return value if dtype is None or value.dtype is dtype else value.to(dtype)  # type: ignore[no-any-return]
    if isinstance(value, np.ndarray) and value.dtype.isnative and dtype is None:
        from flambeau.core.factory import from_numpy

        return from_numpy(value)  # type: ignore[no-any-return]
    if (
        isinstance(value, (list, tuple))
        and value
        and all(isinstance(v, (Tensor, np.ndarray)) for v in value)
    ):
        value = [np.asarray(v._array if isinstance(v, Tensor) else v) for v in value]
        value = np.array(value)
    return make_tensor(value, dtype=dtype)  # type: ignore[no-any-return]


def _indices(op: str, name: str, value: Any) -> Any:
    """An index argument as an array, int64 for coordinates.

    Raises:
        TypeError: not integers.
    """
    a = _numbers(value)._array
    if a.dtype.kind in "fc" and not a.size:
        a = a.astype(np.int64)
    return a


def _refuse_devices(op: str, device: Any) -> None:
    if device is not None and is_meta(op, device):
        raise fail(
            NotImplementedError,
            op,
            "sparse tensors are not built on the meta device: make it on the cpu",
        )


def _finished(tensor: Tensor, values: Tensor, requires_grad: bool) -> Tensor:
    """A leaf when the user asks for a gradient: the way to the values is cut then, as for
    `torch.tensor`."""
    if not requires_grad:
        return tensor
    found = tensor.detach()
    leaf_edge(found)
    return found


def sparse_coo_tensor(*args: Any, **kwargs: Any) -> Tensor:
    """A tensor in coordinate form: ``out[indices[:, k]] += values[k]``.

    Args:
        indices: (sparse_dim, nnz) integers.
        values: (nnz, *dense). size: by default the smallest that holds the indices.
        dtype, device, requires_grad: as in `torch.tensor`. pin_memory: refused.
        check_invariants: look at the indices (default: the global switch). is_coalesced: promise
            that places are
            unique and in order.

    Also ``sparse_coo_tensor(size)``: no values at all.

    Raises:
        RuntimeError: numbers of values and indices, or dimensions, that do not agree.
    """
    op = "sparse_coo_tensor"
    names = ("indices", "values", "size")
    if (
        len(args) == 1
        and not kwargs.keys() & {"values"}
        and "size" not in kwargs
        or (not args and "indices" not in kwargs)
    ):
        size = args[0] if args else kwargs.pop("size")
        return _empty(op, size, **kwargs)
    if len(args) > 3:
        raise fail(
            TypeError,
            op,
            f"takes (indices, values, size), {len(args)} positional arguments were given",
        )
    given = dict(zip(names, args, strict=False))
    for name in names:
        if name in kwargs:
            given[name] = kwargs.pop(name)
    return _coordinates(op, given["indices"], given["values"], given.get("size"), **kwargs)


def _empty(
    op: str,
    size: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    **_: Any,
) -> Tensor:
    _refuse_devices(op, device)
    kind = dtypes.default() if dtype is None else dtype
    found = wrap(basis.empty_coo(tuple(size), kind.numpy))
    if requires_grad:
        leaf_edge(found)
    return found


def _coordinates(
    op: str,
    indices: Any,
    values: Any,
    size: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    check_invariants: bool | None = None,
    is_coalesced: bool | None = None,
) -> Tensor:
    _refuse_devices(op, device)
    held = _numbers(values, dtype)
    i = _indices(op, "indices", indices)
    if i.ndim == 1 and i.size == 0:
        i = i.reshape(0, 0) if size is None else i.reshape(len(size) - max(held.ndim - 1, 0), 0)
    if i.dtype != np.int64:
        i = i.astype(np.int64)
    if i.ndim != 2:
        if i.ndim == 1 and size is not None and len(size) != i.shape[0] + held.ndim - 1:
            raise _dims(op, size, i.shape[0], max(held.ndim - 1, 0))
        raise fail(RuntimeError, op, f"indices must be sparse_dim x nnz, but got: {list(i.shape)}")
    if not held.ndim:
        held = held.reshape(1)
    if held.shape[0] != i.shape[1]:
        raise fail(
            RuntimeError,
            op,
            f"indices and values must have same nnz, but got nnz from indices: {i.shape[1]}, nnz "
            f"from values: {held.shape[0]}",
        )
    dense = tuple(held.shape[1:])
    if size is None:
        if i.size and i.min() < 0:
            raise fail(RuntimeError, op, f"found negative index {int(i.min())}")
        shape = (
            *((int(n) + 1 for n in i.max(axis=1)) if i.shape[1] else (0,) * i.shape[0]),
            *dense,
        )
    else:
        shape = tuple(int(n) for n in size)
        if len(shape) != i.shape[0] + len(dense):
            raise _dims(op, shape, i.shape[0], len(dense))
        if shape[i.shape[0] :] != dense:
            raise fail(
                RuntimeError,
                op,
                f"values has incorrect size, expected {[i.shape[1], *shape[i.shape[0] :]]}, got "
                f"{list(held.shape)}",
            )
    single = i.shape[1] < 2
    pattern = COO(i, held._array, shape, single if is_coalesced is None else bool(is_coalesced))
    if invariants.asked(check_invariants):
        invariants.check_coo(op, pattern)
    return _finished(basis.fill(held, pattern), held, requires_grad)


def _dims(op: str, size: Any, sparse_dim: int, dense_dim: int) -> Exception:
    return fail(
        RuntimeError,
        op,
        f"'len(size) == sparse_dim + dense_dim' is not satisfied: len(size) = {len(size)}, "
        f"sparse_dim = {sparse_dim}, dense_dim = "
        f"{dense_dim}",
    )


def sparse_compressed_tensor(
    compressed_indices: Any,
    plain_indices: Any,
    values: Any,
    size: Any = None,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    check_invariants: bool | None = None,
) -> Tensor:
    """A tensor in compressed form: CSR, CSC, BSR or BSC.

    Args:
        compressed_indices: (*batch, n + 1) where each row (column) begins.
        plain_indices: (*batch, nnz) the column (row) of each value or block.
        values: (*batch, nnz, *block, *dense). size: by default the smallest that holds the indices.
        layout: torch.sparse_csr, sparse_csc, sparse_bsr or sparse_bsc.

    Raises:
        RuntimeError: another layout, or sizes that do not agree.
    """
    op = (
        "sparse_compressed_tensor"
        if layout is None
        else f"sparse_{str(layout).rpartition('_')[2]}_tensor"
    )
    if layout not in COMPRESSED:
        raise fail(
            RuntimeError,
            op,
            "sparse_compressed_tensor expected sparse compressed tensor layout but got "
            f"{'none' if layout is None else layout}. Give "
            "layout=torch.sparse_csr (or sparse_csc, sparse_bsr, sparse_bsc).",
        )
    _refuse_devices(op, device)
    held = _numbers(values, dtype)
    pointers, plain = (
        _indices(op, "compressed_indices", compressed_indices),
        _indices(op, "plain_indices", plain_indices),
    )
    shape = (
        _compressed_size(pointers, plain, held, layout)
        if size is None
        else tuple(int(n) for n in size)
    )
    pattern = Compressed(pointers, plain, held._array, shape, layout)
    invariants.check_shapes(op, pattern)
    if invariants.asked(check_invariants):
        invariants.check_compressed(op, pattern)
    return _finished(basis.fill(held, pattern), held, requires_grad)


def _compressed_size(pointers: Any, plain: Any, values: Tensor, layout: Any) -> tuple[int, ...]:
    batch = pointers.ndim - 1
    blocked = layout in (layouts.sparse_bsr, layouts.sparse_bsc)
    height, width = values.shape[batch + 1 : batch + 3] if blocked else (1, 1)
    dense = values.shape[batch + 1 + 2 * blocked :]
    main, other = pointers.shape[-1] - 1, int(plain.max()) + 1 if plain.size else 0
    rows, columns = (
        (main, other) if layout in (layouts.sparse_csr, layouts.sparse_bsr) else (other, main)
    )
    return (*pointers.shape[:-1], rows * height, columns * width, *dense)


def _maker(name: str, layout: Any, compressed: str, plain: str) -> Any:
    def make(*args: Any, **kwargs: Any) -> Tensor:
        for mine, general in ((compressed, "compressed_indices"), (plain, "plain_indices")):
            if mine in kwargs:
                kwargs[general] = kwargs.pop(mine)
        if kwargs.pop("layout", layout) is not layout:
            raise fail(RuntimeError, make.__name__, f"the layout of {make.__name__} is {layout}")
        return sparse_compressed_tensor(*args, layout=layout, **kwargs)

    make.__name__ = make.__qualname__ = f"sparse_{name}_tensor"
    form = f"({compressed}, {plain}, values, size=None)"
    make.__doc__ = f"`sparse_compressed_tensor` in {name.upper()} layout: ``{form}``."
    return make


sparse_csr_tensor = _maker("csr", layouts.sparse_csr, "crow_indices", "col_indices")
sparse_csc_tensor = _maker("csc", layouts.sparse_csc, "ccol_indices", "row_indices")
sparse_bsr_tensor = _maker("bsr", layouts.sparse_bsr, "crow_indices", "col_indices")
sparse_bsc_tensor = _maker("bsc", layouts.sparse_bsc, "ccol_indices", "row_indices")


def unfilled(op: str, shape: Any, value: Any, dtype: Any, opts: dict[str, Any]) -> Tensor:
    """`zeros` or `empty` with a sparse layout: a tensor without values.

    Raises:
        RuntimeError: another value in coordinate form; rows or columns of less than two
            dimensions; blocks, whose size is told by nothing.
    """
    _refuse_devices(op, opts.get("device"))
    kind, layout = element_type(op, dtype).numpy, opts["layout"]
    if layout is layouts.sparse_coo:
        if value:
            raise fail(
                RuntimeError,
                op,
                "a sparse COO tensor of one value has no zeros to leave out: leave layout out.",
            )
        found = wrap(basis.empty_coo(shape, kind))
    elif len(shape) < 2 or layout in (layouts.sparse_bsr, layouts.sparse_bsc):
        raise fail(
            RuntimeError,
            op,
            f"layout {layout} cannot be made of the shape {list(shape)}: it takes two dimensions "
            "or more, and the size of the blocks. Use torch.sparse_compressed_tensor().",
        )
    else:
        *outer, rows, columns = shape
        lines = rows if layout is layouts.sparse_csr else columns
        pointers = np.zeros((*outer, lines + 1), np.int64)
        places = np.zeros((*outer, 0), np.int64)
        found = wrap(Compressed(pointers, places, np.zeros((*outer, 0), kind), shape, layout))
    if opts.get("requires_grad"):
        leaf_edge(found)
    return found


def like(input: Tensor, value: Any, dtype: Any, opts: dict[str, Any]) -> Tensor:
    """`zeros_like`, `ones_like`, `empty_like` of a sparse tensor.

    Raises:
        NotImplementedError: ones in coordinate form: the zeros between them would be ones too.
    """
    a = input._array
    wanted = opts.get("layout")
    if wanted is layouts.strided and type(a) is not COO:
        raise fail(
            RuntimeError,
            "zeros_like",
            f"layout: a tensor of layout {a.layout} is no model for a strided one. Use to_dense(), "
            "or torch.zeros(x.shape).",
        )
    if wanted is layouts.strided:
        found = wrap(np.full(a.shape, value or 0, dtype.numpy))
    elif wanted is not None and wanted is not a.layout:
        found = wrap(_turned_empty(a, dtype.numpy, wanted))
    elif type(a) is COO:
        if value:
            raise fail(
                NotImplementedError,
                "ones_like",
                "Could not run 'fill_' on a sparse COO tensor: every zero would become a one. Use "
                "torch.ones(x.shape).",
            )
        found = wrap(basis.empty_coo(a.shape, dtype.numpy, a.sparse_dim))
    elif value == 0 and value is not None:
        found = wrap(emptied(a, dtype.numpy))
    else:
        found = wrap(a.with_values(np.full(a.values.shape, value or 0, dtype.numpy)))
    if opts.get("requires_grad"):
        leaf_edge(found)
    return found


def _turned_empty(a: Any, dtype: Any, layout: Any) -> Any:
    """The same size without values in another sparse layout.

    Raises:
        RuntimeError: blocks from a layout without them, or the other way round.
    """
    batch = 0 if type(a) is COO else a.batch
    block = () if type(a) is COO or not a.blocked else a.block
    if layout is layouts.sparse_coo:
        return basis.empty_coo(a.shape, dtype, batch + 2)
    if (layout in (layouts.sparse_bsr, layouts.sparse_bsc)) != bool(block):
        raise fail(
            RuntimeError,
            "zeros_like",
            f"layout {layout} and the layout {a.layout} of the input do not have the same blocks. "
            "Use to_sparse(layout=...) of zeros.",
        )
    rows, columns = (n // b for n, b in zip(a.shape[batch:], block or (1, 1), strict=False))
    lines = rows if layout in (layouts.sparse_csr, layouts.sparse_bsr) else columns
    outer = a.shape[:batch]
    return Compressed(
        np.zeros((*outer, lines + 1), np.int64),
        np.zeros((*outer, 0), np.int64),
        np.zeros((*outer, 0, *block, *a.shape[batch + 2 :]), dtype),
        a.shape,
        layout,
    )


def emptied(a: Any, dtype: Any = None) -> Any:
    """The same size and layout without values."""
    dtype = a.dtype if dtype is None else dtype
    if type(a) is COO:
        return basis.empty_coo(a.shape, dtype, a.sparse_dim)
    k = a.batch
    return Compressed(
        np.zeros_like(a.compressed),
        a.plain[..., :0],
        np.zeros((*a.values.shape[:k], 0, *a.values.shape[k + 1 :]), dtype),
        a.shape,
        a.layout,
    )
