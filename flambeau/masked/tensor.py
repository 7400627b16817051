"""`MaskedTensor`: a tensor whose mask says which elements count (True), carried through operations.

It is a subclass of Tensor; `__torch_function__` sends each operation through one of the tables
below, and refuses what stands in none. Stands on masked.reduce and the public operations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.overrides import inside, without_subclasses
from flambeau.core.tensor import Tensor
from flambeau.masked.normalize import log_softmax, softmax
from flambeau.masked.reduce import amax, amin, argmax, argmin, mean, prod, std, sum, var

__all__ = ["MaskedTensor", "as_masked_tensor", "is_masked_tensor", "masked_tensor"]

UNARY = frozenset(
    """abs absolute acos arccos acosh arccosh angle asin arcsin asinh arcsinh atan arctan atanh
    arctanh bitwise_not ceil clamp clip conj_physical cos cosh deg2rad digamma erf erfc erfinv exp
    exp2 expm1 fix floor frac lgamma log log10 log1p log2 logit i0 isnan nan_to_num neg negative
    positive pow rad2deg reciprocal round rsqrt sigmoid sign sgn signbit sin sinc sinh sqrt square
    tan tanh trunc __neg__ __abs__ __invert__ __pos__ __pow__""".split()
)
BINARY = frozenset(
    """add atan2 arctan2 bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift
    div divide floor_divide fmod logaddexp logaddexp2 mul multiply nextafter remainder sub subtract
    rsub true_divide eq ne le ge gt lt greater greater_equal less less_equal not_equal maximum
    minimum fmax fmin __add__ __radd__ __sub__ __rsub__ __mul__ __rmul__ __truediv__ __rtruediv__
    __rdiv__ __floordiv__ __rfloordiv__ __mod__ __rmod__ __and__ __or__ __xor__ __rand__ __ror__
    __rxor__ __lshift__ __rshift__ __eq__ __ne__ __le__ __ge__ __gt__ __lt__ __iadd__ __isub__
    __imul__ __itruediv__""".split()
)
# What moves elements, done alike to the data and to the mask.
MOVING = frozenset(
    """view reshape flatten __getitem__ select narrow expand expand_as transpose swapaxes swapdims
    t unsqueeze unfold chunk split tensor_split clone contiguous detach to_dense to_sparse
    to_sparse_csr to_sparse_coo diagonal as_strided""".split()
)
# What changes the data alone; the mask stays.
DATA = frozenset(
    """to double float half bfloat16 int long short byte char bool type ones_like requires_grad_
    to_copy""".split()
)
REDUCED: dict[str, Callable[..., Any]] = {
    f.__name__: f for f in (amax, amin, argmax, argmin, mean, prod, std, sum, var)
}
NORMALIZED = {"softmax": softmax, "log_softmax": log_softmax}
# What speaks of the tensor, not of elements: answered from the data.
ASKED = frozenset(
    """__get__ __set__ size dim ndimension stride numel nelement element_size is_contiguous
    is_floating_point is_complex data_ptr storage_offset is_sparse is_sparse_csr __len__ item
    __float__ __int__ __bool__ __index__ backward register_hook get_device is_tensor
    register_post_accumulate_grad_hook retain_grad untyped_storage is_pinned is_shared __hash__
    type_as requires_grad is_same_size result_type can_cast numel __format__ __repr__ __str__
    has_names is_nonzero""".split()
)
KINDS = frozenset("float16 bfloat16 float32 float64 bool int8 int16 int32 int64 uint8".split())


class MaskedTensor(Tensor):
    """A tensor and a mask of its shape.

    Args:
        data: the elements. mask: bool; True where one counts.
        requires_grad: for a new leaf.

    Raises:
        TypeError: data is no tensor, its dtype is not served, or the mask is not bool.
        ValueError: the shapes differ.
    """

    _mask: Tensor

    def __new__(cls, data: Any, mask: Any, requires_grad: bool = False) -> MaskedTensor:
        _check(data, mask)
        made = _wrap(data, mask, cls)
        if requires_grad:
            made.requires_grad_(True)
            _masked_gradient(made, mask)
        return made

    def __init__(self, data: Any, mask: Any, requires_grad: bool = False) -> None:
        pass

    def get_mask(self) -> Tensor:
        """Where elements count."""
        return self._mask

    def get_data(self) -> Tensor:
        """All elements, those that do not count included."""
        with without_subclasses():
            return self.as_subclass(Tensor)

    def to_tensor(self, value: Any) -> Tensor:
        """The elements that count, and `value` for the others."""
        return self.get_data().masked_fill(~self._mask, value)

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        with flambeau.no_grad(), without_subclasses():
            data, mask = self.as_subclass(Tensor).detach(), self._mask
            if data.layout is not flambeau.strided:
                data, mask = data.to_dense(), mask.to_dense()
            return _text(data, mask)

    def __format__(self, spec: str) -> str:
        return repr(self)

    def tolist(self) -> Any:
        """Not served.

        Raises:
            RuntimeError: always.
        """
        raise fail(RuntimeError, "tolist", "a MaskedTensor has no list: .to_tensor(value) first.")

    def numpy(self, *args: Any, **kwargs: Any) -> Any:
        """Not served.

        Raises:
            RuntimeError: always.
        """
        raise fail(RuntimeError, "numpy", "a MaskedTensor has no array: .to_tensor(value) first.")

    @classmethod
    def __torch_function__(
        cls, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        function = inside(func)
        if function is not None:
            return function(*args, **(kwargs or {}))
        return _apply(func, args, kwargs or {})


def _wrap(data: Tensor, mask: Tensor, cls: type = MaskedTensor) -> Any:
    with without_subclasses():
        made = data.as_subclass(cls)
    made._mask = mask
    return made


def _check(data: Any, mask: Any) -> None:
    if not isinstance(data, Tensor):
        raise fail(TypeError, "masked_tensor", f"data must be a Tensor, got {type(data).__name__}.")
    if not isinstance(mask, Tensor):
        raise fail(TypeError, "masked_tensor", f"mask must be a Tensor, got {type(mask).__name__}.")
    if data.layout is not mask.layout:
        raise fail(
            TypeError,
            "masked_tensor",
            f"data and mask must have the same layout: {data.layout} and {mask.layout}.",
        )
    if mask.dtype is not flambeau.bool:
        raise fail(TypeError, "masked_tensor", f"mask must have dtype bool, has {mask.dtype}.")
    kind = str(data.dtype).rpartition(".")[2]
    if kind not in KINDS:
        raise fail(TypeError, "masked_tensor", f"{data.dtype} is not supported in MaskedTensor.")
    if data.dim() != mask.dim() or data.shape != mask.shape:
        raise fail(
            ValueError,
            "masked_tensor",
            f"data and mask must have the same shape: {tuple(data.shape)} and {tuple(mask.shape)}.",
        )


def _masked_gradient(leaf: Tensor, mask: Tensor) -> Any:
    """Give the leaf's gradient the mask as soon as it is there."""

    def give(tensor: Tensor) -> None:
        grad = tensor.grad
        if grad is not None and not isinstance(grad, MaskedTensor):
            with without_subclasses():
                tensor.grad = _wrap(grad, mask)

    return leaf.register_post_accumulate_grad_hook(give)


def masked_tensor(data: Tensor, mask: Tensor, requires_grad: bool = False) -> MaskedTensor:
    """A MaskedTensor of copies.

    Args:
        data, mask: as in `MaskedTensor`.
        requires_grad: whether the result is a leaf that wants a gradient.
    """
    _check(data, mask)
    return MaskedTensor(data.detach().clone(), mask.detach().clone(), requires_grad)


def as_masked_tensor(data: Tensor, mask: Tensor) -> MaskedTensor:
    """A MaskedTensor through which gradients reach `data`."""
    _check(data, mask)
    if data.requires_grad and data.is_leaf:
        handle = _masked_gradient(data, mask)
        weak = handle.remove
        data.register_post_accumulate_grad_hook(lambda _: weak())
    return _wrap(data, mask)  # type: ignore[no-any-return]


def is_masked_tensor(obj: Any, /) -> bool:
    """Whether a value is a MaskedTensor."""
    return isinstance(obj, MaskedTensor)


def _name(func: Callable[..., Any]) -> str:
    """The operation's name: the inner one's mark and the in-place one's are off."""
    name = getattr(getattr(func, "operation", None), "name", "") or getattr(func, "__name__", "")
    return name if name.startswith("__") else name.strip("_")


def _bare(value: Any) -> Any:
    if isinstance(value, MaskedTensor):
        return value.get_data()
    if isinstance(value, (list, tuple)) and any(isinstance(v, MaskedTensor) for v in value):
        return type(value)(_bare(v) for v in value)
    return value


def _masks(values: Any) -> list[Tensor]:
    return [v._mask for v in values if isinstance(v, MaskedTensor)]


def _one_mask(name: str, args: Any) -> Tensor:
    first, *others = _masks(args)
    for mask in others:
        if mask is not first and not flambeau.equal(mask, first):
            raise fail(
                ValueError,
                name,
                "Input masks must match: give both operands one mask, for instance with "
                "torch.where or to_tensor.",
            )
    return first


def _apply(func: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    name = _name(func)
    with without_subclasses():
        if name in REDUCED or name == "all":
            return _reduced(name, *args, **kwargs)
        if name in NORMALIZED:
            return _normalized(name, *args)
        if name == "where":
            return _where(func, *args)
        if name in ("cat", "stack"):
            mask = func([t._mask for t in args[0]], *args[1:], **kwargs)
            return _wrap(func(_bare(args[0]), *args[1:], **kwargs), mask)
        if name in ASKED:
            return func(*args, **kwargs)
        if kwargs and any(isinstance(v, MaskedTensor) for v in kwargs.values()):
            raise fail(ValueError, name, "a MaskedTensor is taken by position alone, not by name.")
        bare = [_bare(a) for a in args]
        if name in UNARY or name in BINARY or name in DATA:
            mask = _one_mask(name, args)
            out = func(*bare, **kwargs)
            if out is bare[0]:
                return args[0]
            return _wrap(out, mask if out.shape == mask.shape else mask.expand(out.shape))
        if name in MOVING:
            moved = func(*[_mask_of(a) for a in args], **kwargs)
            out = func(*bare, **kwargs)
            if isinstance(out, (list, tuple)):
                return type(out)(_wrap(o, m) for o, m in zip(out, moved, strict=True))
            return _wrap(out, moved)
    raise fail(
        TypeError,
        name,
        "a MaskedTensor does not serve this operation: take .to_tensor(value), or an operation "
        "of torch.masked.",
    )


def _mask_of(value: Any) -> Any:
    return value._mask if isinstance(value, MaskedTensor) else value


def _reduced(name: str, input: MaskedTensor, *given: Any, **kwargs: Any) -> Any:
    """A reduction; the operations' arguments differ by name."""
    data, mask = input.get_data(), input._mask
    if name in ("std", "var"):
        dim, correction, keepdim = given
        kwargs = {"unbiased": bool(correction)}
    else:
        dim, keepdim, *rest = (*given, *(None, False)[len(given) :])
        kwargs = {"dtype": rest[0]} if rest and rest[0] is not None else {}
    if name == "all":
        out = _dims((data != 0) | ~mask, dim, keepdim, flambeau.all)
    else:
        out = REDUCED[name](data, dim, keepdim=keepdim, mask=mask, **kwargs)
    if name in ("argmax", "argmin"):
        out = out.to(data.dtype)
    return _wrap(out, _dims(mask, dim, keepdim, flambeau.any))


def _dims(tensor: Tensor, dim: Any, keepdim: bool, function: Callable[..., Any]) -> Any:
    if dim is None or dim == ():
        out = function(tensor)
        return out.reshape([1] * tensor.dim()) if keepdim else out
    return function(tensor, dim, keepdim)


def _normalized(name: str, input: MaskedTensor, dim: Any, *rest: Any) -> Any:
    out = NORMALIZED[name](input.get_data(), dim, mask=input._mask)
    return _wrap(out, input._mask)


def _where(func: Callable[..., Any], condition: Tensor, input: Any, other: Any) -> Any:
    """What is chosen from a plain tensor counts."""
    chosen = _bare(condition)
    masks = [
        _mask_of(x) if isinstance(x, MaskedTensor) else chosen.new_ones(()) for x in (input, other)
    ]
    return _wrap(func(chosen, _bare(input), _bare(other)), func(chosen, *masks))


def _text(data: Tensor, mask: Tensor) -> str:
    show: Callable[[Any], str] = (
        "{:8.4f}".format if data.is_floating_point() else str  # what PyTorch prints
    )
    if data.dim() == 0:
        return f"MaskedTensor({show(data.item()) if mask.item() else '--'}, {bool(mask.item())})"
    shown = [show(x) for x in data.flatten().tolist()]
    width = max([8, *map(len, shown)])
    texts = [
        x if there else "--".rjust(width)
        for x, there in zip(shown, mask.flatten().tolist(), strict=True)
    ]
    return f"MaskedTensor(\n{_rows(texts, list(data.shape), 2)}\n)"


def _rows(texts: list[str], shape: list[int], indent: int) -> str:
    head = " " * indent
    if len(shape) == 1:
        return f"{head}[{', '.join(texts)}]"
    step = len(texts) // shape[0] if shape[0] else 0
    parts = [
        _rows(texts[k * step : (k + 1) * step], shape[1:], indent + 2) for k in range(shape[0])
    ]
    return "\n".join([f"{head}[", ",\n".join(parts), f"{head}]"])
