"""NAdam: Adam with Nesterov's look ahead.

Reference: T. Dozat, Incorporating Nesterov Momentum into Adam, ICLR workshop 2016. Stands on
`elementwise`.
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
    check_numbers,
    number,
    scalar,
    step_zero,
)
from flambeau.optim.inplace import Array, add_scaled, addcdiv, addcmul, lerp
from flambeau.optim.optimizer import ParamsT

__all__ = ["NAdam"]


class NAdam(ElementwiseOptimizer):
    """Adam whose numerator mixes the present gradient with the average of the next step.

    Args:
        params: parameters, named parameters or groups.
        lr: learning rate; a one-element tensor is allowed.
        betas: decay of the two averages, in [0, 1).
        eps: added to the denominator.
        weight_decay: factor of ``p`` added to the gradient (with `decoupled_weight_decay` taken
            from ``p`` itself).
        momentum_decay: how fast the momentum reaches ``betas[0]``.
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
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
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
        check_numbers(
            name,
            (
                "momentum_decay value",
                momentum_decay,
                momentum_decay >= 0.0,
                "a number of at least 0",
            ),
        )
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum_decay": momentum_decay,
                "decoupled_weight_decay": decoupled_weight_decay,
                "maximize": maximize,
                "foreach": foreach,
                "capturable": capturable,
                "differentiable": differentiable,
            },
        )

    def _buffers(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("exp_avg", "exp_avg_sq")

    def _start(self, group: dict[str, Any], p: Tensor, state: dict[str, Any]) -> None:
        state["step"] = step_zero(group)
        state["mu_product"] = step_zero(group, 1.0)
        state["exp_avg"] = flambeau.zeros_like(p)
        state["exp_avg_sq"] = flambeau.zeros_like(p)

    def _key(self, group: dict[str, Any], names: tuple[str, ...], p: Tensor) -> Any:
        # Every parameter carries its own running product of momenta: each is updated by itself.
        return None

    def _one(self, group: dict[str, Any], names: tuple[str, ...], p: Tensor) -> None:
        state = self._state_of(group, names, p)
        if type(p._array) is np.ndarray and not p._grad.is_sparse:
            mu, _ = self._momenta(group, state["step"]._array.item() + 1)
            product = state["mu_product"]._array
            np.multiply(product, mu, out=product)
            group = {**group, "mu_product": product.item()}
        super()._one(group, names, p)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for p in group["params"]:
                own = self.state.get(p)
                if own and not isinstance(own.get("mu_product"), Tensor):
                    own["mu_product"] = step_zero(group, float(own["mu_product"]))

    @staticmethod
    def _momenta(group: dict[str, Any], step: Any) -> tuple[Any, Any]:
        beta1, decay = group["betas"][0], group["momentum_decay"]
        now = beta1 * (1.0 - 0.5 * (0.96 ** (step * decay)))
        following = beta1 * (1.0 - 0.5 * (0.96 ** ((step + 1) * decay)))
        return now, following

    def _rates(self, group: dict[str, Any], step: float) -> tuple[Any, ...]:
        beta1, beta2 = group["betas"]
        lr, decay = number(group["lr"]), group["weight_decay"]
        mu, mu_next = self._momenta(group, step)
        product = group["mu_product"]
        return (
            group["maximize"],
            0 if group["decoupled_weight_decay"] else decay,
            1 - lr * decay if group["decoupled_weight_decay"] and decay != 0 else 1,
            1 - beta1,
            beta2,
            1 - beta2**step,
            group["eps"],
            -lr * (1.0 - mu) / (1.0 - product),
            (-lr * mu_next) / (1.0 - product * mu_next),
        )

    @staticmethod
    def _update(
        rates: tuple[Any, ...], p: Array, g: Array, m: Array, v: Array, s: Array, d: Array
    ) -> None:
        maximize, decay, shrink, gain1, beta2, correction2, eps, of_gradient, of_average = rates
        if maximize:
            np.negative(g, out=g)
        if shrink != 1:
            np.multiply(p, shrink, out=p)
        if decay != 0:
            add_scaled(g, p, decay, s)
        lerp(m, g, gain1, s)
        np.multiply(v, beta2, out=v)
        addcmul(v, g, g, 1 - beta2, s)
        np.divide(v, correction2, out=d)
        np.sqrt(d, out=d)
        np.add(d, eps, out=d)
        addcdiv(p, g, d, of_gradient, s)
        addcdiv(p, m, d, of_average, s)

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
        mu, mu_next = self._momenta(group, step)
        product = state["mu_product"]
        product *= mu
        m.lerp_(grad, 1 - beta1)
        v.mul_(beta2).add_(grad * grad * (1 - beta2))
        denom = (v / (1 - beta2**step)).sqrt() + group["eps"]
        p.add_(grad * (-lr * (1.0 - mu) / (1.0 - product)) / denom)
        p.add_(m * (-lr * mu_next / (1.0 - product * mu_next)) / denom)
