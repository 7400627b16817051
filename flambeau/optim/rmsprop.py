"""RMSprop: steps scaled by a running average of the squared gradient.

Reference: G. Hinton, Neural Networks for Machine Learning, lecture 6, 2012; `centered`: A. Graves,
Generating Sequences With Recurrent Neural Networks, 2013, arXiv:1308.0850. Stands on `elementwise`.
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
from flambeau.optim.inplace import Array, add_scaled, addcdiv, addcmul, lerp
from flambeau.optim.optimizer import ParamsT

__all__ = ["RMSprop"]


class RMSprop(ElementwiseOptimizer):
    """``v = alpha * v + (1 - alpha) * g^2; p -= lr * g / (sqrt(v) + eps)``.

    Args:
        params: parameters, named parameters or groups.
        lr: learning rate; a one-element tensor is allowed.
        alpha: decay of the average.
        eps: added to the root.
        weight_decay: factor of ``p`` added to the gradient.
        momentum: decay of a buffer of the scaled gradients; 0 for none.
        centered: divide by the standard deviation (``v`` less the squared mean gradient) instead.
        maximize: follow the gradient upward.
        differentiable: record the step for autograd.
    """

    _options: ClassVar[dict[str, Any]] = {
        "momentum": 0,
        "centered": False,
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "capturable": False,
    }

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        name = type(self).__name__
        check_lr(name, lr)
        check_numbers(
            name,
            ("epsilon value", eps, eps >= 0.0, "a number of at least 0"),
            ("momentum value", momentum, momentum >= 0.0, "a number of at least 0"),
            ("weight_decay value", weight_decay, weight_decay >= 0.0, "a number of at least 0"),
            ("alpha value", alpha, alpha >= 0.0, "a number of at least 0"),
        )
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "alpha": alpha,
                "eps": eps,
                "centered": centered,
                "weight_decay": weight_decay,
                "capturable": capturable,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
            },
        )

    def _buffers(self, group: dict[str, Any]) -> tuple[str, ...]:
        names: tuple[str, ...] = ("square_avg",)
        if group["momentum"] > 0:
            names += ("momentum_buffer",)
        if group["centered"]:
            names += ("grad_avg",)
        return names

    def _rates(self, group: dict[str, Any], step: float) -> tuple[Any, ...]:
        return (
            group["maximize"],
            group["weight_decay"],
            group["alpha"],
            group["eps"],
            group["momentum"],
            group["centered"],
            -number(group["lr"]),
        )

    @staticmethod
    def _update(rates: tuple[Any, ...], p: Array, g: Array, v: Array, *rest: Array) -> None:
        maximize, decay, alpha, eps, momentum, centered, step_size = rates
        s, d = rest[-2:]
        if maximize:
            np.negative(g, out=g)
        if decay != 0:
            add_scaled(g, p, decay, s)
        np.multiply(v, alpha, out=v)
        addcmul(v, g, g, 1 - alpha, s)
        if centered:
            mean = rest[-3]
            lerp(mean, g, 1 - alpha, s)
            np.copyto(d, v)
            addcmul(d, mean, mean, -1, s)
            np.sqrt(d, out=d)
        else:
            np.sqrt(v, out=d)
        np.add(d, eps, out=d)
        if momentum > 0:
            buffer = rest[0]
            np.multiply(buffer, momentum, out=buffer)
            np.divide(g, d, out=s)
            np.add(buffer, s, out=buffer)
            add_scaled(p, buffer, step_size, s)
        else:
            addcdiv(p, g, d, step_size, s)

    def _formula(
        self, group: dict[str, Any], p: Tensor, grad: Tensor, state: dict[str, Any]
    ) -> None:
        lr, alpha, momentum = scalar(group["lr"]), group["alpha"], group["momentum"]
        if group["weight_decay"] != 0:
            grad = grad.add(p, alpha=group["weight_decay"])
        kept = {name: state[name] for name in self._buffers(group)}
        if p.is_complex():
            p, grad = flambeau.view_as_real(p), flambeau.view_as_real(grad)
            kept = {name: flambeau.view_as_real(value) for name, value in kept.items()}
        v = kept["square_avg"]
        v.mul_(alpha).add_(grad * grad * (1 - alpha))
        average = v
        if group["centered"]:
            mean = kept["grad_avg"]
            mean.lerp_(grad, 1 - alpha)
            average = v - mean * mean
        scaled = grad / (average.sqrt() + group["eps"])
        if momentum > 0:
            scaled = kept["momentum_buffer"].mul_(momentum).add_(scaled)
        p.add_(scaled * -lr)
