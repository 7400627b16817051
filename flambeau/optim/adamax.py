"""Adamax: Adam with the largest recent gradient (infinity norm) in the denominator.

Reference: D. Kingma, J. Ba, Adam: A Method for Stochastic Optimization, section 7, 2014,
arXiv:1412.6980. Stands on `elementwise`.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

import flambeau
from flambeau.core.tensor import Tensor
from flambeau.optim.elementwise import (
    ElementwiseOptimizer,
    check_averages,
    check_lr,
    number,
    scalar,
)
from flambeau.optim.inplace import Array, add_scaled, addcdiv, lerp
from flambeau.optim.optimizer import ParamsT

__all__ = ["Adamax"]


class Adamax(ElementwiseOptimizer):
    """``m += (1-b1)(g-m); u = max(b2 u, |g| + eps); p -= lr / (1-b1^t) * m / u``.

    Args:
        params: parameters, named parameters or groups.
        lr: learning rate; a one-element tensor is allowed.
        betas: decay of the average and of the maximum, in [0, 1).
        eps: added to the gradient's size.
        weight_decay: factor of ``p`` added to the gradient.
        maximize: follow the gradient upward.
        differentiable: record the step for autograd.
    """

    _options: ClassVar[dict[str, Any]] = {
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "capturable": False,
    }

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        name = type(self).__name__
        check_lr(name, lr)
        check_averages(name, eps, betas, weight_decay)
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
                "capturable": capturable,
            },
        )

    def _buffers(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("exp_avg", "exp_inf")

    def _rates(self, group: dict[str, Any], step: float) -> tuple[Any, ...]:
        beta1, beta2 = group["betas"]
        rate = number(group["lr"]) / (1 - beta1**step)
        return group["maximize"], group["weight_decay"], 1 - beta1, beta2, group["eps"], -rate

    @staticmethod
    def _update(rates: tuple[Any, ...], p: Array, g: Array, m: Array, u: Array, s: Array) -> None:
        maximize, decay, gain1, beta2, eps, step_size = rates
        if maximize:
            np.negative(g, out=g)
        if decay != 0:
            add_scaled(g, p, decay, s)
        lerp(m, g, gain1, s)
        np.multiply(u, beta2, out=u)
        np.abs(g, out=s)
        np.add(s, eps, out=s)
        np.maximum(u, s, out=u)
        addcdiv(p, m, u, step_size, s)

    _spare = 1

    def _formula(
        self, group: dict[str, Any], p: Tensor, grad: Tensor, state: dict[str, Any]
    ) -> None:
        beta1, beta2 = group["betas"]
        if group["weight_decay"] != 0:
            grad = grad.add(p, alpha=group["weight_decay"])
        m, u = state["exp_avg"], state["exp_inf"]
        if p.is_complex():
            p, grad, m, u = (flambeau.view_as_real(t) for t in (p, grad, m, u))
        m.lerp_(grad, 1 - beta1)
        u.copy_(flambeau.maximum(u * beta2, grad.abs() + group["eps"]))
        rate = scalar(group["lr"]) / (1 - beta1 ** state["step"].item())
        p.add_(m * -rate / u.clone())
