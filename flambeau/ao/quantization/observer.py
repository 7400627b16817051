"""Observers: modules that watch the numbers going through them, and say with what scale and zero
point integers hold them best."""

from __future__ import annotations

import functools
from typing import Any

import flambeau
from flambeau.ao.quantization import schemes
from flambeau.ao.quantization.schemes import BOUNDS
from flambeau.core.tensor import Tensor
from flambeau.nn.modules.module import Module

__all__ = [
    "default_affine_fixed_qparams_observer",
    "weight_observer_range_neg_127_to_127",
    "per_channel_weight_observer_range_neg_127_to_127",
    "AffineQuantizedObserverBase",
    "FixedQParamsObserver",
    "HistogramObserver",
    "MinMaxObserver",
    "MovingAverageMinMaxObserver",
    "MovingAveragePerChannelMinMaxObserver",
    "NoopObserver",
    "ObserverBase",
    "PerChannelMinMaxObserver",
    "PlaceholderObserver",
    "RecordingObserver",
    "ReuseInputObserver",
    "UniformQuantizationObserverBase",
    "default_debug_observer",
    "default_dynamic_quant_observer",
    "default_fixed_qparams_range_0to1_observer",
    "default_fixed_qparams_range_neg1to1_observer",
    "default_float_qparams_observer",
    "default_histogram_observer",
    "default_observer",
    "default_per_channel_weight_observer",
    "default_placeholder_observer",
    "default_reuse_input_observer",
    "default_symmetric_fixed_qparams_observer",
    "default_weight_observer",
    "get_observer_state_dict",
    "load_observer_state_dict",
    "parameters_for",
]

EPS = float(flambeau.finfo(flambeau.float32).eps)
SYMMETRIC = (schemes.per_tensor_symmetric, schemes.per_channel_symmetric)
BY_CHANNEL = (schemes.per_channel_affine, schemes.per_channel_symmetric)


class _PartialWrapper:
    """A class with some arguments given: calling it makes a module."""

    def __init__(self, made: Any) -> None:
        self.p = made

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.p(*args, **kwargs)

    def __repr__(self) -> str:
        return f"{self.p!r}{{}}"

    def with_args(self, **kwargs: Any) -> _PartialWrapper:
        """The same with more arguments given."""
        return _PartialWrapper(functools.partial(self.p, **kwargs))

    with_callable_args = with_args


def parameters_for(
    low: Tensor, high: Tensor, least: int, greatest: int, symmetric: bool, eps: float = EPS,
    unsigned: bool = False,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Scale and zero point with which numbers from `low` to `high` fill the integers from `least`
    to `greatest`; symmetric ones have nought in the middle."""
    low = flambeau.minimum(low, flambeau.zeros_like(low)).reshape(-1)
    high = flambeau.maximum(high, flambeau.zeros_like(high)).reshape(-1)
    smallest = flambeau.tensor([eps])
    if symmetric:
        reach = flambeau.maximum(-low, high)
        scale = flambeau.maximum(reach / (float(greatest - least) / 2), smallest)
        middle = (least + greatest) // 2 if least > 0 else 128 if unsigned else 0
        return scale, flambeau.full(scale.shape, middle, dtype=flambeau.int64)
    scale = flambeau.maximum((high - low) / float(greatest - least), smallest)
    zero = least - (low / scale).round().to(flambeau.int32)
    return scale, zero.clamp(least, greatest)


class ObserverBase(Module):
    """The base of observers.

    Args:
        dtype: what the integers are. is_dynamic: whether the scale is found anew for every input.
    """

    def __init__(self, dtype: Any, is_dynamic: bool = False) -> None:
        super().__init__()
        self.dtype, self.is_dynamic = dtype, is_dynamic

    def calculate_qparams(self, **kwargs: Any) -> Any:
        """Scale and zero point for what was seen."""
        raise NotImplementedError(f"{type(self).__name__}: calculate_qparams is to be written.")

    @classmethod
    def with_args(cls, **kwargs: Any) -> _PartialWrapper:
        """What makes such observers with these arguments."""
        return _PartialWrapper(functools.partial(cls, **kwargs))

    with_callable_args = with_args


AffineQuantizedObserverBase = ObserverBase


class UniformQuantizationObserverBase(ObserverBase):
    """The base of observers of evenly spaced integers.

    Args:
        dtype, qscheme: what the integers are, and how many scales there are.
        reduce_range: use half of the integers.
        quant_min, quant_max: use these.
        eps: the smallest scale.
    """

    eps: Tensor

    def __init__(
        self,
        dtype: Any = schemes.quint8,
        qscheme: Any = schemes.per_tensor_affine,
        reduce_range: bool = False,
        quant_min: int | None = None,
        quant_max: int | None = None,
        factory_kwargs: Any = None,
        eps: float = EPS,
        is_dynamic: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(dtype, is_dynamic)
        self.qscheme, self.reduce_range = qscheme, reduce_range
        self.has_customized_qrange = quant_min is not None and quant_max is not None
        if quant_min is not None and quant_max is not None:
            if not quant_min <= 0 <= quant_max:
                raise AssertionError("Used-specified quantization range must include 0.")
            least, greatest = quant_min, quant_max
        else:
            least, greatest = BOUNDS.get(dtype, (0, 255))
        half = reduce_range and dtype is not schemes.qint32
        self.quant_min = least // 2 if half else least
        self.quant_max = greatest // 2 if half else greatest
        self.register_buffer("eps", flambeau.tensor([eps]))

    def _calculate_qparams(self, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
        if not low.numel() or (low.dim() == 0 and bool(low == flambeau.inf)):
            _say_not_run()
            return flambeau.tensor([1.0]), flambeau.tensor([0])
        if self.qscheme is schemes.per_channel_affine_float_qparams:
            scale = (high - low) / float(self.quant_max - self.quant_min)
            scale = flambeau.where(scale > self.eps, scale, flambeau.ones_like(scale))
            return scale, -low / scale  # the least number is 0, which need not be among them
        return parameters_for(
            low,
            high,
            self.quant_min,
            self.quant_max,
            self.qscheme in SYMMETRIC,
            float(self.eps),
            self.dtype is schemes.quint8,
        )

    def reset_min_max_vals(self) -> None:
        """Forget what was seen."""
        raise NotImplementedError("Cannot reset min/max values in the given observer.")


def _say_not_run() -> None:
    import warnings

    from flambeau.core.provenance import stack_level

    warnings.warn(
        "must run observer before calling calculate_qparams. Returning default values.",
        UserWarning,
        stacklevel=stack_level(),
    )


class MinMaxObserver(UniformQuantizationObserverBase):
    """Remembers the least and the greatest number ever seen."""

    min_val: Tensor
    max_val: Tensor
    _halves_symmetric = False

    def __init__(self, dtype: Any = schemes.quint8, **kwargs: Any) -> None:
        qscheme = kwargs.get("qscheme", schemes.per_tensor_affine)
        if qscheme in BY_CHANNEL and type(self).__name__ in (
            "MinMaxObserver",
            "MovingAverageMinMaxObserver",
        ):
            raise NotImplementedError(
                f"{type(self).__name__}'s qscheme only support torch.per_tensor_symmetric and "
                "torch.per_tensor_affine."
            )
        if (
            not self._halves_symmetric
            and (qscheme in SYMMETRIC and kwargs.get("reduce_range", False))
            and dtype is schemes.quint8
        ):
            raise NotImplementedError(
                f"{type(self).__name__}: Cannot reduce range for symmetric quantization for "
                "quint8: the middle would be no longer among the integers. Use qint8."
            )
        super().__init__(dtype, **kwargs)
        self._start()

    def _start(self) -> None:
        self.register_buffer("min_val", flambeau.tensor(flambeau.inf))
        self.register_buffer("max_val", flambeau.tensor(-flambeau.inf))

    def _seen(self, x: Tensor) -> tuple[Tensor, Tensor]:
        low, high = x.detach().to(self.min_val.dtype).aminmax()
        return flambeau.minimum(low, self.min_val), flambeau.maximum(high, self.max_val)

    def forward(self, x_orig: Tensor) -> Tensor:
        """The input, seen."""
        if x_orig.numel():
            low, high = self._seen(x_orig)
            for seen, value in ((self.min_val, low), (self.max_val, high)):
                (seen if seen.shape == value.shape else seen.resize_(value.shape)).copy_(value)
        return x_orig

    def calculate_qparams(self) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """Scale and zero point for what was seen."""
        return self._calculate_qparams(self.min_val, self.max_val)

    def reset_min_max_vals(self) -> None:
        """Forget what was seen."""
        self.min_val.fill_(flambeau.inf)
        self.max_val.fill_(-flambeau.inf)

    def extra_repr(self) -> str:
        """What was seen."""
        if self.min_val.dim():
            return f"min_val={self.min_val}, max_val={self.max_val}"
        return f"min_val={self.min_val.item()}, max_val={self.max_val.item()}"


class MovingAverageMinMaxObserver(MinMaxObserver):
    """Moving averages of each input's least and greatest number.

    Args:
        averaging_constant: how much the newest counts.
    """

    def __init__(
        self, averaging_constant: float = 0.01, dtype: Any = schemes.quint8, **kwargs: Any
    ) -> None:
        self.averaging_constant = averaging_constant
        super().__init__(dtype, **kwargs)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "averaging_constant" and "_parameters" not in self.__dict__:
            self.__dict__[name] = value
        else:
            super().__setattr__(name, value)

    def _extremes(self, x: Tensor) -> tuple[Tensor, Tensor]:
        low, high = x.aminmax()
        return low, high

    def _seen(self, x: Tensor) -> tuple[Tensor, Tensor]:
        low, high = self._extremes(x.detach().to(self.min_val.dtype))
        if not self.min_val.numel() or (self.min_val.dim() == 0 and bool(self.min_val.isinf())):
            return low, high
        c = self.averaging_constant
        return self.min_val + c * (low - self.min_val), self.max_val + c * (high - self.max_val)


class PerChannelMinMaxObserver(MinMaxObserver):
    """Remembers each channel's least and greatest number.

    Args:
        ch_axis: the dimension of the channels.
    """

    def __init__(
        self,
        ch_axis: int = 0,
        dtype: Any = schemes.quint8,
        qscheme: Any = schemes.per_channel_affine,
        **kwargs: Any,
    ) -> None:
        super().__init__(dtype, qscheme=qscheme, **kwargs)
        self.ch_axis = ch_axis

    def _start(self) -> None:
        self.register_buffer("min_val", flambeau.tensor([]))
        self.register_buffer("max_val", flambeau.tensor([]))

    def _extremes(self, x: Tensor) -> tuple[Tensor, Tensor]:
        low, high = x.movedim(self.ch_axis, 0).flatten(1).aminmax(dim=1)
        return low, high

    def _seen(self, x: Tensor) -> tuple[Tensor, Tensor]:
        low, high = self._extremes(x.detach().to(self.min_val.dtype))
        if self.min_val.numel():
            return flambeau.minimum(low, self.min_val), flambeau.maximum(high, self.max_val)
        return low, high

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *args: Any) -> None:
        for name in ("min_val", "max_val"):  # as many channels as were seen
            value, own = state_dict.get(prefix + name), getattr(self, name)
            if value is not None and own.shape != value.shape:
                own.resize_(value.shape)
        super()._load_from_state_dict(state_dict, prefix, *args)

    def reset_min_max_vals(self) -> None:
        """Forget what was seen."""
        self.min_val, self.max_val = flambeau.rand(0), flambeau.rand(0)


class MovingAveragePerChannelMinMaxObserver(PerChannelMinMaxObserver):
    """Moving averages of each channel's least and greatest number.

    Args:
        averaging_constant: how much the newest counts. ch_axis: the dimension of the channels.
    """

    def __init__(
        self,
        averaging_constant: float = 0.01,
        ch_axis: int = 0,
        dtype: Any = schemes.quint8,
        qscheme: Any = schemes.per_channel_affine,
        **kwargs: Any,
    ) -> None:
        super().__init__(ch_axis, dtype, qscheme, **kwargs)
        self.averaging_constant = averaging_constant

    _seen = MovingAverageMinMaxObserver._seen  # type: ignore[assignment]


class HistogramObserver(MinMaxObserver):
    """Counts the numbers in bins, and clips the outermost where that loses less than a coarser
    scale would: the bounds with the least squared error are searched step by step.

    Args:
        bins: how many.
    """

    histogram: Tensor
    _halves_symmetric = True

    def __init__(self, bins: int = 2048, dtype: Any = schemes.quint8, **kwargs: Any) -> None:
        super().__init__(dtype, **kwargs)
        self.bins = bins
        self.register_buffer("histogram", flambeau.zeros(bins))

    def forward(self, x_orig: Tensor) -> Tensor:
        """The input, counted."""
        if not x_orig.numel():
            return x_orig
        x = x_orig.detach().float()
        low, high = x.aminmax()
        if not self.min_val.isinf():
            low = flambeau.minimum(low, self.min_val)
            high = flambeau.maximum(high, self.max_val)
        new = flambeau.histc(x, self.bins, float(low), float(high))
        if self.histogram.sum():
            middle = self._middles()
            place = ((middle - low) / (high - low) * self.bins).floor().long()
            new.index_add_(0, place.clamp(0, self.bins - 1), self.histogram)
        self.histogram.copy_(new)
        self.min_val.copy_(low)
        self.max_val.copy_(high)
        return x_orig

    def _middles(self) -> Tensor:
        width = (self.max_val - self.min_val) / self.bins
        return self.min_val + width * (flambeau.arange(self.bins) + 0.5)

    def _error(self, first: int, last: int) -> float:
        """What it costs to keep the bins from `first` to `last`: the squared distance of all
        counts, spread evenly over their bins, from the middles of as many steps as the dtype has.
        """
        steps = float(2 ** (8 * self.dtype.itemsize))
        width = float(self.max_val - self.min_val) / self.bins
        step = width * (last - first + 1) / steps
        if step == 0:
            return 0.0
        low = (flambeau.arange(self.bins) - first) * width
        high = low + width
        left = (low / step).floor().clamp(0, steps - 1)
        right = (high / step).floor().clamp(0, steps - 1)
        half = step / 2
        begins = low - (left + 0.5) * step
        ends = high - (right + 0.5) * step
        cubes = half**3 - begins**3 + (right - left - 1) * (2 * half**3) + ends**3 + half**3
        return float((self.histogram / width * cubes / 3).sum())

    def _bounds(self) -> tuple[Tensor, Tensor]:
        total = float(self.histogram.sum())
        cumulated = self.histogram.cumsum(0).tolist()
        first, last = 0, self.bins - 1
        least, step = float("inf"), 1e-5
        below, above = 0.0, 1.0
        while below < above:
            left, right = first, last
            while left < last and cumulated[left] < (below + step) * total:
                left += 1
            while right > first and cumulated[right] > (above - step) * total:
                right -= 1
            before = first, last
            if left - first > last - right:
                left, right, below = left, last, below + step
            else:
                left, right, above = first, right, above - step
            if (left, right) == before:
                continue
            error = self._error(left, right)
            if error > least:
                break
            least, first, last = error, left, right
        width = (self.max_val - self.min_val) / self.bins
        return self.min_val + width * first, self.min_val + width * (last + 1)

    def calculate_qparams(self) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """Scale and zero point for what was counted."""
        if self.min_val.isinf():
            _say_not_run()
            return flambeau.tensor([1.0]), flambeau.tensor([0])
        return self._calculate_qparams(*self._bounds())


class FixedQParamsObserver(ObserverBase):
    """Gives the scale and zero point it was made with."""

    scale: Tensor
    zero_point: Tensor

    def __init__(
        self,
        scale: float,
        zero_point: int,
        dtype: Any = schemes.quint8,
        qscheme: Any = schemes.per_tensor_affine,
        quant_min: int = 0,
        quant_max: int = 255,
        is_dynamic: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(dtype, is_dynamic)
        self.quant_min, self.quant_max, self.qscheme = quant_min, quant_max, qscheme
        self.register_buffer("scale", flambeau.tensor([scale]))
        self.register_buffer("zero_point", flambeau.tensor([zero_point], dtype=flambeau.int32))

    def forward(self, X: Tensor) -> Tensor:
        """The input."""
        return X

    def calculate_qparams(self) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """What it was made with."""
        return self.scale, self.zero_point


class PlaceholderObserver(ObserverBase):
    """Looks at nothing; says what dtype is wanted."""

    def __init__(
        self,
        dtype: Any = flambeau.float32,
        custom_op_name: str = "",
        compute_dtype: Any = None,
        quant_min: int | None = None,
        quant_max: int | None = None,
        qscheme: Any = None,
        eps: float | None = None,
        is_dynamic: bool = False,
    ) -> None:
        super().__init__(dtype, is_dynamic)
        self.qscheme = qscheme or schemes.per_tensor_affine
        self.quant_min, self.quant_max, self.eps = quant_min, quant_max, eps
        self.custom_op = custom_op_name

    def forward(self, x: Tensor) -> Tensor:
        """The input."""
        return x

    def extra_repr(self) -> str:
        """The dtype."""
        return f"dtype={self.dtype}, is_dynamic={self.is_dynamic}"


class RecordingObserver(ObserverBase):
    """Keeps every input."""

    def __init__(self, dtype: Any = schemes.quint8) -> None:
        super().__init__(dtype)
        self.tensor_val: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        """The input, kept."""
        self.tensor_val.append(x.clone())
        return x

    def get_tensor_value(self) -> list[Tensor]:
        """All inputs."""
        return self.tensor_val


class NoopObserver(ObserverBase):
    """Looks at nothing: for float16."""

    def __init__(self, dtype: Any = flambeau.float16, custom_op_name: str = "") -> None:
        super().__init__(dtype)
        self.custom_op = custom_op_name

    def forward(self, x: Tensor) -> Tensor:
        """The input."""
        return x


class ReuseInputObserver(ObserverBase):
    """Stands for the observer of the input."""

    def __init__(self) -> None:
        super().__init__(schemes.quint8)

    def forward(self, x: Tensor) -> Tensor:
        """The input."""
        return x


def get_observer_state_dict(mod: Module) -> Any:
    """The entries of a module's state that are observers'."""
    return {k: v for k, v in mod.state_dict().items() if "observer" in k or "activation_post" in k}


def load_observer_state_dict(mod: Module, obs_dict: Any) -> None:
    """Give a module's observers their state back."""
    mod.load_state_dict(obs_dict, strict=False)


default_observer = MinMaxObserver.with_args(quant_min=0, quant_max=127)
default_placeholder_observer = PlaceholderObserver
default_debug_observer = RecordingObserver
default_weight_observer = MinMaxObserver.with_args(
    dtype=schemes.qint8, qscheme=schemes.per_tensor_symmetric
)
default_histogram_observer = HistogramObserver.with_args(quant_min=0, quant_max=127)
default_per_channel_weight_observer = PerChannelMinMaxObserver.with_args(
    dtype=schemes.qint8, qscheme=schemes.per_channel_symmetric
)
default_dynamic_quant_observer = PlaceholderObserver.with_args(
    dtype=schemes.quint8, quant_min=0, quant_max=255, is_dynamic=True
)
default_float_qparams_observer = PerChannelMinMaxObserver.with_args(
    dtype=schemes.quint8, qscheme=schemes.per_channel_affine_float_qparams, ch_axis=0
)
default_fixed_qparams_range_neg1to1_observer = FixedQParamsObserver.with_args(
    scale=2.0 / 256.0, zero_point=128, dtype=schemes.quint8, quant_min=0, quant_max=255
)
default_fixed_qparams_range_0to1_observer = FixedQParamsObserver.with_args(
    scale=1.0 / 256.0, zero_point=0, dtype=schemes.quint8, quant_min=0, quant_max=255
)
default_symmetric_fixed_qparams_observer = default_fixed_qparams_range_neg1to1_observer
default_reuse_input_observer = ReuseInputObserver
default_affine_fixed_qparams_observer = default_fixed_qparams_range_0to1_observer
weight_observer_range_neg_127_to_127 = MinMaxObserver.with_args(
    dtype=schemes.qint8, qscheme=schemes.per_tensor_symmetric, quant_min=-127, quant_max=127,
    eps=2**-12,
)  # fmt: skip
per_channel_weight_observer_range_neg_127_to_127 = PerChannelMinMaxObserver.with_args(
    dtype=schemes.qint8, qscheme=schemes.per_channel_symmetric, quant_min=-127, quant_max=127,
    eps=2**-12,
)  # fmt: skip
