"""Adafactor: the second moment of a matrix kept as one row and one column.

Reference: N. Shazeer, M. Stern, Adafactor: Adaptive Learning Rates with Sublinear Memory Cost,
2018, arXiv:1804.04235. Stands on `optimizer`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.optim.elementwise import check_lr, number, step_zero
from flambeau.optim.optimizer import Optimizer, ParamsT

__all__ = ["Adafactor"]


class Adafactor(Optimizer):
    """The step is the gradient over the root of an outer product of its squared row and column
    means, clipped by `d`.

    Args:
        params: real parameters.
        lr: upper bound of the relative step; a one-element tensor is allowed.
        beta2_decay: the average's decay is ``1 - t ** beta2_decay``.
        eps: smallest second moment (None: the dtype's epsilon) and smallest size of a parameter.
        d: clipping threshold, at least 1.
        weight_decay: ``p *= 1 - lr * weight_decay`` before each step.
        maximize: follow the gradient upward.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        check_lr(type(self).__name__, lr)
        rows = (
            (not 0.0 >= beta2_decay, f"beta2_decay should be <= 0 but is: {beta2_decay}"),
            (eps[0] is not None and not 0.0 <= eps[0], f"epsilon1 should be >= 0 but is: {eps[0]}"),
            (not 0.0 <= eps[1], f"epsilon2 should be >= 0 but is: {eps[1]}"),
            (not 1.0 <= d, f"Clipping threshold d should be >= 1 but is: {d}"),
            (not 0.0 <= weight_decay, f"weight_decay should be >= 0 but is: {weight_decay}"),
        )
        for wrong, message in rows:
            if wrong:
                raise fail(ValueError, type(self).__name__, message)
        super().__init__(
            params,
            {
                "lr": lr,
                "beta2_decay": beta2_decay,
                "eps": eps,
                "d": d,
                "weight_decay": weight_decay,
                "foreach": foreach,
                "maximize": maximize,
            },
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("foreach", None)
            for p in group["params"]:
                own = self.state.get(p)
                if own and not isinstance(own["step"], Tensor):
                    own["step"] = step_zero(group, float(own["step"]))

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient once."""
        loss = self._loss(closure)
        with flambeau.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        self._one(group, p)
        return loss

    def _start(self, group: dict[str, Any], grad: Tensor, state: dict[str, Any]) -> None:
        state["step"] = step_zero(group)
        shape = list(grad.shape)
        if len(shape) > 1:
            state["row_var"] = grad.new_zeros([*shape[:-1], 1])
            state["col_var"] = grad.new_zeros([*shape[:-2], 1, shape[-1]])
        else:
            state["variance"] = flambeau.zeros_like(grad)

    def _one(self, group: dict[str, Any], p: Tensor) -> None:
        grad: Any = p.grad
        if p.is_complex():
            raise fail(RuntimeError, "Adafactor", "Adafactor does not support complex parameters")
        if grad.is_sparse:
            raise fail(RuntimeError, "Adafactor", "Adafactor does not support sparse gradients")
        state = self.state[p]
        if not state:
            self._start(group, grad, state)
        if group["maximize"]:
            grad = -grad
        lr, (eps1, eps2) = number(group["lr"]), group["eps"]
        eps1 = flambeau.finfo(p.dtype).eps if eps1 is None else eps1
        state["step"] += 1
        step = state["step"].item()
        gain = step ** group["beta2_decay"]
        alpha = max(eps2, p.norm(2).item() / p.numel() ** 0.5) * min(lr, 1 / step**0.5)
        if group["weight_decay"] != 0:
            p.mul_(1 - float(lr) * group["weight_decay"])
        if grad.dim() > 1:
            rows, columns = state["row_var"], state["col_var"]
            rows.lerp_(grad.norm(dim=-1, keepdim=True).square_().div_(grad.size(-1)), gain)
            columns.lerp_(grad.norm(dim=-2, keepdim=True).square_().div_(grad.size(-2)), gain)
            variance = rows @ columns
            variance.div_(rows.mean(dim=-2, keepdim=True).clamp_(min=eps1))
        else:
            state["variance"].lerp_(grad * grad, gain)
            variance = state["variance"].clone()
        update = variance.clamp_(min=eps1 * eps1).rsqrt_().mul_(grad)
        clip = max(1.0, update.norm(2).item() / (update.numel() ** 0.5 * group["d"]))
        p.add_(update, alpha=float(-alpha / clip))
