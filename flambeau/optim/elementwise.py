"""The step of every optimizer that treats each element alike: Adam, SGD, RMSprop and their kin.

Such an optimizer says which tensors it keeps (`_buffers`, `_start`), which numbers this step needs
(`_rates`) and how flat arrays change (`_update`, in-place NumPy); `_formula` is the same in tensor
operations, for `differentiable=True` and for tensors without an array. The driver here checks,
plans and runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

import flambeau
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor, wrap
from flambeau.optim.flat import (
    SMALL,
    Bucket,
    can_move,
    note_writes,
    overlapping,
    run_alone,
)
from flambeau.optim.optimizer import Optimizer

__all__ = ["ElementwiseOptimizer", "number"]

REBUILDS = 8
"""After so many changes of plan (gradients that come and go) a group's parameters are updated one
by one."""


def number(value: Any) -> Any:
    """A hyperparameter as a number: a one-element tensor becomes a NumPy scalar of its own
    dtype."""
    return value._array.reshape(())[()] if isinstance(value, Tensor) else value


def scalar(value: Any) -> Any:
    """A hyperparameter as PyTorch keeps it: a one-element tensor loses its dimensions."""
    return value.squeeze() if isinstance(value, Tensor) and value.dim() != 0 else value


class Plan:
    """How a group is updated, and for which list of parameters that holds."""

    __slots__ = ("absent", "alone", "buckets", "names", "order")

    def __init__(self, order: list[Tensor], names: tuple[str, ...]) -> None:
        self.order = order
        self.names = names
        self.buckets: list[Bucket] = []
        self.alone: list[Tensor] = []
        self.absent: list[Tensor] = []

    def fits(self, params: list[Tensor], names: tuple[str, ...]) -> bool:
        """Whether the group still has these parameters, buffers and gradients."""
        if names != self.names or len(params) != len(self.order):
            return False
        for p, known in zip(params, self.order, strict=True):
            if p is not known:
                return False
        return all(p._grad is None for p in self.absent)


class ElementwiseOptimizer(Optimizer):
    """Drives an update that is the same for every element."""

    _spare: ClassVar[int] = 2
    """How many scratch arrays `_update` wants."""
    _counts: ClassVar[bool] = True
    """Whether the state has a step count."""
    _sparse_hint: ClassVar[str] = ""

    def _buffers(self, group: dict[str, Any]) -> tuple[str, ...]:
        """The names of the state tensors that `_update` receives, in order."""
        raise NotImplementedError

    def _start(self, group: dict[str, Any], p: Tensor, state: dict[str, Any]) -> None:
        """Fill the state of a parameter that is updated for the first time."""
        state["step"] = step_zero(group)
        for name in self._buffers(group):
            state[name] = flambeau.zeros_like(p)

    def _rates(self, group: dict[str, Any], step: float) -> Any:
        """The numbers of this step, for `_update`."""
        raise NotImplementedError

    _update: ClassVar[Callable[..., None]]

    def _formula(
        self, group: dict[str, Any], p: Tensor, grad: Tensor, state: dict[str, Any]
    ) -> None:
        """The update in tensor operations; the step count is already raised."""
        raise NotImplementedError

    def _sparse(
        self, group: dict[str, Any], p: Tensor, grad: Tensor, state: dict[str, Any]
    ) -> None:
        """The update by a sparse gradient; most optimizers refuse it."""
        raise fail(
            RuntimeError,
            type(self).__name__,
            f"{type(self).__name__} does not support sparse gradients{self._sparse_hint}",
        )

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient once.

        Args:
            closure: computes the loss anew (with gradients) and returns it.
        """
        loss = self._loss(closure) if closure is not None else None
        if (
            self.__dict__.get("found_inf") is not None
            or self.__dict__.get("grad_scale") is not None
        ):
            if not self._unscale():
                return loss
        plans = self.__dict__.setdefault("_plans", {})
        for index, group in enumerate(self.param_groups):
            if group.get("capturable"):
                self._refuse_capture(group)
            if group.get("fused") and index not in plans:
                for p in group["params"]:
                    if p.grad is not None:
                        check_fused_param(type(self).__name__, p)
            if group.get("differentiable"):
                with flambeau.set_grad_enabled(bool(self.defaults.get("differentiable"))):
                    self._by_formula(group)
            else:
                self._advance(index, group, plans)
        return loss

    def _advance(self, index: int, group: dict[str, Any], plans: dict[int, Any]) -> None:
        params = group["params"]
        names = self._buffers(group)
        plan, rebuilds = plans.get(index, (None, 0))
        gathered: list[Any] | None = None
        if plan is not None and plan.fits(params, names):
            gathered = [bucket.collect(self.state) for bucket in plan.buckets]
            if None in gathered:
                gathered = None
        if gathered is None:
            if plan is not None:
                for bucket in plan.buckets:
                    bucket.release()
            plan = self._plan(group, names, together=rebuilds < REBUILDS)
            plans[index] = (plan, rebuilds + 1)
            gathered = [bucket.collect(self.state) for bucket in plan.buckets]
        for bucket, (grads, step) in zip(plan.buckets, gathered, strict=True):
            bucket.update(self._update, self._rates(group, step + 1), grads, step + 1)
            note_writes(bucket.params)
        for p in plan.alone:
            if p._grad is not None:
                self._one(group, names, p)

    def _plan(self, group: dict[str, Any], names: tuple[str, ...], together: bool) -> Plan:
        plan = Plan(list(group["params"]), names)
        if not together:
            plan.alone = plan.order
            return plan
        runs: dict[Any, list[Tensor]] = {}
        for p in plan.order:
            if p._grad is None:
                plan.absent.append(p)
                continue
            key = self._key(group, names, p)
            if key is None:
                plan.alone.append(p)
                continue
            run = runs.setdefault(key, [])
            run.append(p)
            if sum(q._array.size for q in run) > SMALL:
                run.pop()
                runs[key, len(runs)] = runs[key]
                runs[key] = [p]
        for run in runs.values():
            if len(run) < 2 or overlapping([p._array for p in run]):
                plan.alone += run
            else:
                states = [self._state_of(group, names, p) for p in run]
                plan.buckets.append(Bucket(run, states, names, self._spare))
        return plan

    def _key(self, group: dict[str, Any], names: tuple[str, ...], p: Tensor) -> Any:
        """What parameters must have in common to be updated together; None for one that goes
        alone."""
        array, grad = p._array, getattr(p._grad, "_array", None)
        if (
            type(array) is not np.ndarray
            or array.dtype.char not in "fd"
            or not array.flags.c_contiguous
            or not 0 < array.size <= SMALL // 2
            or type(grad) is not np.ndarray
            or grad.dtype != array.dtype
            or grad.shape != array.shape
        ):
            return None
        state = self._state_of(group, names, p)
        for name in names:
            tensor = state.get(name)
            if tensor is None or tensor._array.dtype != array.dtype or not can_move(tensor):
                return None
        if not self._counts:
            return array.dtype
        step = state.get("step")
        if not isinstance(step, Tensor):
            return None
        return array.dtype, step._array.item()

    def _one(self, group: dict[str, Any], names: tuple[str, ...], p: Tensor) -> None:
        grad: Any = p._grad
        if grad.is_sparse:
            self._sparse(group, p, grad, self._state_of(group, names, p))
            return
        state = self._state_of(group, names, p)
        if type(p._array) is not np.ndarray:
            with flambeau.no_grad():
                if self._counts:
                    state["step"] += 1
                self._formula(group, p, -grad if group["maximize"] else grad, state)
            return
        step = self._count(state)
        buffers = [state[name]._array for name in names]
        run_alone(
            type(self)._update,
            self._rates(group, step),
            p._array,
            grad._array,
            buffers,
            self._spare,
        )
        note_writes([p])

    def _state_of(self, group: dict[str, Any], names: tuple[str, ...], p: Tensor) -> dict[str, Any]:
        if not (names or self._counts):
            return {}
        state: dict[str, Any] = self.state[p]
        if not state:
            self._start(group, p, state)
        return state

    def _count(self, state: dict[str, Any]) -> float:
        if not self._counts:
            return 0.0
        step = state["step"]
        count: float = step._array.item() + 1
        step._array.fill(count)
        return count

    def _by_formula(self, group: dict[str, Any]) -> None:
        names = self._buffers(group)
        for p in group["params"]:
            if p.grad is None:
                continue
            state = self._state_of(group, names, p)
            if p.grad.is_sparse:
                self._sparse(group, p, p.grad, state)
                continue
            if self._counts and state["step"].requires_grad:
                raise fail(
                    RuntimeError,
                    type(self).__name__,
                    "`requires_grad` is not supported for `step` in differentiable mode",
                )
            if self._counts:
                state["step"] += 1
            grad = -p.grad if group["maximize"] else p.grad
            self._formula(group, p, grad, state)

    def _refuse_capture(self, group: dict[str, Any]) -> None:
        if any(p._grad is not None for p in group["params"]):
            raise fail(
                AssertionError,
                type(self).__name__,
                "If capturable=True, params and state_steps must be on supported devices: "
                "['cuda', 'xpu', 'hpu', 'privateuseone', 'xla'], they are on the CPU. Leave "
                "capturable at False.",
            )

    def _unscale(self) -> bool:
        """What a GradScaler leaves to a fused optimizer: divide the gradients; False when the step
        is to be skipped."""
        found, scale = self.__dict__.get("found_inf"), self.__dict__.get("grad_scale")
        if found is not None and float(found) == 1.0:
            return False
        if scale is not None:
            factor = 1.0 / float(scale)
            with flambeau.no_grad():
                for group in self.param_groups:
                    for p in group["params"]:
                        if p.grad is not None:
                            p.grad.mul_(factor)
        return True

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.__dict__.pop("_plans", None)
        for group in self.param_groups:
            for key, value in self._options.items():
                group.setdefault(key, value)
            if not self._counts:
                continue
            for p in group["params"]:
                own = self.state.get(p)
                if own and "step" in own and not isinstance(own["step"], Tensor):
                    own["step"] = step_zero(group, float(own["step"]))

    _options: ClassVar[dict[str, Any]] = {
        "maximize": False,
        "foreach": None,
        "differentiable": False,
    }
    """Options that checkpoints of older versions lack."""


def step_zero(group: dict[str, Any], value: float = 0.0) -> Tensor:
    """A step count: 0-d, float32 (float64 where that is the default dtype)."""
    wide = flambeau.get_default_dtype() is flambeau.float64 and not group.get("fused")
    return wrap(np.array(value, np.float64 if wide else np.float32))


def check_fused(
    optimizer: Optimizer, fused: bool | None, foreach: bool | None, differentiable: bool
) -> None:
    """The rules about `fused` that several optimizers share."""
    if not fused:
        return
    name = type(optimizer).__name__
    if differentiable:
        raise fail(
            RuntimeError, name, "`fused` does not support `differentiable`; leave one of them out."
        )
    if foreach:
        raise fail(
            RuntimeError,
            name,
            "`fused` and `foreach` cannot be `True` together; leave one of them out.",
        )
    optimizer._step_supports_amp_scaling = True  # type: ignore[attr-defined]


def check_fused_param(name: str, p: Tensor) -> None:
    """What `fused=True` asks of a parameter: floating-point, on a device that has memory."""
    if not (p.is_floating_point() and p.device.type == "cpu"):
        raise fail(
            RuntimeError,
            name,
            "`fused=True` requires all the params to be floating point Tensors of supported "
            "devices: ['cpu'] "
            f"but {p.dtype} and {p.device.type}",
        )


def check_numbers(name: str, *rows: tuple[str, Any, bool, str]) -> None:
    """Rows of (what, value, holds, expectation): a ValueError for the first that does not hold."""
    for what, value, holds, expected in rows:
        if not holds:
            raise fail(ValueError, name, f"Invalid {what}: {value}; expected {expected}.")


def check_averages(name: str, eps: float, betas: tuple[Any, Any], weight_decay: float) -> None:
    """What the optimizers with two running averages have in common."""
    check_numbers(
        name,
        ("epsilon value", eps, eps >= 0.0, "a number of at least 0"),
        *(
            (f"beta parameter at index {k}", beta, 0.0 <= number(beta) < 1.0, "a number in [0, 1)")
            for k, beta in enumerate(betas[:2])
        ),
        ("weight_decay value", weight_decay, number(weight_decay) >= 0.0, "a number of at least 0"),
    )


def check_lr(
    name: str, lr: Any, foreach: bool | None = None, capturable: bool = False, nan: bool = False
) -> None:
    """The learning rate: at least 0 (or NaN, where that is let through); a tensor has one element
    and does not go with `foreach`.
    """
    if isinstance(lr, Tensor):
        if foreach and not capturable:
            raise fail(
                ValueError,
                name,
                "lr as a Tensor is not supported for capturable=False and foreach=True",
            )
        if lr.numel() != 1:
            raise fail(
                ValueError, name, f"Tensor lr must be 1-element, it has shape {tuple(lr.shape)}"
            )
    valid = not number(lr) < 0.0 if nan else bool(number(lr) >= 0.0)
    check_numbers(name, ("learning rate", lr, valid, "a number of at least 0"))
