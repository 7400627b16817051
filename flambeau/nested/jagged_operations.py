"""Operations on jagged tensors: shapes, reductions, products, attention. Stands on jagged.

Each takes the function for dense tensors first, then what the user gave. A dimension of the nested
tensor is one less in its values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flambeau
from flambeau.core.dims import wrap_dim
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.nested.base import bare, plain_args
from flambeau.nested.jagged_tensor import JaggedNestedTensor, around, joined
from flambeau.nested.pointwise import POINTWISE
from flambeau.nested.ragged import RaggedSize

__all__ = ["OPERATIONS", "pointwise"]

Function = Callable[..., Any]
Jagged = JaggedNestedTensor

OPERATIONS: dict[str, Callable[..., Any]] = {}


def _named(*names: str) -> Callable[[Function], Function]:
    def keep(function: Function) -> Function:
        for name in names:
            OPERATIONS[name] = function
        return function

    return keep


def _dim(name: str, x: Jagged, dim: int) -> int:
    """A dimension of the nested tensor, counted from the front; neither the first nor uneven."""
    found = wrap_dim(dim, x.dim(), name)
    if found in (0, x._ragged):
        which = "dim=0" if found == 0 else "ragged dim"
        raise fail(RuntimeError, name, f"not supported for NestedTensor on {which}: use .unbind().")
    return int(found)


def _alike(name: str, x: Jagged, y: Any) -> Tensor:
    """Another operand's values: of the same parts, or dense and spread over them."""
    if isinstance(y, Jagged):
        if (y._size, y._ragged, len(y)) != (x._size, x._ragged, len(x)):
            raise fail(
                RuntimeError,
                name,
                f"cannot take jagged tensors of shapes {tuple(x.shape)} and {tuple(y.shape)}: only "
                "those computed from one another, or made with the same offsets, go together.",
            )
        return bare(y)  # type: ignore[no-any-return]
    if not isinstance(y, Tensor) or y.dim() < x.dim() - x._ragged + 1:
        return y  # type: ignore[no-any-return]
    while y.dim() < x.dim():
        y = y.unsqueeze(0)
    at = x._ragged
    pieces = []
    for number, (_, length) in enumerate(x._bounds()):
        part = y[number if y.shape[0] != 1 else 0]
        if part.shape[at - 1] == 1:
            part = part.expand(*part.shape[: at - 1], length, *part.shape[at:])
        pieces.append(part.narrow(at - 1, 0, length))
    return flambeau.cat(pieces, at - 1)


def pointwise(name: str, function: Function, x: Jagged, args: Any, kwargs: Any) -> Any:
    """An operation on all values at once; part by part where it is not element by element."""
    if name.removeprefix("special_") not in POINTWISE:
        return x._packed()._by_parts(name, function, args, kwargs)
    given = [_alike(name, x, a) if isinstance(a, Tensor) else a for a in args]
    named = {k: _alike(name, x, v) if isinstance(v, Tensor) else v for k, v in kwargs.items()}
    found = function(*given, **named)
    if isinstance(found, (tuple, list)):
        return type(found)(x._like(each) for each in found)
    return x if found is given[0] and isinstance(args[0], Jagged) else x._like(found)


@_named("contiguous")
def contiguous(function: Function, x: Jagged, **kwargs: Any) -> Any:
    """The values in order, without gaps."""
    return x if x.is_contiguous() else (packed := x._packed())._like(bare(packed).contiguous())


@_named("transpose", "swapaxes", "swapdims")
def transpose(function: Function, x: Jagged, dim0: int, dim1: int) -> Any:
    """Two dimensions exchanged, the uneven one among them or not, the first never."""
    a, b = (wrap_dim(d, x.dim(), "transpose") for d in (dim0, dim1))
    if 0 in (a, b) and a != b:
        message = "Transpose is not supported on the batch dimension for jagged NT: use .unbind()."
        raise fail(ValueError, "transpose", message)
    ragged = {a: b, b: a}.get(x._ragged, x._ragged)
    return x._like(bare(x).transpose(a - 1, b - 1), ragged) if a != b else x


@_named("permute")
def permute(function: Function, x: Jagged, *dims: Any) -> Any:
    """The dimensions in another order; the first stays."""
    order = dims[0] if len(dims) == 1 and isinstance(dims[0], (tuple, list)) else dims
    order = [wrap_dim(d, x.dim(), "permute") for d in order]
    if not order or order[0] != 0:
        message = "Permute is not supported on the batch dimension for jagged NT: use .unbind()."
        raise fail(ValueError, "permute", message)
    return x._like(bare(x).permute([d - 1 for d in order[1:]]), order.index(x._ragged))


@_named("T", "t")
def turned(function: Function, x: Jagged) -> Any:
    """Refused: the first dimension stays."""
    return permute(function, x, list(range(x.dim()))[::-1])


@_named("mT", "adjoint", "mH")
def turned_matrices(function: Function, x: Jagged) -> Any:
    """The last two dimensions exchanged."""
    return transpose(function, x, -1, -2)


@_named("unsqueeze")
def unsqueeze(function: Function, x: Jagged, dim: int) -> Any:
    """A dimension of size 1 behind the first."""
    at = wrap_dim(dim, x.dim() + 1, "unsqueeze")
    if at == 0:
        raise fail(RuntimeError, "unsqueeze", "not supported for NestedTensor on dim=0.")
    return x._like(bare(x).unsqueeze(at - 1), x._ragged + (at <= x._ragged))


@_named("squeeze")
def squeeze(function: Function, x: Jagged, dim: int) -> Any:
    """Without a dimension of size 1."""
    at = _dim("squeeze", x, dim)
    values = bare(x)
    gone = values.shape[at - 1] == 1
    return x._like(values.squeeze(at - 1), x._ragged - (gone and at < x._ragged))


@_named("view", "reshape")
def view(function: Function, x: Jagged, *size: Any) -> Any:
    """Other sizes: the number of parts, then a part's, the uneven one as its symbol or -1."""
    sizes = list(size[0]) if len(size) == 1 and isinstance(size[0], (tuple, list)) else list(size)
    values = bare(x)
    marked = [k for k, n in enumerate(sizes) if isinstance(n, RaggedSize)]
    at = marked[0] if marked else sizes.index(-1) if -1 in sizes else 0
    total = values.shape[x._ragged - 1]
    if len(sizes) > 1 and sizes[0] in (len(x), -1) and at >= 1:
        inner = [total if k == at else n for k, n in enumerate(sizes)][1:]
        before = flambeau.Size(inner[: at - 1]).numel() if -1 not in inner[: at - 1] else -1
        if before == flambeau.Size(values.shape[: x._ragged - 1]).numel():
            try:
                return x._like(function(values, inner), at)
            except RuntimeError:
                pass
    raise fail(
        RuntimeError,
        getattr(function, "__name__", "view"),
        f"cannot view shape {tuple(x.shape)} as {sizes}: the first and the uneven size stay.",
    )


@_named("view_as", "reshape_as")
def view_as(function: Function, x: Jagged, other: Any) -> Any:
    """The sizes of another."""
    return x if x.shape == other.shape else view(flambeau.Tensor.view, x, *other.shape)


@_named("expand")
def expand(function: Function, x: Jagged, *size: Any) -> Any:
    """Sizes of 1 repeated."""
    sizes = size[0] if len(size) == 1 and isinstance(size[0], (tuple, list)) else size
    inner = [-1 if isinstance(n, RaggedSize) else n for n in sizes[1:]]
    return x._like(bare(x).expand(*inner))


@_named("unflatten")
def unflatten(function: Function, x: Jagged, dim: int, sizes: Any) -> Any:
    """A dimension as several."""
    at = _dim("unflatten", x, dim)
    found = bare(x).unflatten(at - 1, sizes)
    return x._like(found, x._ragged + (len(sizes) - 1) * (at < x._ragged))


@_named("flatten")
def flatten(function: Function, x: Jagged, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Several dimensions behind each other as one; the first and the uneven one stay."""
    first, last = (wrap_dim(d, x.dim(), "flatten") for d in (start_dim, end_dim))
    for each in range(first, last + 1):
        _dim("flatten", x, each)
    found = bare(x).flatten(first - 1, last - 1)
    return x._like(found, x._ragged - (last - first) * (last < x._ragged))


@_named("select")
def select(function: Function, x: Jagged, dim: int, index: int) -> Any:
    """One place of a dimension, or one part."""
    if dim in (0, -x.dim()):
        return x._parts()[index]
    at = _dim("select", x, dim)
    return x._like(bare(x).select(at - 1, index), x._ragged - (at < x._ragged))


@_named("narrow")
def narrow(function: Function, x: Jagged, dim: int, start: int, length: int) -> Any:
    """A stretch of an even dimension."""
    return x._like(bare(x).narrow(_dim("narrow", x, dim) - 1, start, length))


@_named("split", "tensor_split", "split_with_sizes")
def split(function: Function, x: Jagged, sizes: Any, dim: int = 0) -> Any:
    """Pieces along an even dimension."""
    at = _dim("split", x, dim)
    return tuple(x._like(piece) for piece in function(bare(x), sizes, at - 1))


@_named("chunk")
def chunk(function: Function, x: Jagged, chunks: int, dim: int = 0) -> Any:
    """Pieces along an even dimension, or groups of parts."""
    if dim in (0, -x.dim()):
        parts = x._parts()
        step = -(-len(parts) // chunks)
        groups = [parts[k : k + step] for k in range(0, len(parts), step)]
        return tuple(joined(group, x._ragged, None) for group in groups)
    return tuple(x._like(piece) for piece in bare(x).chunk(chunks, _dim("chunk", x, dim) - 1))


@_named("cat", "concat", "concatenate", "stack")
def cat(function: Function, tensors: Any, dim: int = 0) -> Any:
    """Jagged tensors of the same parts side by side."""
    first = next(t for t in tensors if isinstance(t, Jagged))
    name = getattr(function, "__name__", "cat")
    if name == "stack":
        at = wrap_dim(dim, first.dim() + 1, name)
        if at == 0:
            raise fail(RuntimeError, name, "not supported for NestedTensor on dim=0.")
    else:
        at = _dim(name, first, dim)
    found = function([_alike(name, first, t) for t in tensors], at - 1)
    return first._like(found, first._ragged + (name == "stack" and at <= first._ragged))


REDUCTIONS = (
    "sum mean amax amin max min prod any all argmax argmin logsumexp var std norm nansum nanmean "
    "count_nonzero median"
)


def _reduction(name: str) -> Function:
    place = 1 if name == "norm" else 0  # of `dim` behind the tensor

    def reduce(function: Function, x: Jagged, *args: Any, **kwargs: Any) -> Any:
        x = x._packed()
        by_name = "dim" in kwargs or len(args) <= place
        dim = kwargs.get("dim") if by_name else args[place]
        if isinstance(dim, Tensor):  # the maximum of two
            return pointwise("maximum", function, x, (x, dim), {})
        if dim is None or dim == ():
            return function(bare(x), *args, **kwargs)
        several = isinstance(dim, (tuple, list))
        dims = [wrap_dim(d, x.dim(), name) for d in (dim if several else [dim])]
        keepdim = kwargs.get("keepdim", args[place + 1] if len(args) > place + 1 else False)

        def along(values: Tensor) -> Any:
            inner: Any = [d - 1 for d in dims if d]
            inner = inner if several else inner[0]
            if by_name:
                return function(values, *args, **{**kwargs, "dim": inner})
            return function(values, *args[:place], inner, *args[place + 1 :], **kwargs)

        if 0 in dims:
            if x._ragged not in dims:
                raise fail(
                    RuntimeError,
                    name,
                    "reducing along the batch dimension but not the ragged dimension is not "
                    "supported for nested tensors: use .unbind().",
                )
            return along(bare(x)).unsqueeze(0) if keepdim else along(bare(x))
        if x._ragged in dims:
            each = [along(part) for part in x._parts()]
            if isinstance(each[0], tuple):
                columns = zip(*each, strict=True)
                return type(each[0])([flambeau.stack(list(column)) for column in columns])
            return flambeau.stack(each)
        found = along(bare(x))
        ragged = x._ragged if keepdim else x._ragged - sum(d < x._ragged for d in dims)
        if isinstance(found, tuple):
            return type(found)([x._like(f, ragged) for f in found])
        return x._like(found, ragged)

    return reduce


for _name in REDUCTIONS.split():
    OPERATIONS[_name] = _reduction(_name)


@_named("softmax", "log_softmax", "softmin", "normalize")
def softmax(function: Function, x: Jagged, *args: Any, **kwargs: Any) -> Any:
    """Along an even dimension on all values, along the uneven one part by part."""
    found = [a for a in args if isinstance(a, int)]
    dim = kwargs.pop("dim", found[-1] if found else -1)
    at = wrap_dim(dim, x.dim(), "softmax")
    if at == 0:
        raise fail(RuntimeError, "softmax", "not supported for NestedTensor on dim=0.")
    if at != x._ragged:
        return x._like(function(bare(x), dim=at - 1, **kwargs))
    parts = [function(part, dim=at - 1, **kwargs) for part in x._parts()]
    return joined(parts, x._ragged, x._size)


@_named("linear", "layer_norm", "rms_norm", "bilinear")
def on_last(function: Function, x: Jagged, *args: Any, **kwargs: Any) -> Any:
    """What works on the last dimensions alone, if they are even."""
    return x._like(function(bare(x), *plain_args(args, bare), **plain_args(kwargs, bare)))


@_named("embedding")
def embedding(function: Function, x: Any, weight: Any, *args: Any, **kwargs: Any) -> Any:
    """A row of the table for each number."""
    if isinstance(x, Jagged):  # F.embedding names the numbers first, torch.embedding the table
        return x._like(function(bare(x), weight, *args, **kwargs))
    return weight._like(function(x, bare(weight), *args, **kwargs))


@_named("matmul", "bmm", "rmatmul")
def matmul(function: Function, x: Any, y: Any) -> Any:
    """Products with a matrix, with one for each part, and of turned parts with parts."""
    if isinstance(x, Jagged) and not isinstance(y, Jagged):
        if y.dim() < 3 and x._ragged < x.dim() - 1:
            return x._like(bare(x).matmul(y))
        if y.dim() == x.dim() and x._ragged == x.dim() - 2:
            parts = [p.matmul(m) for p, m in zip(x._parts(), y, strict=True)]
            return joined(parts, x._ragged, x._size)
    both = isinstance(x, Jagged) and isinstance(y, Jagged)
    if both and x._ragged == x.dim() - 1 and y._ragged == y.dim() - 2 and x._size == y._size:
        parts = [p.matmul(q) for p, q in zip(x._parts(), y._parts(), strict=True)]
        return flambeau.stack(parts)
    raise fail(
        RuntimeError,
        "matmul",
        f"not supported between inputs of shapes {tuple(x.shape)} and {tuple(y.shape)}: use "
        ".unbind().",
    )


@_named("scaled_dot_product_attention")
def attention(
    function: Function,
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    **kwargs: Any,
) -> Any:
    """Each part's queries look at that part's keys."""
    if attn_mask is not None:
        message = "attn_mask must not be set with jagged tensors: their lengths are the mask."
        raise fail(ValueError, "scaled_dot_product_attention", message)
    several = (query, key, value)
    if not all(isinstance(x, Jagged) and x.dim() == 4 and x._ragged == 2 for x in several):
        raise fail(
            RuntimeError,
            "scaled_dot_product_attention",
            "query, key and value must all be jagged, of shape (parts, heads, uneven, width).",
        )
    parts = []
    for q, k, v in zip(*(x._parts() for x in several), strict=True):
        found = function(
            q[None], k[None], v[None], dropout_p=dropout_p, is_causal=is_causal, **kwargs
        )
        parts.append(found[0].transpose(0, 1))
    return transpose(transpose, joined(parts, 1, query._size), 1, 2)


@_named("equal", "is_same_size")
def is_same_size(function: Function, x: Any, y: Any) -> bool:
    """Whether both have the same parts, and for `equal` the same values."""
    same = isinstance(x, Jagged) and isinstance(y, Jagged) and x.shape == y.shape
    if getattr(function, "__name__", "") == "equal" and same:
        return bool(function(bare(x._packed()), bare(y._packed())))
    return same


@_named("copy")
def copy(function: Function, x: Jagged, source: Any) -> Any:
    """A jagged tensor of the source's values."""
    return around(bare(source).clone(), x._starts, x._counts, x._ragged, x._size)
