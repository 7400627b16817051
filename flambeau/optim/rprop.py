"""Rprop: only the gradient's sign counts; each element has its own step size.

Reference: M. Riedmiller, H. Braun, A direct adaptive method for faster backpropagation learning:
the RPROP algorithm, IEEE ICNN 1993. Stands on `elementwise`.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

import flambeau
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.optim.elementwise import ElementwiseOptimizer, check_lr, number, step_zero
from flambeau.optim.inplace import Array
from flambeau.optim.optimizer import ParamsT

__all__ = ["Rprop"]


class Rprop(ElementwiseOptimizer):
    """Step sizes grow by ``etas[1]`` while the sign stays and shrink by ``etas[0]`` when it changes
    (that step is skipped).

    Args:
        params: parameters, named parameters or groups.
        lr: the first step size; a one-element tensor is allowed.
        etas: factors of shrinking and growing, on either side of 1.
        step_sizes: smallest and largest step.
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
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        name = type(self).__name__
        check_lr(name, lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise fail(
                ValueError,
                name,
                f"Invalid eta values: {etas[0]}, {etas[1]}; expected 0 < etas[0] < 1 < etas[1].",
            )
        super().__init__(
            params,
            {
                "lr": lr,
                "etas": etas,
                "step_sizes": step_sizes,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
                "capturable": capturable,
            },
        )

    def _buffers(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("prev", "step_size")

    def _start(self, group: dict[str, Any], p: Tensor, state: dict[str, Any]) -> None:
        lr = float(number(group["lr"]))
        state["step"] = step_zero(group)
        state["prev"] = flambeau.zeros_like(p)
        state["step_size"] = flambeau.full_like(p._grad, complex(lr, lr) if p.is_complex() else lr)

    def _rates(self, group: dict[str, Any], step: float) -> tuple[Any, ...]:
        return group["maximize"], *group["etas"], *group["step_sizes"]

    @staticmethod
    def _update(
        rates: tuple[Any, ...], p: Array, g: Array, prev: Array, size: Array, s: Array, d: Array
    ) -> None:
        maximize, shrink, grow, smallest, largest = rates
        if maximize:
            np.negative(g, out=g)
        np.multiply(g, prev, out=s)
        turned = s < 0
        d.fill(1)
        d[s > 0] = grow
        d[turned] = shrink
        np.multiply(size, d, out=size)
        np.clip(size, smallest, largest, out=size)
        g[turned] = 0
        np.sign(g, out=s)
        np.multiply(s, size, out=s)
        np.subtract(p, s, out=p)
        np.copyto(prev, g)

    def _formula(
        self, group: dict[str, Any], p: Tensor, grad: Tensor, state: dict[str, Any]
    ) -> None:
        shrink, grow = group["etas"]
        prev, size = state["prev"], state["step_size"]
        if p.is_complex():
            p, grad, prev, size = (flambeau.view_as_real(t) for t in (p, grad, prev, size))
        sign = (grad * prev.clone()).sign()
        factor = flambeau.where(sign > 0, grow, flambeau.where(sign < 0, shrink, 1.0)).to(
            size.dtype
        )
        size.mul_(factor).clamp_(*group["step_sizes"])
        grad = flambeau.where(sign < 0, flambeau.zeros_like(grad), grad)
        p.sub_(grad.sign() * size.clone())
        prev.copy_(grad)
