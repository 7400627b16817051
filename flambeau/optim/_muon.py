"""Muon: momentum whose matrix is replaced by the nearest orthogonal one before the step.

Reference: K. Jordan, Muon: An optimizer for hidden layers in neural networks, 2024,
https://kellerjordan.github.io/posts/muon; J. Liu and others, Muon is Scalable for LLM Training,
2025, arXiv:2502.16982. Stands on `optimizer`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import flambeau
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.optim.elementwise import check_lr, number
from flambeau.optim.optimizer import Optimizer, ParamsT

__all__ = ["Muon"]


class Muon(Optimizer):
    """``b = lerp(b, g, 1 - momentum); p = (1 - lr * weight_decay) p - lr' * orthogonal(b)`` for
    matrices.

    Args:
        params: parameters with two dimensions; biases and embeddings go to another optimizer.
        lr: learning rate.
        weight_decay: decoupled decay.
        momentum: decay of the buffer.
        nesterov: look ahead.
        ns_coefficients: the quintic's three coefficients.
        eps: smallest norm that is divided by.
        ns_steps: iterations, fewer than 100.
        adjust_lr_fn: "original" (the default) or "match_rms_adamw": how the step follows the
            matrix' shape.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        known = (None, "original", "match_rms_adamw")
        check_lr(type(self).__name__, lr)
        rows = (
            (not 0.0 <= momentum, f"momentum should be >= 0 but is: {momentum}"),
            (not 0.0 <= weight_decay, f"weight decay should be >= 0 but is: {weight_decay}"),
            (
                adjust_lr_fn not in known,
                f"Adjust learning rate function {adjust_lr_fn} is not supported, one of {known}",
            ),
        )
        for wrong, message in rows:
            if wrong:
                raise fail(ValueError, type(self).__name__, message)
        super().__init__(
            params,
            {
                "lr": lr,
                "weight_decay": weight_decay,
                "momentum": momentum,
                "nesterov": nesterov,
                "ns_coefficients": ns_coefficients,
                "eps": eps,
                "ns_steps": ns_steps,
                "adjust_lr_fn": adjust_lr_fn,
            },
        )
        for group in self.param_groups:
            for p in group["params"]:
                if p.ndim != 2:
                    raise fail(
                        ValueError,
                        "Muon",
                        f"Muon only supports 2D parameters whereas we found a parameter with "
                        f"size: {p.size()}. "
                        "Give biases and embeddings to AdamW.",
                    )

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every matrix that has a gradient once."""
        loss = self._loss(closure)
        with flambeau.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        self._one(group, p)
        return loss

    def _one(self, group: dict[str, Any], p: Tensor) -> None:
        grad: Any = p.grad
        if p.is_complex():
            raise fail(RuntimeError, "Muon", "Muon does not support complex parameters")
        if grad.is_sparse:
            raise fail(RuntimeError, "Muon", "Muon does not support sparse gradients")
        state = self.state[p]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = flambeau.zeros_like(grad)
        buffer, momentum, lr = (
            state["momentum_buffer"],
            group["momentum"],
            float(number(group["lr"])),
        )
        buffer.lerp_(grad, 1 - momentum)
        update = grad.lerp(buffer, momentum) if group["nesterov"] else buffer
        update = orthogonal(update, group["ns_coefficients"], group["ns_steps"], group["eps"])
        p.mul_(1 - lr * group["weight_decay"])
        p.add_(update, alpha=-lr * _ratio(group["adjust_lr_fn"], *p.shape[:2]))


def _ratio(kind: str | None, rows: int, columns: int) -> float:
    if kind == "match_rms_adamw":
        return 0.2 * math.sqrt(max(rows, columns))
    return math.sqrt(max(1, rows / columns))


def orthogonal(
    matrix: Tensor, coefficients: tuple[float, float, float], steps: int, eps: float
) -> Tensor:
    """Near ``U V^T`` of the singular value decomposition, in bfloat16, by the iteration ``X = aX +
    (bA + cA^2)X``, ``A = XX^T``."""
    if steps >= 100:
        raise fail(
            ValueError,
            "Muon",
            f"Number of steps must be less than 100 for computational efficiency, given {steps}",
        )
    if len(coefficients) != 3:
        raise fail(
            ValueError,
            "Muon",
            f"Coefficients must be a tuple of exactly 3 values, given {coefficients}",
        )
    a, b, c = coefficients
    x = matrix.bfloat16()
    tall = matrix.size(0) > matrix.size(1)
    if tall:
        x = x.T
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.T
        x = flambeau.addmm(x, flambeau.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x
