"""`FakeQuantize`: a module that observes and rounds its input to what integers can say, so that a
network is trained with the error that quantisation will make."""

from __future__ import annotations

import functools
from typing import Any

import flambeau
from flambeau.ao.quantization import schemes
from flambeau.ao.quantization.fake import (
    fake_quantize_per_channel_affine,
    fake_quantize_per_tensor_affine,
    fused_moving_avg_obs_fake_quant,
)
from flambeau.ao.quantization.observer import (
    BY_CHANNEL,
    SYMMETRIC,
    FixedQParamsObserver,
    MovingAverageMinMaxObserver,
    MovingAveragePerChannelMinMaxObserver,
    _PartialWrapper,
    default_fixed_qparams_range_0to1_observer,
    default_fixed_qparams_range_neg1to1_observer,
)
from flambeau.core.tensor import Tensor
from flambeau.nn.modules.module import Module

__all__ = [
    "default_affine_fixed_qparams_fake_quant",
    "fused_wt_fake_quant_range_neg_127_to_127",
    "fused_per_channel_wt_fake_quant_range_neg_127_to_127",
    "FakeQuantize",
    "FakeQuantizeBase",
    "FixedQParamsFakeQuantize",
    "FusedMovingAvgObsFakeQuantize",
    "default_dynamic_fake_quant",
    "default_fake_quant",
    "default_fixed_qparams_range_0to1_fake_quant",
    "default_fixed_qparams_range_neg1to1_fake_quant",
    "default_fused_act_fake_quant",
    "default_fused_per_channel_wt_fake_quant",
    "default_fused_wt_fake_quant",
    "default_histogram_fake_quant",
    "default_per_channel_weight_fake_quant",
    "default_symmetric_fixed_qparams_fake_quant",
    "default_weight_fake_quant",
    "disable_fake_quant",
    "disable_observer",
    "enable_fake_quant",
    "enable_observer",
]


class FakeQuantizeBase(Module):
    """The base: switches that say whether it observes and whether it rounds."""

    fake_quant_enabled: Tensor
    observer_enabled: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("fake_quant_enabled", flambeau.tensor([1], dtype=flambeau.uint8))
        self.register_buffer("observer_enabled", flambeau.tensor([1], dtype=flambeau.uint8))

    def calculate_qparams(self, **kwargs: Any) -> Any:
        """Scale and zero point for what was seen."""
        raise NotImplementedError(f"{type(self).__name__}: calculate_qparams is to be written.")

    def enable_fake_quant(self, enabled: bool = True) -> None:
        """Round, or do not."""
        self.fake_quant_enabled[0] = int(enabled)

    def disable_fake_quant(self) -> None:
        """Do not round."""
        self.enable_fake_quant(False)

    def enable_observer(self, enabled: bool = True) -> None:
        """Observe, or do not."""
        self.observer_enabled[0] = int(enabled)

    def disable_observer(self) -> None:
        """Do not observe."""
        self.enable_observer(False)

    @classmethod
    def with_args(cls, **kwargs: Any) -> _PartialWrapper:
        """What makes such modules with these arguments."""
        return _PartialWrapper(functools.partial(cls, **kwargs))


class FakeQuantize(FakeQuantizeBase):
    """Observes and rounds.

    Args:
        observer: the class of the observer. observer_kwargs: its arguments.
        quant_min, quant_max: the integers used; the dtype's by default.
    """

    scale: Tensor
    zero_point: Tensor

    def __init__(
        self,
        observer: Any = MovingAverageMinMaxObserver,
        quant_min: int | None = None,
        quant_max: int | None = None,
        is_dynamic: bool = False,
        **observer_kwargs: Any,
    ) -> None:
        super().__init__()
        if quant_min is not None and quant_max is not None:
            if quant_min > quant_max:
                raise AssertionError("quant_min must be less than or equal to quant_max")
            observer_kwargs.update(quant_min=quant_min, quant_max=quant_max)
        observer_kwargs["is_dynamic"] = is_dynamic
        self.activation_post_process = observer(**observer_kwargs)
        seen = self.activation_post_process
        self.quant_min, self.quant_max = seen.quant_min, seen.quant_max
        self.register_buffer("scale", flambeau.tensor([1.0]))
        self.register_buffer("zero_point", flambeau.tensor([0], dtype=flambeau.int32))
        self.dtype, self.qscheme = seen.dtype, seen.qscheme
        self.ch_axis = getattr(seen, "ch_axis", -1)
        self.is_per_channel = self.qscheme in BY_CHANNEL
        self.is_dynamic = is_dynamic

    def calculate_qparams(self) -> Any:  # type: ignore[override]
        """Scale and zero point for what was seen."""
        return self.activation_post_process.calculate_qparams()

    def forward(self, X: Tensor) -> Tensor:
        """The input, rounded."""
        if self.observer_enabled[0] == 1:
            self.activation_post_process(X.detach())
            scale, zero = self.calculate_qparams()
            if self.scale.shape != scale.shape:
                self.scale.resize_(scale.shape)
                self.zero_point.resize_(zero.shape)
            self.scale.copy_(scale)
            self.zero_point.copy_(zero)
        if self.fake_quant_enabled[0] != 1:
            return X
        if self.is_per_channel:
            return fake_quantize_per_channel_affine(  # type: ignore[no-any-return]
                X, self.scale, self.zero_point, self.ch_axis, self.quant_min, self.quant_max
            )
        return fake_quantize_per_tensor_affine(  # type: ignore[no-any-return]
            X, self.scale, self.zero_point, self.quant_min, self.quant_max
        )

    def extra_repr(self) -> str:
        """The switches, the integers, the scale."""
        return (
            f"fake_quant_enabled={self.fake_quant_enabled}, "
            f"observer_enabled={self.observer_enabled}, quant_min={self.quant_min}, "
            f"quant_max={self.quant_max}, dtype={self.dtype}, qscheme={self.qscheme}, "
            f"ch_axis={self.ch_axis}, scale={self.scale}, zero_point={self.zero_point}"
        )


class FixedQParamsFakeQuantize(FakeQuantize):
    """Rounds with a scale given beforehand.

    Args:
        observer: makes the `FixedQParamsObserver` that has it.
    """

    def __init__(self, observer: Any) -> None:
        super().__init__(observer=lambda **_: observer())
        if not isinstance(self.activation_post_process, FixedQParamsObserver):
            raise AssertionError(
                f"{type(self).__name__}'s observer must be a FixedQParamsObserver, but got "
                f"{type(self.activation_post_process)}"
            )
        self.scale = self.activation_post_process.scale
        self.zero_point = self.activation_post_process.zero_point

    def extra_repr(self) -> str:
        """The switches, the scale, the integers."""
        return (
            f"fake_quant_enabled={self.fake_quant_enabled}, "
            f"observer_enabled={self.observer_enabled}, scale={self.scale}, "
            f"zero_point={self.zero_point}, dtype={self.dtype}, quant_min={self.quant_min}, "
            f"quant_max={self.quant_max}, qscheme={self.qscheme}"
        )


class FusedMovingAvgObsFakeQuantize(FakeQuantize):
    """`FakeQuantize` of a moving-average observer."""

    def __init__(
        self,
        observer: Any = MovingAverageMinMaxObserver,
        quant_min: int = 0,
        quant_max: int = 255,
        **observer_kwargs: Any,
    ) -> None:
        super().__init__(observer, quant_min, quant_max, **observer_kwargs)
        self.fake_quant_enabled = flambeau.tensor([1], dtype=flambeau.long)
        self.observer_enabled = flambeau.tensor([1], dtype=flambeau.long)

    def forward(self, X: Tensor) -> Tensor:
        """The input, rounded."""
        seen = self.activation_post_process
        return fused_moving_avg_obs_fake_quant(  # type: ignore[no-any-return]
            X,
            self.observer_enabled,
            self.fake_quant_enabled,
            seen.min_val,
            seen.max_val,
            self.scale,
            self.zero_point,
            seen.averaging_constant,
            self.quant_min,
            self.quant_max,
            self.ch_axis,
            self.is_per_channel,
            self.qscheme in SYMMETRIC,
        )

    def extra_repr(self) -> str:
        """The switches, the scale, the integers."""
        return (
            f"fake_quant_enabled={self.fake_quant_enabled}, "
            f"observer_enabled={self.observer_enabled}, scale={self.scale}, "
            f"zero_point={self.zero_point}, dtype={self.dtype}, quant_min={self.quant_min}, "
            f"quant_max={self.quant_max}, qscheme={self.qscheme}, "
            f"reduce_range={self.activation_post_process.reduce_range}"
        )


def _all(name: str) -> Any:
    def switch(mod: Any) -> None:
        if isinstance(mod, FakeQuantizeBase):
            getattr(mod, name)()

    switch.__name__ = name
    switch.__doc__ = f"`{name}` of a module, where it has it: for ``model.apply({name})``."
    return switch


disable_fake_quant = _all("disable_fake_quant")
enable_fake_quant = _all("enable_fake_quant")
disable_observer = _all("disable_observer")
enable_observer = _all("enable_observer")

default_fake_quant = FakeQuantize.with_args(
    observer=MovingAverageMinMaxObserver, quant_min=0, quant_max=255, dtype=schemes.quint8,
    qscheme=schemes.per_tensor_affine, reduce_range=True,
)  # fmt: skip
default_weight_fake_quant = FakeQuantize.with_args(
    observer=MovingAverageMinMaxObserver, quant_min=-128, quant_max=127, dtype=schemes.qint8,
    qscheme=schemes.per_tensor_symmetric, reduce_range=False,
)  # fmt: skip
default_dynamic_fake_quant = FakeQuantize.with_args(
    observer=MovingAverageMinMaxObserver, quant_min=0, quant_max=255, is_dynamic=True,
    dtype=schemes.quint8, averaging_constant=1,
)  # fmt: skip
default_fixed_qparams_range_neg1to1_fake_quant = FixedQParamsFakeQuantize.with_args(
    observer=default_fixed_qparams_range_neg1to1_observer
)
default_fixed_qparams_range_0to1_fake_quant = FixedQParamsFakeQuantize.with_args(
    observer=default_fixed_qparams_range_0to1_observer
)
default_symmetric_fixed_qparams_fake_quant = default_fixed_qparams_range_neg1to1_fake_quant
default_per_channel_weight_fake_quant = FakeQuantize.with_args(
    observer=MovingAveragePerChannelMinMaxObserver, quant_min=-128, quant_max=127,
    dtype=schemes.qint8, qscheme=schemes.per_channel_symmetric, reduce_range=False, ch_axis=0,
)  # fmt: skip
default_histogram_fake_quant = default_fake_quant
default_fused_act_fake_quant = FusedMovingAvgObsFakeQuantize.with_args(
    observer=MovingAverageMinMaxObserver, quant_min=0, quant_max=255, dtype=schemes.quint8
)
default_fused_wt_fake_quant = FusedMovingAvgObsFakeQuantize.with_args(
    observer=MovingAverageMinMaxObserver, quant_min=-128, quant_max=127, dtype=schemes.qint8,
    qscheme=schemes.per_tensor_symmetric,
)  # fmt: skip
default_fused_per_channel_wt_fake_quant = FusedMovingAvgObsFakeQuantize.with_args(
    observer=MovingAveragePerChannelMinMaxObserver, quant_min=-128, quant_max=127,
    dtype=schemes.qint8, qscheme=schemes.per_channel_symmetric,
)  # fmt: skip
default_affine_fixed_qparams_fake_quant = default_fixed_qparams_range_0to1_fake_quant
fused_wt_fake_quant_range_neg_127_to_127 = FusedMovingAvgObsFakeQuantize.with_args(
    observer=MovingAverageMinMaxObserver, quant_min=-127, quant_max=127, dtype=schemes.qint8,
    qscheme=schemes.per_tensor_symmetric, eps=2**-12,
)  # fmt: skip
fused_per_channel_wt_fake_quant_range_neg_127_to_127 = FusedMovingAvgObsFakeQuantize.with_args(
    observer=MovingAveragePerChannelMinMaxObserver, quant_min=-127, quant_max=127,
    dtype=schemes.qint8, qscheme=schemes.per_channel_symmetric, eps=2**-12,
)  # fmt: skip
