"""Adadelta: steps scaled by the ratio of past steps to past gradients, so that no unit is left
over.

Reference: M. Zeiler, ADADELTA: An Adaptive Learning Rate Method, 2012, arXiv:1212.5701. Stands on
`elementwise`.
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
)
from flambeau.optim.inplace import Array, add_scaled, addcmul
from flambeau.optim.optimizer import ParamsT

__all__ = ["Adadelta"]


class Adadelta(ElementwiseOptimizer):
    """``v = rho v + (1-rho) g^2; d = sqrt(u + eps) / sqrt(v + eps) * g; u = rho u + (1-rho) d^2; p
    -= lr * d``.

    Args:
        params: parameters, named parameters or groups.
        lr: factor of the step; a one-element tensor is allowed.
        rho: decay of both averages, in [0, 1].
        eps: added under both roots.
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
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        name = type(self).__name__
        check_lr(name, lr)
        check_numbers(
            name,
            ("rho value", rho, 0.0 <= rho <= 1.0, "a number in [0, 1]"),
            ("epsilon value", eps, eps >= 0.0, "a number of at least 0"),
            ("weight_decay value", weight_decay, weight_decay >= 0.0, "a number of at least 0"),
        )
        super().__init__(
            params,
            {
                "lr": lr,
                "rho": rho,
                "eps": eps,
                "weight_decay": weight_decay,
                "maximize": maximize,
                "capturable": capturable,
                "foreach": foreach,
                "differentiable": differentiable,
            },
        )

    def _buffers(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("square_avg", "acc_delta")

    def _rates(self, group: dict[str, Any], step: float) -> tuple[Any, ...]:
        return (
            group["maximize"],
            group["weight_decay"],
            group["rho"],
            group["eps"],
            -number(group["lr"]),
        )

    @staticmethod
    def _update(
        rates: tuple[Any, ...], p: Array, g: Array, v: Array, u: Array, s: Array, d: Array
    ) -> None:
        maximize, decay, rho, eps, step_size = rates
        if maximize:
            np.negative(g, out=g)
        if decay != 0:
            add_scaled(g, p, decay, s)
        np.multiply(v, rho, out=v)
        addcmul(v, g, g, 1 - rho, s)
        np.add(v, eps, out=s)
        np.sqrt(s, out=s)
        np.add(u, eps, out=d)
        np.sqrt(d, out=d)
        np.divide(d, s, out=d)
        np.multiply(d, g, out=d)
        np.multiply(u, rho, out=u)
        addcmul(u, d, d, 1 - rho, s)
        add_scaled(p, d, step_size, s)

    def _formula(
        self, group: dict[str, Any], p: Tensor, grad: Tensor, state: dict[str, Any]
    ) -> None:
        rho, eps = group["rho"], group["eps"]
        if group["weight_decay"] != 0:
            grad = grad.add(p, alpha=group["weight_decay"])
        v, u = state["square_avg"], state["acc_delta"]
        if p.is_complex():
            p, grad, v, u = (flambeau.view_as_real(t) for t in (p, grad, v, u))
        v.mul_(rho).add_(grad * grad * (1 - rho))
        delta = (u + eps).sqrt() / (v + eps).sqrt() * grad
        u.mul_(rho).add_(delta * delta * (1 - rho))
        p.add_(delta * -scalar(group["lr"]))
