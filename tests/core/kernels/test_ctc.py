"""CTC in float32: its sums are taken in PyTorch's order, so that its digits are PyTorch's."""

from __future__ import annotations

from typing import Any

import flambeau


def gradient(engine: Any) -> Any:
    engine.manual_seed(0)
    steps, batch, classes, width = 40, 6, 12, 14
    logs = engine.rand(steps, batch, classes).mul(6).log_softmax(2).detach().requires_grad_()
    targets = engine.randint(1, classes, (batch, width))
    sizes = engine.tensor([14, 9, 3, 1, 0, 12])
    lengths = engine.tensor([40, 33, 40, 7, 20, 31])
    loss = engine.nn.functional.ctc_loss(logs, targets, lengths, sizes, reduction="none")
    loss.sum().backward()
    return logs.grad


def test_digits(oracle: Any) -> None:
    ours, theirs = gradient(flambeau).flatten().tolist(), gradient(oracle).flatten().tolist()
    assert sum(a != b for a, b in zip(ours, theirs, strict=True)) <= 0.05 * len(ours)
    assert max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) <= 1e-5
