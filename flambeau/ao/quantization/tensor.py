"""Quantised tensors: integers with a scale and a zero point, one for all or one for each channel.

A subclass of Tensor whose elements are the integers; `__torch_function__` lets what moves elements
through, computes what PyTorch computes on CPUs, and refuses the rest. Stands on schemes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flambeau
from flambeau.ao.quantization import elements, schemes
from flambeau.ao.quantization.schemes import BOUNDS, STORED
from flambeau.core.dtypes import dtype as DType
from flambeau.core.errors import fail
from flambeau.core.overrides import inside, without_subclasses
from flambeau.core.repr import text as printed
from flambeau.core.tensor import Tensor

__all__ = [
    "QTensor",
    "by_channel",
    "choose_qparams",
    "of_integers",
    "quantize_per_channel",
    "quantize_per_tensor",
    "quantize_per_tensor_dynamic",
]

MOVING = frozenset(
    """view reshape flatten __getitem__ select narrow expand transpose permute unsqueeze squeeze
    clone contiguous detach t slice split chunk unbind reshape_copy index_select flip
    channel_shuffle pixel_shuffle repeat""".split()
)
VALUES = frozenset(
    """relu mean max min sort topk hardtanh clamp threshold median amax amin max_all min_all relu6
    leaky_relu max_pool1d max_pool2d max_pool_values max_pool_with_indices avg_pool1d avg_pool2d
    avg_pool3d average_pool adaptive_avg_pool2d adaptive_avg_pool3d adaptive_average interpolate
    upsample upsample_nearest2d constant_pad_nd""".split()
)
FIXED = {"sigmoid": (1 / 256, 0), "hardsigmoid": (1 / 256, 0), "tanh": (2 / 256, 128)}
"""Bounded results: their scale, and the zero point of unsigned integers."""
COMPARING = frozenset(
    """eq ne lt gt le ge equal __eq__ __ne__ __lt__ __gt__ __le__ __ge__""".split()
)
BY_MODEL = frozenset("empty_like ones_like full_like".split())
"""The factories that PyTorch has for quantised models; zeros_like is none of them."""
ASKED = frozenset(
    """size dim stride numel nelement element_size is_contiguous data_ptr storage_offset __get__
    __set__ __len__ get_device requires_grad_ is_complex __hash__ untyped_storage""".split()
)


class QTensor(Tensor):
    """Integers that stand for ``(integer - zero_point) * scale``."""

    _quantised: dict[str, Any]

    @property
    def dtype(self) -> Any:  # type: ignore[override]
        """The quantised dtype."""
        return self._quantised["dtype"]

    @property
    def is_quantized(self) -> bool:  # type: ignore[override]
        """True."""
        return True

    def qscheme(self) -> Any:
        """How many scales there are."""
        return self._quantised["scheme"]

    def q_scale(self) -> float:
        """The scale of all elements."""
        return float(self._only(schemes.per_tensor_affine, "q_scale")["scale"])

    def q_zero_point(self) -> int:
        """The integer that means nought."""
        return int(self._only(schemes.per_tensor_affine, "q_zero_point")["zero_point"])

    def q_per_channel_scales(self) -> Tensor:
        """The scale of each channel."""
        found = self._channels("q_per_channel_scales")["scale"]
        return found  # type: ignore[no-any-return]

    def q_per_channel_zero_points(self) -> Tensor:
        """The integer that means nought, for each channel."""
        found = self._channels("q_per_channel_zero_points")["zero_point"]
        return found  # type: ignore[no-any-return]

    def q_per_channel_axis(self) -> int:
        """The dimension of the channels."""
        return int(self._channels("q_per_channel_axis")["axis"])

    def _channels(self, name: str) -> dict[str, Any]:
        if self._quantised["axis"] is None:
            raise fail(RuntimeError, name, f"the tensor is quantised {self.qscheme()}.")
        return self._quantised

    def _only(self, scheme: Any, name: str) -> dict[str, Any]:
        if self._quantised["scheme"] is not scheme:
            raise fail(RuntimeError, name, f"the tensor is quantised {self._quantised['scheme']}.")
        return self._quantised

    def int_repr(self) -> Tensor:
        """The integers."""
        with without_subclasses():
            return self.as_subclass(Tensor).clone()

    def dequantize(self) -> Tensor:
        """The numbers they stand for, as float32."""
        with without_subclasses():
            q = self._quantised
            scale, zero = q["scale"], q["zero_point"]
            values = self.as_subclass(Tensor).to(flambeau.float32)
            if q["axis"] is not None:
                shape = [1] * values.dim()
                shape[q["axis"]] = -1
                scale = scale.to(flambeau.float32).reshape(shape)
                zero = zero.to(flambeau.float32).reshape(shape)
            return (values - zero) * scale

    def is_floating_point(self) -> bool:
        """False."""
        return False

    def is_signed(self) -> bool:
        """Not told of quantised elements.

        Raises:
            RuntimeError: always.
        """
        raise fail(RuntimeError, "is_signed", "isSignedType not supported for quantized types.")

    def type(self, *args: Any, **kwargs: Any) -> Any:
        """``torch.quantized.QUInt8Tensor``."""
        return f"torch.quantized.{self.dtype.legacy}Tensor"

    def tolist(self) -> Any:
        """Not given.

        Raises:
            RuntimeError: always.
        """
        raise fail(RuntimeError, "tolist", "a quantised tensor has no list: .dequantize() first.")

    def numpy(self, *args: Any, **kwargs: Any) -> Any:
        """Not given.

        Raises:
            TypeError: always.
        """
        raise fail(TypeError, "numpy", f"Got unsupported ScalarType {self.dtype.legacy}.")

    def item(self) -> float:  # type: ignore[override]
        """The number of the only element."""
        return self.dequantize().item()

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """Itself on the CPU, or in another memory format; not another dtype.

        Raises:
            RuntimeError: another dtype was asked for.
        """
        if any(isinstance(a, DType) for a in (*args, *kwargs.values())):
            raise fail(
                RuntimeError,
                "to",
                "Creation of quantized tensor requires quantized dtype like torch.quint8: call "
                ".dequantize() for numbers.",
            )
        with without_subclasses():
            moved = self.as_subclass(Tensor).to(*args, **kwargs)
        return of_integers(moved, *self._quantised.values())

    def float(self, memory_format: Any = None) -> Any:
        """Not given.

        Raises:
            RuntimeError: always.
        """
        return self.to(flambeau.float32)

    def copy_(self, source: Tensor, non_blocking: bool = False) -> QTensor:
        """Take the elements of a quantised tensor with their scale, or quantise numbers in this
        one's.

        Raises:
            RuntimeError: another shape, or another dtype.
        """
        if tuple(source.shape) != tuple(self.shape):
            raise fail(
                RuntimeError,
                "copy_",
                "Quantized copy only works with Tensors with the same shape: "
                f"{list(source.shape)} into {list(self.shape)}.",
            )
        elements.write(self, self._taken("copy_", source), ...)
        if isinstance(source, QTensor):
            self._quantised = dict(source._quantised)
        return self

    def _taken(self, name: str, value: Any, model: Any = None) -> Tensor:
        """What is kept of a value: the elements of a quantised one as they are, or numbers in this
        one's scale, or `model`'s."""
        if isinstance(value, QTensor):
            if value.dtype is not self.dtype:
                raise fail(
                    RuntimeError,
                    name,
                    f"Expected self.scalar_type() == src.scalar_type() to be true, but {self.dtype}"
                    f" is not {value.dtype}: .dequantize() the source first.",
                )
            return value
        model = self if model is None else model
        numbers = elements.numbers_for(name, value)
        if model._quantised["axis"] is not None:
            numbers = numbers.expand(model.shape)
        return _like(model, numbers)  # type: ignore[no-any-return]

    def __setitem__(self, index: Any, value: Any) -> None:
        model = self[index]
        elements.check_apart(model)
        elements.write(self, self._taken("__setitem__", value, model), index)

    def fill_(self, value: Any) -> QTensor:
        """Quantise one number for all elements."""
        self[...] = value
        return self

    def masked_fill_(self, mask: Tensor, value: Any) -> QTensor:
        """Quantise one number for the elements of a mask.

        Raises:
            RuntimeError: the tensor is quantised by channel.
        """
        self._only(schemes.per_tensor_affine, "masked_fill_")
        elements.write(self, self._taken("masked_fill_", value), mask.expand(self.shape))
        return self

    def masked_fill(self, mask: Tensor, value: Any) -> QTensor:
        """A copy with one number for the elements of a mask."""
        copy: Any = self.clone()  # type: ignore[attr-defined]
        return copy.masked_fill_(mask, value)  # type: ignore[no-any-return]

    def index_put_(self, indices: Any, values: Any, accumulate: bool = False) -> QTensor:
        """Quantise numbers for the elements of indices.

        Raises:
            RuntimeError: the tensor is quantised by channel. NotImplementedError: `accumulate`.
        """
        self._only(schemes.per_tensor_affine, "index_put_")
        if accumulate:
            raise fail(NotImplementedError, "index_put_", "quantised elements are not added to.")
        elements.write(self, self._taken("index_put_", values), tuple(indices))
        return self

    def index_put(self, indices: Any, values: Any, accumulate: bool = False) -> QTensor:
        """A copy with numbers for the elements of indices."""
        copy: Any = self.clone()  # type: ignore[attr-defined]
        return copy.index_put_(indices, values, accumulate)  # type: ignore[no-any-return]

    def new(self, *args: Any, **kwargs: Any) -> Any:
        """Not given.

        Raises:
            RuntimeError: always.
        """
        raise fail(RuntimeError, "new", "a quantised tensor needs a scale: quantise a float one.")

    new_empty = new_tensor = new

    def new_zeros(self, *args: Any, **kwargs: Any) -> Any:
        """Not given.

        Raises:
            NotImplementedError: always.
        """
        raise fail(NotImplementedError, "new_zeros", "quantise a float tensor of zeros.")

    new_ones = new_full = new_zeros

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        q = self._quantised
        with flambeau.no_grad():
            body = printed.tensor_text(self.dequantize())[:-1]
        told = self.numel() == 0 and self.dim() != 1  # the numbers' text says the size already
        facts = [] if told else [f"size={tuple(self.shape)}"]
        facts += [
            f"dtype={self.dtype}",
            f"quantization_scheme={q['scheme']}",
            f"scale={q['scale']}",
            f"zero_point={q['zero_point']}",
        ]
        if q["axis"] is not None:
            facts.append(f"axis={q['axis']}")
        return printed._append(body, facts, len("tensor("), False)

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce_ex__(self, protocol: Any) -> Any:
        from flambeau.serialization.pickle_tensor import reduce_quantised

        q = self._quantised
        parameters = (q["scheme"], q["scale"], q["zero_point"])
        with without_subclasses():
            return reduce_quantised(
                self, parameters if q["axis"] is None else (*parameters, q["axis"])
            )

    @classmethod
    def __torch_function__(
        cls, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(getattr(func, "operation", None), "name", "") or getattr(
            func, "__name__", ""
        )
        if not name.startswith("__"):
            name = name.strip("_")
        if name in BY_MODEL:
            return _by_model(name, *args, **kwargs)
        if name == "copy" and not isinstance(args[0], QTensor):
            raise fail(
                RuntimeError,
                "copy_",
                "Copying from quantized Tensor to non-quantized Tensor is not allowed, please "
                "use dequantize to get a float Tensor from a quantized Tensor.",
            )
        if name == "resize":
            args[0]._only(schemes.per_tensor_affine, "resize_")
        function = None if name.endswith("_like") else inside(func)
        if function is not None and name not in VALUES:
            return function(*args, **kwargs)
        with without_subclasses():
            if name in ASKED:
                return func(*args, **kwargs)
            if name in COMPARING:
                return func(*map(_numbers, args), **kwargs)
            if name in ("cat", "stack"):
                first = args[0][0]
                if first._quantised["axis"] is not None:
                    raise fail(
                        RuntimeError, name, "Only per-tensor quantization is supported in 'cat'."
                    )
                return _like(first, func([_numbers(t) for t in args[0]], *args[1:], **kwargs))
            first = args[0]
            if name in MOVING and isinstance(first, QTensor):
                whole = first.as_subclass(Tensor)
                out = func(whole, *args[1:], **kwargs)
                facts = elements.facts_of_view(
                    first._quantised, name, func, tuple(whole.shape), args[1:], kwargs
                )
                if isinstance(out, (tuple, list)):
                    each = facts if isinstance(facts, list) else [facts] * len(out)
                    return type(out)(
                        of_integers(o, *f.values()) for o, f in zip(out, each, strict=True)
                    )
                return of_integers(out, *facts.values())
            if name in FIXED and isinstance(first, QTensor):
                scale, zero = FIXED[name]
                zero -= 128 if first.dtype.is_signed else 0
                return quantize_per_tensor(func(first.dequantize()), scale, zero, first.dtype)
            if name in VALUES and isinstance(first, QTensor):
                out = (function or func)(*map(_numbers, args), **kwargs)
                if isinstance(out, tuple):
                    return type(out)((_like(first, out[0]), *out[1:]))
                return _like(first, out)
        raise fail(
            NotImplementedError,
            name,
            "Could not run with arguments from the 'QuantizedCPU' backend: call .dequantize() "
            "first.",
        )


def _numbers(value: Any) -> Any:
    return value.dequantize() if isinstance(value, QTensor) else value


def of_integers(
    integers: Tensor, dtype: Any, scheme: Any, scale: Any, zero_point: Any, axis: int | None = None
) -> Any:
    """The quantised tensor of integers that are there already."""
    with without_subclasses():
        made = integers.as_subclass(QTensor)
    made._quantised = {
        "dtype": dtype, "scheme": scheme, "scale": scale, "zero_point": zero_point, "axis": axis,
    }  # fmt: skip
    return made


def _like(model: QTensor, values: Tensor) -> Any:
    """Numbers quantised as another tensor is."""
    q = model._quantised
    if q["axis"] is not None:
        return quantize_per_channel(values, q["scale"], q["zero_point"], q["axis"], q["dtype"])
    return quantize_per_tensor(values, q["scale"], q["zero_point"], q["dtype"])


def _by_model(name: str, input: QTensor, *value: Any, dtype: Any = None, **options: Any) -> Any:
    if dtype not in (None, input.dtype):
        raise fail(
            RuntimeError,
            name,
            "It is currently not supported to specify a dtype that doesn't match the input "
            f"tensor's: {dtype} is not {input.dtype}.",
        )
    with without_subclasses():
        whole = flambeau.empty_like(input.as_subclass(Tensor))
    made = of_integers(whole, *input._quantised.values())
    if name == "empty_like":
        return made
    return made.fill_(1.0 if name == "ones_like" else (*value, *options.values())[0])


def _checked(name: str, input: Tensor, dtype: Any) -> None:
    if input.dtype is not flambeau.float32:
        word = input.dtype.legacy
        raise fail(RuntimeError, name, f"Quantize only works on Float Tensor, got {word}.")
    if dtype not in BOUNDS:
        legacy = getattr(dtype, "legacy", dtype)
        raise fail(
            RuntimeError,
            name,
            f"ScalarType {legacy} is not supported: ask for torch.qint8, quint8 or qint32.",
        )


def _integers(input: Tensor, scale: Any, zero_point: Any, dtype: Any, once: bool = False) -> Tensor:
    """The integers nearest to ``input / scale + zero_point``; `once`: product and sum are rounded
    together, as the instructions do by which PyTorch quantises bytes of one scale.
    """
    low, high = BOUNDS[dtype]
    with flambeau.no_grad():
        inverse = 1 / flambeau.as_tensor(scale, dtype=flambeau.float32)
        wide = flambeau.float64 if once else flambeau.float32
        found = input.detach().to(wide) * inverse.to(wide) + zero_point
        found = found.to(flambeau.float32).round().to(flambeau.float64)
        return found.clamp(low, high).to(getattr(flambeau, STORED[dtype]))


def quantize_per_tensor(input: Any, scale: Any, zero_point: Any, dtype: Any) -> Any:
    """The numbers as integers of one scale: ``round(x / scale) + zero_point``, within the dtype.

    Args:
        input: a float32 tensor; or several, with as many scales and zero points.
        dtype: torch.qint8, quint8 or qint32.

    Raises:
        RuntimeError: another dtype, or a zero point outside it.
    """
    if not isinstance(input, Tensor):
        return tuple(
            quantize_per_tensor(x, float(s), int(z), dtype)
            for x, s, z in zip(input, scale, zero_point, strict=True)
        )
    _checked("quantize_per_tensor", input, dtype)
    scale, zero_point = float(scale), int(zero_point)
    low, high = BOUNDS[dtype]
    if not low <= zero_point <= high:
        side = "above upper" if zero_point > high else "below lower"
        raise fail(RuntimeError, "quantize_per_tensor", f"zero_point {zero_point} is {side} bound.")
    found = _integers(input, scale, zero_point, dtype, once=dtype is not schemes.qint32)
    return of_integers(found, dtype, schemes.per_tensor_affine, scale, zero_point, None)


def quantize_per_channel(
    input: Tensor, scales: Tensor, zero_points: Tensor, axis: int, dtype: Any
) -> Any:
    """The numbers as integers with a scale for each index along `axis`.

    Raises:
        RuntimeError: the dtype is another, or there are not as many scales as channels.
    """
    _checked("quantize_per_channel", input, dtype)
    if not -input.dim() <= axis < input.dim() or len(scales) != input.shape[axis]:
        raise fail(
            RuntimeError,
            "quantize_per_channel",
            f"length of scales must equal to channel: {len(scales)} scales, dimension {axis} of "
            f"{list(input.shape)}.",
        )
    shape = [1] * input.dim()
    shape[axis] = -1
    found = _integers(input, scales.reshape(shape), zero_points.reshape(shape), dtype)
    return by_channel(found, dtype, scales, zero_points, axis)


def by_channel(whole: Tensor, dtype: Any, scales: Tensor, zeros: Tensor, axis: int) -> Any:
    """The quantised tensor of integers with a scale for each index along `axis`; zero points that
    are no integers have a scheme of their own.
    """
    axis %= whole.dim()
    if zeros.is_floating_point():
        scheme, kept = schemes.per_channel_affine_float_qparams, flambeau.float32
        return of_integers(whole, dtype, scheme, scales.to(kept), zeros.to(kept), axis)
    scales, zeros = scales.to(flambeau.float64), zeros.to(flambeau.int64)
    return of_integers(whole, dtype, schemes.per_channel_affine, scales, zeros, axis)


def choose_qparams(low: float, high: float, least: int, greatest: int) -> tuple[float, int]:
    """The scale and zero point with which numbers from `low` to `high` fill the integers from
    `least` to `greatest`, nought being one of them."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = (high - low) / (greatest - least)
    if scale == 0 or scale != scale:
        scale = 0.1
    from_low, from_high = least - low / scale, greatest - high / scale
    error_low = abs(least) - abs(low / scale)
    error_high = abs(greatest) + abs(high / scale)
    zero = from_low if abs(error_low) < error_high else from_high
    return scale, int(min(max(round(zero), least), greatest))


def quantize_per_tensor_dynamic(input: Tensor, dtype: Any, reduce_range: bool) -> Any:
    """`quantize_per_tensor` with the scale that the numbers need.

    Args:
        reduce_range: use half of the integers, as some processors' kernels need.
    """
    _checked("quantize_per_tensor_dynamic", input, dtype)
    least, greatest = BOUNDS[dtype]
    if reduce_range:
        least, greatest = least // 2, greatest // 2
    low, high = (float(input.min()), float(input.max())) if input.numel() else (0.0, 0.0)
    scale, zero = choose_qparams(low, high, least, greatest)
    return quantize_per_tensor(input, scale, zero, dtype)
