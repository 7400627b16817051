"""Adagrad: steps scaled by the sum of all squared gradients so far.

Reference: J. Duchi, E. Hazan, Y. Singer, Adaptive Subgradient Methods for Online Learning and
Stochastic Optimization, JMLR 12, 2011. Stands on `elementwise`.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

import flambeau
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.optim.elementwise import (
    ElementwiseOptimizer,
    check_fused,
    check_lr,
    check_numbers,
    number,
    scalar,
    step_zero,
)
from flambeau.optim.inplace import Array, add_scaled, addcdiv
from flambeau.optim.optimizer import ParamsT

__all__ = ["Adagrad"]


class Adagrad(ElementwiseOptimizer):
    """``v += g^2; p -= lr / (1 + (t - 1) * lr_decay) * g / (sqrt(v) + eps)``.

    Args:
        params: parameters, named parameters or groups.
        lr: learning rate; a one-element tensor is allowed.
        lr_decay: how fast the learning rate falls.
        weight_decay: factor of ``p`` added to the gradient; not with sparse gradients.
        initial_accumulator_value: where the sum starts.
        eps: added to the root.
        maximize: follow the gradient upward.
        differentiable: record the step for autograd.
    """

    _options: ClassVar[dict[str, Any]] = {
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "fused": None,
    }

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        name = type(self).__name__
        check_lr(name, lr)
        first = initial_accumulator_value
        check_numbers(
            name,
            ("lr_decay value", lr_decay, lr_decay >= 0.0, "a number of at least 0"),
            ("weight_decay value", weight_decay, weight_decay >= 0.0, "a number of at least 0"),
            ("initial_accumulator_value value", first, first >= 0.0, "a number of at least 0"),
            ("epsilon value", eps, eps >= 0.0, "a number of at least 0"),
        )
        super().__init__(
            params,
            {
                "lr": lr,
                "lr_decay": lr_decay,
                "eps": eps,
                "weight_decay": weight_decay,
                "initial_accumulator_value": initial_accumulator_value,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
                "fused": fused,
            },
        )
        check_fused(self, fused, foreach, differentiable)
        for group in self.param_groups:
            for p in group["params"]:
                self._start(group, p, self.state[p])

    def share_memory(self) -> None:
        """Move the state into memory that child processes share."""
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p]["sum"].share_memory_()

    def _buffers(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("sum",)

    def _start(self, group: dict[str, Any], p: Tensor, state: dict[str, Any]) -> None:
        first = self.defaults["initial_accumulator_value"]
        state["step"] = step_zero(group)
        state["sum"] = flambeau.full_like(p, complex(first, first) if p.is_complex() else first)

    def _rates(self, group: dict[str, Any], step: float) -> tuple[Any, ...]:
        rate = number(group["lr"]) / (1 + (step - 1) * group["lr_decay"])
        return group["maximize"], group["weight_decay"], -rate, group["eps"]

    @staticmethod
    def _update(rates: tuple[Any, ...], p: Array, g: Array, v: Array, s: Array, d: Array) -> None:
        maximize, decay, step_size, eps = rates
        if maximize:
            np.negative(g, out=g)
        if decay != 0:
            add_scaled(g, p, decay, s)
        np.multiply(g, g, out=s)
        np.add(v, s, out=v)
        np.sqrt(v, out=d)
        np.add(d, eps, out=d)
        addcdiv(p, g, d, step_size, s)

    def _formula(
        self, group: dict[str, Any], p: Tensor, grad: Tensor, state: dict[str, Any]
    ) -> None:
        if group["weight_decay"] != 0:
            grad = grad.add(p, alpha=group["weight_decay"])
        rate = scalar(group["lr"]) / (1 + (state["step"].item() - 1) * group["lr_decay"])
        v = state["sum"]
        if p.is_complex():
            p, grad, v = (flambeau.view_as_real(t) for t in (p, grad, v))
        v.add_(grad * grad)
        p.add_(grad * -rate / (v.sqrt() + group["eps"]))

    def _sparse(
        self, group: dict[str, Any], p: Tensor, grad: Tensor, state: dict[str, Any]
    ) -> None:
        """Only the rows that the gradient names are read and written."""
        if group["weight_decay"] != 0:
            raise fail(
                RuntimeError,
                "Adagrad",
                "weight_decay option is not compatible with sparse gradients",
            )
        with flambeau.no_grad():
            step = self._count(state)
            grad = (-grad if group["maximize"] else grad).coalesce()  # the update is not linear
            rate = number(group["lr"]) / (1 + (step - 1) * group["lr_decay"])
            where = tuple(grad._indices())
            values = grad._values()
            squares = state["sum"]
            squares[where] += values * values
            p[where] -= rate * values / (squares[where].sqrt() + group["eps"])
