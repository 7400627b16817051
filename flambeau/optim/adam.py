"""Adam: steps scaled by running averages of the gradient and of its square.

Reference: D. Kingma, J. Ba, Adam: A Method for Stochastic Optimization, 2014, arXiv:1412.6980.
`amsgrad`: S. Reddi, S. Kale, S. Kumar, On the Convergence of Adam and Beyond, 2018,
arXiv:1904.09237. Stands on `elementwise`.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

import flambeau
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.optim.elementwise import (
    ElementwiseOptimizer,
    check_averages,
    check_fused,
    check_lr,
    number,
    scalar,
)
from flambeau.optim.inplace import Array, add_scaled, addcmul, lerp
from flambeau.optim.optimizer import ParamsT

__all__ = ["Adam"]


class Adam(ElementwiseOptimizer):
    """Adam: ``m += (1-b1)(g-m); v = b2 v + (1-b2) g^2; p -= lr * (m / (1-b1^t)) / (sqrt(v /
    (1-b2^t)) + eps)``.

    Args:
        params: parameters, named parameters or groups.
        lr: learning rate; a one-element tensor is allowed.
        betas: decay of the two averages, in [0, 1); two floats or two one-element tensors.
        eps: added to the denominator.
        weight_decay: factor of ``p`` added to the gradient (with `decoupled_weight_decay` taken
            from ``p`` itself).
        amsgrad: divide by the largest ``v`` so far.
        maximize: follow the gradient upward.
        differentiable: record the step for autograd.
    """

    _sparse_hint = ", please consider SparseAdam instead"
    _options: ClassVar[dict[str, Any]] = {
        "amsgrad": False,
        "maximize": False,
        "foreach": None,
        "capturable": False,
        "differentiable": False,
        "decoupled_weight_decay": False,
        "fused": None,
    }

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        name = type(self).__name__
        check_lr(name, lr, foreach, capturable)
        check_averages(name, eps, betas, weight_decay)
        self._check_betas(name, betas, foreach, capturable)
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": tuple(scalar(beta) for beta in betas),
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "maximize": maximize,
                "foreach": foreach,
                "capturable": capturable,
                "differentiable": differentiable,
                "fused": fused,
                "decoupled_weight_decay": decoupled_weight_decay,
            },
        )
        check_fused(self, fused, foreach, differentiable)

    @staticmethod
    def _check_betas(name: str, betas: Any, foreach: bool | None, capturable: bool) -> None:
        tensors = [isinstance(beta, Tensor) for beta in betas]
        if not (all(tensors) or all(isinstance(beta, float) for beta in betas)):
            kinds = ", ".join(type(beta).__name__ for beta in betas)
            raise fail(
                ValueError, name, f"betas must be either both floats or both Tensors, given {kinds}"
            )
        for index, beta in enumerate(betas):
            if not isinstance(beta, Tensor):
                continue
            if foreach and not capturable:
                raise fail(
                    ValueError,
                    name,
                    f"betas[{index}] as a Tensor is not supported for capturable=False and "
                    f"foreach=True",
                )
            if beta.numel() != 1:
                raise fail(ValueError, name, f"Tensor betas[{index}] must be 1-element")

    def _buffers(self, group: dict[str, Any]) -> tuple[str, ...]:
        if group["amsgrad"]:
            return ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")
        return ("exp_avg", "exp_avg_sq")

    def _rates(self, group: dict[str, Any], step: float) -> tuple[Any, ...]:
        beta1, beta2 = group["betas"]
        lr, beta1, beta2 = number(group["lr"]), number(beta1), number(beta2)
        decay = number(group["weight_decay"])
        return (
            group["maximize"],
            0 if group["decoupled_weight_decay"] else decay,
            1 - lr * decay if group["decoupled_weight_decay"] and decay != 0 else 1,
            1 - beta1,
            beta2,
            1 - beta2,
            -lr / (1 - beta1**step),
            (1 - beta2**step) ** 0.5,
            group["eps"],
            group["amsgrad"],
        )

    @staticmethod
    def _update(
        rates: tuple[Any, ...], p: Array, g: Array, m: Array, v: Array, *rest: Array
    ) -> None:
        maximize, decay, shrink, gain1, beta2, gain2, step_size, root2, eps, amsgrad = rates
        s, d = rest[-2:]
        if maximize:
            np.negative(g, out=g)
        if shrink != 1:
            np.multiply(p, shrink, out=p)
        if decay != 0:
            add_scaled(g, p, decay, s)
        lerp(m, g, gain1, s)
        np.multiply(v, beta2, out=v)
        addcmul(v, g, g, gain2, s)
        if amsgrad:
            np.maximum(rest[0], v, out=rest[0])
            v = rest[0]
        np.sqrt(v, out=d)
        np.divide(d, root2, out=d)
        np.add(d, eps, out=d)
        np.multiply(m, step_size, out=s)
        np.divide(s, d, out=s)
        np.add(p, s, out=p)

    def _formula(
        self, group: dict[str, Any], p: Tensor, grad: Tensor, state: dict[str, Any]
    ) -> None:
        lr, decay, eps = scalar(group["lr"]), group["weight_decay"], group["eps"]
        beta1, beta2 = group["betas"]
        if decay != 0 and group["decoupled_weight_decay"]:
            p.mul_(1 - lr * decay)
        elif decay != 0:
            grad = grad + p.clone() * decay
        names = self._buffers(group)
        buffers = [state[name] for name in names]
        if p.is_complex():
            p, grad, *buffers = [flambeau.view_as_real(t) for t in (p, grad, *buffers)]
        m, v = buffers[:2]
        step = state["step"].clone()
        m.lerp_(grad, 1 - beta1)
        v.mul_(beta2).add_(grad * grad * (1 - beta2))
        step_size = lr / (1 - beta1**step)
        root2 = (1 - beta2**step).sqrt()
        if group["amsgrad"]:
            buffers[2].copy_(flambeau.maximum(buffers[2].clone(), v))
            v = buffers[2]
        p.add_(m.clone() * -step_size / (v.sqrt() / root2 + eps))
