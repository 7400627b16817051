"""RAdam: Adam that trusts its second moment only as far as enough gradients have been seen.

Reference: L. Liu, H. Jiang, P. He, W. Chen, X. Liu, J. Gao, J. Han, On the Variance of the Adaptive
Learning Rate and Beyond, 2019, arXiv:1908.03265. Stands on `elementwise`.
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
from flambeau.optim.inplace import Array, add_scaled, addcmul, lerp
from flambeau.optim.optimizer import ParamsT

__all__ = ["RAdam"]


class RAdam(ElementwiseOptimizer):
    """Adam without the second moment while its variance is unknown (``rho_t <= 5``), rectified by
    ``r_t`` after that.

    Args:
        params: parameters, named parameters or groups.
        lr: learning rate; a one-element tensor is allowed.
        betas: decay of the two averages, in [0, 1).
        eps: added to the denominator.
        weight_decay: factor of ``p`` added to the gradient (with `decoupled_weight_decay` taken
            from ``p`` itself).
        maximize: follow the gradient upward.
        differentiable: record the step for autograd.
    """

    _options: ClassVar[dict[str, Any]] = {
        "maximize": False,
        "foreach": None,
        "capturable": False,
        "differentiable": False,
        "decoupled_weight_decay": False,
    }

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
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
                "maximize": maximize,
                "foreach": foreach,
                "capturable": capturable,
                "decoupled_weight_decay": decoupled_weight_decay,
                "differentiable": differentiable,
            },
        )

    def _buffers(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("exp_avg", "exp_avg_sq")

    @staticmethod
    def _rectifier(beta2: float, step: float) -> float | None:
        """``r_t``; None while the variance of the second moment cannot be told (``rho_t <= 5``)."""
        rho_inf = 2 / (1 - beta2) - 1
        rho = rho_inf - 2 * step * (beta2**step) / (1 - beta2**step)
        if rho <= 5.0:
            return None
        ratio = (rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho)
        return float(ratio**0.5)

    def _rates(self, group: dict[str, Any], step: float) -> tuple[Any, ...]:
        beta1, beta2 = group["betas"]
        lr, decay = number(group["lr"]), group["weight_decay"]
        return (
            group["maximize"],
            0 if group["decoupled_weight_decay"] else decay,
            1 - lr * decay if group["decoupled_weight_decay"] and decay != 0 else 1,
            lr,
            1 - beta1,
            1 - beta1**step,
            beta2,
            (1 - beta2**step) ** 0.5,
            group["eps"],
            self._rectifier(beta2, step),
        )

    @staticmethod
    def _update(
        rates: tuple[Any, ...], p: Array, g: Array, m: Array, v: Array, s: Array, d: Array
    ) -> None:
        maximize, decay, shrink, lr, gain1, correction1, beta2, root2, eps, rectifier = rates
        if maximize:
            np.negative(g, out=g)
        if shrink != 1:
            np.multiply(p, shrink, out=p)
        if decay != 0:
            add_scaled(g, p, decay, s)
        lerp(m, g, gain1, s)
        np.multiply(v, beta2, out=v)
        addcmul(v, g, g, 1 - beta2, s)
        np.divide(m, correction1, out=s)
        np.multiply(s, lr, out=s)
        if rectifier is not None:
            np.sqrt(v, out=d)
            np.add(d, eps, out=d)
            np.divide(root2, d, out=d)
            np.multiply(s, d, out=s)
            np.multiply(s, rectifier, out=s)
        np.subtract(p, s, out=p)

    def _formula(
        self, group: dict[str, Any], p: Tensor, grad: Tensor, state: dict[str, Any]
    ) -> None:
        beta1, beta2 = group["betas"]
        lr, decay = scalar(group["lr"]), group["weight_decay"]
        m, v = state["exp_avg"], state["exp_avg_sq"]
        if p.is_complex():
            p, grad, m, v = (flambeau.view_as_real(t) for t in (p, grad, m, v))
        step = state["step"].item()
        if decay != 0 and group["decoupled_weight_decay"]:
            p.mul_(1 - lr * decay)
        elif decay != 0:
            grad = grad.add(p, alpha=decay)
        m.lerp_(grad, 1 - beta1)
        v.mul_(beta2).add_(grad * grad * (1 - beta2))
        update = m / (1 - beta1**step) * lr
        rectifier = self._rectifier(beta2, step)
        if rectifier is not None:
            update = update * ((1 - beta2**step) ** 0.5 / (v.sqrt() + group["eps"])) * rectifier
        p.sub_(update)
