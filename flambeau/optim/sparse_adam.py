"""SparseAdam: Adam that reads and writes only the rows a sparse gradient names.

Reference: D. Kingma, J. Ba, Adam: A Method for Stochastic Optimization, 2014, arXiv:1412.6980.
Stands on `optimizer`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.optim.elementwise import check_lr, check_numbers, number
from flambeau.optim.optimizer import Optimizer, ParamsT

__all__ = ["SparseAdam"]


class SparseAdam(Optimizer):
    """Adam for dense parameters with sparse gradients (``nn.Embedding(sparse=True)``): untouched
    rows keep their averages.

    Args:
        params: dense, real parameters.
        lr: learning rate, above 0; a one-element tensor is allowed.
        betas: decay of the two averages, in [0, 1).
        eps: added to the denominator, above 0.
        maximize: follow the gradient upward.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        name = type(self).__name__
        check_lr(name, lr)
        check_numbers(
            name,
            ("learning rate", lr, bool(lr > 0.0), "a number above 0"),
            ("epsilon value", eps, eps > 0.0, "a number above 0"),
            ("beta parameter at index 0", betas[0], 0.0 <= betas[0] < 1.0, "a number in [0, 1)"),
            ("beta parameter at index 1", betas[1], 0.0 <= betas[1] < 1.0, "a number in [0, 1)"),
        )
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})
        places = [
            ([i, j], p)
            for i, group in enumerate(self.param_groups)
            for j, p in enumerate(group["params"])
        ]
        sparse = [place for place, p in places if p.is_sparse]
        if sparse:
            raise fail(
                ValueError,
                name,
                f"Sparse params at indices {sparse}: SparseAdam requires dense parameter tensors",
            )
        numbers = [place for place, p in places if p.is_complex()]
        if numbers:
            raise fail(
                ValueError,
                name,
                f"Complex params at indices {numbers}: SparseAdam does not support complex "
                f"parameters",
            )

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change the rows that each gradient names once."""
        loss = self._loss(closure)
        with flambeau.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        self._one(group, p)
        return loss

    def _one(self, group: dict[str, Any], p: Tensor) -> None:
        grad: Any = p.grad
        if not grad.is_sparse:
            raise fail(
                RuntimeError,
                "SparseAdam",
                "SparseAdam does not support dense gradients, please consider Adam instead",
            )
        state = self.state[p]
        if not state:
            state["step"] = 0
            state["exp_avg"] = flambeau.zeros_like(p)
            state["exp_avg_sq"] = flambeau.zeros_like(p)
        state["step"] += 1
        grad = (
            -grad if group.get("maximize", False) else grad
        ).coalesce()  # the update is not linear
        values = grad._values()
        if values.numel() == 0:
            return
        where = tuple(grad._indices())
        beta1, beta2 = group["betas"]
        step = state["step"]
        m, v = state["exp_avg"], state["exp_avg_sq"]
        old_m, old_v = m[where], v[where]
        new_m = (values - old_m) * (1 - beta1) + old_m
        new_v = (values * values - old_v) * (1 - beta2) + old_v
        m[where], v[where] = new_m, new_v
        size = number(group["lr"]) * math.sqrt(1 - beta2**step) / (1 - beta1**step)
        p[where] += -size * (new_m / (new_v.sqrt() + group["eps"]))
