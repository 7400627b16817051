"""Work along rows, and elementwise work on large arrays: memory is what it costs."""

from __future__ import annotations

from typing import Any

from bench.workloads.workload import Workload, labels, tensor

FLOAT = 4  # bytes


def cross_entropy(rows: int, classes: int) -> Any:
    """Forward and backward."""

    def build(torch: Any) -> Any:
        x, y = tensor(torch, rows, classes, grad=True), labels(torch, rows, classes)

        def once() -> Any:
            x.grad = None
            loss = torch.nn.functional.cross_entropy(x, y)
            loss.backward()
            return [loss.detach(), x.grad[3, :5]]

        return once

    return build


def layer_norm(rows: int, width: int) -> Any:
    """Forward and backward, with weight and bias."""

    def build(torch: Any) -> Any:
        x, up = tensor(torch, rows, width, grad=True), tensor(torch, rows, width, seed=1)
        weight, bias = tensor(torch, width, seed=2, grad=True), tensor(torch, width, grad=True)

        def once() -> Any:
            x.grad = weight.grad = bias.grad = None
            y = torch.nn.functional.layer_norm(x, (width,), weight, bias)
            y.backward(up)
            return [y.detach()[2, :5], x.grad[3, :5], weight.grad[:5], bias.grad[:5]]

        return once

    return build


def gelu(count: int) -> Any:
    """gelu(2x + y), no gradient."""

    def build(torch: Any) -> Any:
        x, y = tensor(torch, count), tensor(torch, count, seed=1)
        return lambda: torch.nn.functional.gelu(2 * x + y)[:10]

    return build


def table() -> list[Workload]:
    """The lines of this file."""
    million = 4 * 1024 * 1024
    return [
        Workload("rows", "cross-entropy (2048, 4096), with gradient", cross_entropy(2048, 4096),
                 0.6, moved=FLOAT * 3 * 2048 * 4096),
        Workload("rows", "layer norm (4096, 1024), with gradient", layer_norm(4096, 1024),
                 0.6, moved=FLOAT * 5 * 4096 * 1024, tolerance=1e-3),
        Workload("rows", "gelu(2x + y), 4 million", gelu(million), 0.8, moved=FLOAT * 3 * million),
    ]  # fmt: skip
