"""Averaged SGD: plain descent with a falling rate, and the running average of the parameters in the
state.

Reference: B. Polyak, A. Juditsky, Acceleration of Stochastic Approximation by Averaging, SIAM J.
Control Optim. 30, 1992. Stands on `elementwise`.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

import flambeau
from flambeau.core.tensor import Tensor
from flambeau.optim.elementwise import (
    ElementwiseOptimizer,
    check_lr,
    check_numbers,
    number,
    scalar,
    step_zero,
)
from flambeau.optim.inplace import Array, add_scaled
from flambeau.optim.optimizer import ParamsT

__all__ = ["ASGD"]


class ASGD(ElementwiseOptimizer):
    """``p = (1 - lambd * eta) p - eta * g``; ``ax`` averages ``p``; ``eta = lr / (1 + lambd * lr *
    t)^alpha``.

    Args:
        params: parameters, named parameters or groups.
        lr: learning rate; a one-element tensor is allowed.
        lambd: decay term.
        alpha: power by which the rate falls.
        t0: the step at which averaging starts.
        weight_decay: factor of ``p`` added to the gradient.
        maximize: follow the gradient upward.
        differentiable: record the step for autograd.
    """

    _spare = 1
    _options: ClassVar[dict[str, Any]] = {
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "capturable": False,
    }

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        name = type(self).__name__
        check_lr(name, lr)
        check_numbers(
            name,
            ("weight_decay value", weight_decay, weight_decay >= 0.0, "a number of at least 0"),
        )
        super().__init__(
            params,
            {
                "lr": lr,
                "lambd": lambd,
                "alpha": alpha,
                "t0": t0,
                "weight_decay": weight_decay,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
                "capturable": capturable,
            },
        )

    def _buffers(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("ax",)

    def _start(self, group: dict[str, Any], p: Tensor, state: dict[str, Any]) -> None:
        state["step"] = step_zero(group)
        state["eta"] = step_zero(group, float(number(group["lr"])))
        state["mu"] = step_zero(group, 1.0)
        state["ax"] = flambeau.zeros_like(p)

    def _key(self, group: dict[str, Any], names: tuple[str, ...], p: Tensor) -> Any:
        # Rate and averaging weight stand in each parameter's own state: each is updated by itself.
        return None

    def _one(self, group: dict[str, Any], names: tuple[str, ...], p: Tensor) -> None:
        state = self._state_of(group, names, p)
        if type(p._array) is not np.ndarray or p._grad.is_sparse:
            super()._one(group, names, p)
            return
        now = {**group, "eta": state["eta"]._array.item(), "mu": state["mu"]._array.item()}
        super()._one(now, names, p)
        self._next_rates(group, state)

    @staticmethod
    def _next_rates(group: dict[str, Any], state: dict[str, Any]) -> None:
        lr, step = number(group["lr"]), state["step"]._array.item()
        # Rounded to the default dtype also where a checkpoint was loaded with wider ones.
        kind = np.float64 if flambeau.get_default_dtype() is flambeau.float64 else np.float32
        state["eta"]._array.fill(kind(lr / ((1 + group["lambd"] * lr * step) ** group["alpha"])))
        state["mu"]._array.fill(kind(1 / max(1, step - group["t0"])))

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for p in group["params"]:
                own: Any = self.state.get(p)
                for name in ("eta", "mu") if own else ():
                    if not isinstance(own[name], Tensor):
                        own[name] = step_zero(group, float(own[name]))

    def _rates(self, group: dict[str, Any], step: float) -> tuple[Any, ...]:
        return group["maximize"], group["weight_decay"], group["lambd"], group["eta"], group["mu"]

    @staticmethod
    def _update(rates: tuple[Any, ...], p: Array, g: Array, ax: Array, s: Array) -> None:
        maximize, decay, lambd, eta, mu = rates
        if maximize:
            np.negative(g, out=g)
        if decay != 0:
            add_scaled(g, p, decay, s)
        np.multiply(p, 1 - lambd * eta, out=p)
        add_scaled(p, g, -eta, s)
        if mu == 1:
            np.copyto(ax, p)
        else:
            np.subtract(p, ax, out=s)
            np.multiply(s, mu, out=s)
            np.add(ax, s, out=ax)

    def _formula(
        self, group: dict[str, Any], p: Tensor, grad: Tensor, state: dict[str, Any]
    ) -> None:
        lr, ax = scalar(group["lr"]), state["ax"]
        if p.is_complex():
            p, grad, ax = (flambeau.view_as_real(t) for t in (p, grad, ax))
        if group["weight_decay"] != 0:
            grad = grad.add(p, alpha=group["weight_decay"])
        eta, mu = state["eta"].item(), state["mu"].item()
        p.mul_(1 - group["lambd"] * eta)
        p.add_(grad, alpha=-eta)
        if mu == 1:
            ax.copy_(p)
        else:
            ax.add_(p.sub(ax).mul_(mu))
        step = state["step"].item()
        state["eta"].copy_(
            flambeau.as_tensor(lr / ((1 + group["lambd"] * lr * step) ** group["alpha"]))
        )
        state["mu"].copy_(flambeau.as_tensor(1 / max(1, step - group["t0"])))
