"""`GradScaler`: multiplies the loss so that float16 gradients do not vanish, and skips steps whose
gradients overflow.

Stands on core; optimizers are asked only for their parameter groups and `step`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from flambeau.core import dtypes, state
from flambeau.core.errors import fail
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import Tensor, wrap

__all__ = ["GradScaler", "OptState"]

READY, UNSCALED, STEPPED = range(3)
OptState = {"READY": READY, "UNSCALED": UNSCALED, "STEPPED": STEPPED}
"""The stages an optimizer goes through between two `update()`."""


class GradScaler:
    """Scales losses by a factor that grows while gradients stay finite and shrinks when they do
    not.

    Args:
        device: "cpu" scales; "cuda" warns and disables itself where there is no CUDA.
        init_scale: the first factor. growth_factor: what it is multiplied by after
            `growth_interval` finite steps.
        backoff_factor: what it is multiplied by after a step with infinite or NaN gradients.
        enabled: False makes every method do nothing but what the program would do without the
            scaler.
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        self._device = device
        if enabled and device == "cuda":
            from flambeau.cuda.refusal import opted_in

            if not opted_in():
                warnings.warn(
                    "torch.cuda.amp.GradScaler is enabled, but CUDA is not available.  Disabling.",
                    UserWarning,
                    stacklevel=stack_level(),
                )
                enabled = False
        self._enabled = enabled
        if enabled:
            if growth_factor <= 1.0:
                raise AssertionError(
                    f"GradScaler: The growth factor must be > 1.0, it is {growth_factor}."
                )
            if backoff_factor >= 1.0:
                raise AssertionError(
                    f"GradScaler: The backoff factor must be < 1.0, it is {backoff_factor}."
                )
        self._init_scale = init_scale
        self._scale: float | None = None
        self._growth_factor = growth_factor
        self._backoff_factor = backoff_factor
        self._growth_interval = growth_interval
        self._growth_tracker = 0
        self._optimizers: dict[int, dict[str, Any]] = {}

    def _now(self) -> float:
        if self._scale is None:
            self._scale = float(np.float32(self._init_scale))
        return self._scale

    def _of(self, optimizer: Any) -> dict[str, Any]:
        return self._optimizers.setdefault(id(optimizer), {"stage": READY, "found_inf": None})

    def scale(self, outputs: Any) -> Any:
        """A tensor (or every tensor in a sequence) times the scale.

        Raises:
            ValueError: something that is neither.
        """
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            return outputs * wrap(np.asarray(self._now(), np.float32))
        if isinstance(outputs, Iterable):
            found = map(self.scale, outputs)
            return type(outputs)(found) if isinstance(outputs, (list, tuple)) else found  # type: ignore[call-arg]
        raise ValueError(
            "GradScaler.scale: outputs must be a Tensor or an iterable of Tensors, not "
            f"{type(outputs).__name__}"
        )

    def unscale_(self, optimizer: Any) -> None:
        """Divide the gradients of the optimizer's parameters by the scale, once before its step.

        Raises:
            RuntimeError: called twice, or after `step()`. ValueError: float16 gradients.
        """
        if not self._enabled:
            return
        now = self._of(optimizer)
        if now["stage"] == UNSCALED:
            raise fail(
                RuntimeError,
                "unscale_",
                "unscale_() has already been called on this optimizer since the last update().",
            )
        if now["stage"] == STEPPED:
            raise fail(RuntimeError, "unscale_", "unscale_() is being called after step().")
        now["found_inf"] = self._unscale(optimizer)
        now["stage"] = UNSCALED

    def _unscale(self, optimizer: Any) -> bool | None:
        """Whether a gradient was infinite or NaN; None when there is no gradient at all."""
        inverse = 1.0 / self._now()
        found: bool | None = None
        token = state.switch_grad(False)
        try:
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    grad = parameter.grad
                    if grad is None:
                        continue
                    if grad.dtype is dtypes.float16:
                        raise fail(
                            ValueError,
                            "unscale_",
                            "Attempting to unscale FP16 gradients. Keep the parameters in float32: "
                            "autocast casts.",
                        )
                    if grad.is_sparse:
                        grad = parameter.grad = grad.coalesce()
                    values = grad._values()._array if grad.is_sparse else grad._array
                    found = bool(found) or not bool(np.all(np.isfinite(values)))
                    grad.mul_(inverse)
        finally:
            state.restore(token)
        return found

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """``optimizer.step(...)``, after unscaling, unless a gradient is infinite or NaN.

        Raises:
            RuntimeError: called twice since `update()`, or with a closure. AssertionError: no
                gradient anywhere.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise fail(
                RuntimeError,
                "GradScaler.step",
                "Closure use is not currently supported if GradScaler is enabled.",
            )
        now = self._of(optimizer)
        if now["stage"] == STEPPED:
            raise fail(
                RuntimeError,
                "GradScaler.step",
                "step() has already been called since the last update().",
            )
        if now["stage"] == READY:
            self.unscale_(optimizer)
        if now["found_inf"] is None:
            raise AssertionError(
                "GradScaler.step: No inf checks were recorded for this optimizer: none of its "
                "parameters has a gradient."
            )
        found = None if now["found_inf"] else optimizer.step(*args, **kwargs)
        now["stage"] = STEPPED
        return found

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Adapt the scale to what the steps since the last `update()` found, or set it.

        Raises:
            AssertionError: nothing was unscaled.
        """
        if not self._enabled:
            return
        if new_scale is not None:
            self._scale = float(new_scale)
        else:
            checks = [
                each["found_inf"]
                for each in self._optimizers.values()
                if each["found_inf"] is not None
            ]
            if not checks:
                raise AssertionError(
                    "GradScaler.update: No inf checks were recorded prior to update."
                )
            if any(checks):
                self._scale = float(np.float32(self._now() * self._backoff_factor))
                self._growth_tracker = 0
            else:
                self._growth_tracker += 1
                if self._growth_tracker == self._growth_interval:
                    grown = float(np.float32(self._now() * self._growth_factor))
                    if np.isfinite(grown):
                        self._scale = grown
                    self._growth_tracker = 0
        self._optimizers.clear()

    def get_scale(self) -> float:
        """The scale; 1.0 when disabled."""
        return self._now() if self._enabled else 1.0

    def get_growth_factor(self) -> float:
        """What the scale grows by."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Set what the scale grows by."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """What the scale shrinks by."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Set what the scale shrinks by."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """How many finite steps come before the scale grows."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Set how many finite steps come before the scale grows."""
        self._growth_interval = new_interval

    def is_enabled(self) -> bool:
        """Whether the scaler does anything."""
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint needs; empty when disabled."""
        if not self._enabled:
            return {}
        return {
            "scale": self.get_scale(),
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._growth_tracker,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up where a checkpoint left.

        Raises:
            RuntimeError: the state of a disabled scaler.
        """
        if not self._enabled:
            return
        if not state_dict:
            raise fail(
                RuntimeError,
                "load_state_dict",
                "The source state dict is empty, possibly because it was saved from a disabled "
                "instance of GradScaler.",
            )
        self._init_scale = self._scale = state_dict["scale"]
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        self._growth_tracker = state_dict["_growth_tracker"]

    def __getstate__(self) -> dict[str, Any]:
        if self._optimizers:
            raise fail(
                RuntimeError,
                "GradScaler",
                "A GradScaler instance may only be pickled at the beginning of an iteration, or "
                "after update().",
            )
        return dict(self.__dict__)
