"""Stochastic gradient descent, with momentum and Nesterov's form of it.

Reference: I. Sutskever, J. Martens, G. Dahl, G. Hinton, On the importance of initialization and
momentum in deep learning, ICML 2013. Stands on `elementwise`.
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
)
from flambeau.optim.inplace import Array, add_scaled
from flambeau.optim.optimizer import ParamsT

__all__ = ["SGD"]


class SGD(ElementwiseOptimizer):
    """``b = momentum * b + (1 - dampening) * g; p -= lr * b`` (Nesterov: ``p -= lr * (g + momentum
    * b)``).

    Args:
        params: parameters, named parameters or groups.
        lr: learning rate; a one-element tensor is allowed.
        momentum: decay of the buffer; 0 for plain descent. The first step sets ``b = g``.
        dampening: how much of the gradient is kept from the buffer.
        weight_decay: factor of ``p`` added to the gradient.
        nesterov: look ahead; needs momentum and no dampening.
        maximize: follow the gradient upward.
        differentiable: record the step for autograd.
    """

    _spare = 1
    _counts = False
    _options: ClassVar[dict[str, Any]] = {
        "nesterov": False,
        "maximize": False,
        "foreach": None,
        "differentiable": False,
        "fused": False,
    }

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        name = type(self).__name__
        check_lr(name, lr, nan=True)  # PyTorch's SGD alone takes NaN
        check_numbers(
            name,
            ("momentum value", momentum, momentum >= 0.0, "a number of at least 0"),
            (
                "weight_decay value",
                weight_decay,
                bool(number(weight_decay) >= 0.0),
                "a number of at least 0",
            ),
        )
        if nesterov and (momentum <= 0 or dampening != 0):
            raise fail(
                ValueError,
                name,
                "Nesterov momentum requires a momentum and zero dampening, "
                f"given momentum={momentum}, dampening={dampening}",
            )
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
                "maximize": maximize,
                "foreach": foreach,
                "differentiable": differentiable,
                "fused": fused,
            },
        )
        check_fused(self, fused, foreach, differentiable)

    def _buffers(self, group: dict[str, Any]) -> tuple[str, ...]:
        return ("momentum_buffer",) if group["momentum"] != 0 else ()

    def _state_of(self, group: dict[str, Any], names: tuple[str, ...], p: Tensor) -> dict[str, Any]:
        if not names:
            return {}
        state: dict[str, Any] = self.state[p]
        if state.get("momentum_buffer") is None and not (
            group["differentiable"] or p._grad.is_sparse
        ):
            state["momentum_buffer"] = flambeau.zeros_like(p)
            if group["dampening"] != 0:
                self.__dict__.setdefault("_fresh", set()).add(id(p))
        return state

    def _key(self, group: dict[str, Any], names: tuple[str, ...], p: Tensor) -> Any:
        key = super()._key(group, names, p)
        # The first gradient enters an empty buffer undamped: such a parameter goes alone once.
        return None if id(p) in self.__dict__.get("_fresh", ()) else key

    def _one(self, group: dict[str, Any], names: tuple[str, ...], p: Tensor) -> None:
        self._state_of(group, names, p)
        fresh: set[int] = self.__dict__.get("_fresh", set())
        if id(p) in fresh:
            fresh.discard(id(p))
            self._plans.clear()
            super()._one({**group, "dampening": 0}, names, p)
        else:
            super()._one(group, names, p)

    def _rates(self, group: dict[str, Any], step: float) -> tuple[Any, ...]:
        return (
            group["maximize"],
            number(group["weight_decay"]),
            group["momentum"],
            1 - group["dampening"],
            group["nesterov"],
            -number(group["lr"]),
        )

    @staticmethod
    def _update(rates: tuple[Any, ...], p: Array, g: Array, *rest: Array) -> None:
        maximize, decay, momentum, gain, nesterov, step_size = rates
        s = rest[-1]
        if maximize:
            np.negative(g, out=g)
        if decay != 0:
            add_scaled(g, p, decay, s)
        if momentum != 0:
            buffer = rest[0]
            np.multiply(buffer, momentum, out=buffer)
            if gain == 1:
                np.add(buffer, g, out=buffer)
            else:
                add_scaled(buffer, g, gain, s)
            if nesterov:
                add_scaled(g, buffer, momentum, s)
            else:
                g = buffer
        add_scaled(p, g, step_size, s)

    def _sparse(
        self, group: dict[str, Any], p: Tensor, grad: Tensor, state: dict[str, Any]
    ) -> None:
        with flambeau.no_grad():
            self._formula(group, p, -grad if group["maximize"] else grad, state)

    def _formula(
        self, group: dict[str, Any], p: Tensor, grad: Tensor, state: dict[str, Any]
    ) -> None:
        lr, decay, momentum = scalar(group["lr"]), group["weight_decay"], group["momentum"]
        if isinstance(decay, Tensor) or decay != 0:
            grad = grad + p.clone() * decay
        if momentum != 0:
            buffer = state.get("momentum_buffer")
            if buffer is None:
                buffer = state["momentum_buffer"] = grad.detach().clone()
            else:
                buffer.mul_(momentum).add_(grad, alpha=1 - group["dampening"])
            grad = grad.add(buffer, alpha=momentum) if group["nesterov"] else buffer
        if isinstance(lr, Tensor):
            p.add_(grad * -lr)
        else:
            p.add_(grad, alpha=-lr)
