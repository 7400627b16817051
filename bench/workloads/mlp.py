"""Perceptrons: a small one, where the engine's own cost counts, and a wide one, where GEMM does."""

from __future__ import annotations

from typing import Any

from bench.workloads.workload import Workload, labels, tensor, training, weigh


def perceptron(torch: Any, sizes: tuple[int, ...]) -> Any:
    """Linear layers with ReLU between."""
    nn = torch.nn
    layers = []
    for fan_in, fan_out in zip(sizes, sizes[1:]):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
    return weigh(torch, nn.Sequential(*layers[:-1]))


def step(sizes: tuple[int, ...], batch: int, optimizer: str, **options: Any) -> Any:
    """A training step of a perceptron on cross-entropy."""

    def build(torch: Any) -> Any:
        model = perceptron(torch, sizes)
        x, y = tensor(torch, batch, sizes[0], seed=99), labels(torch, batch, sizes[-1])
        made = getattr(torch.optim, optimizer)(model.parameters(), **options)
        cross_entropy = torch.nn.functional.cross_entropy
        return training(torch, model, made, lambda: cross_entropy(model(x), y))

    return build


def flops(sizes: tuple[int, ...], batch: int) -> float:
    """Forward, weight gradients, and input gradients of all but the first layer."""
    products = [2 * batch * a * b for a, b in zip(sizes, sizes[1:])]
    return 3 * sum(products) - products[0]


SMALL, WIDE = (64, 128, 10), (784, 1024, 1024, 10)


def table() -> list[Workload]:
    """The lines of this file."""
    return [
        Workload(
            "mlp", "64-128-10, batch 64, Adam", step(SMALL, 64, "Adam", lr=1e-3), 0.4,
            flops=flops(SMALL, 64),
        ),
        Workload(
            "mlp", "784-1024-1024-10, batch 128, SGD momentum",
            step(WIDE, 128, "SGD", lr=1e-3, momentum=0.9), 0.8, flops=flops(WIDE, 128),
        ),
    ]  # fmt: skip
