"""CTC in float32: its sums are taken in PyTorch's order, so that its digits are PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np

import flambeau


def gradient(engine: Any) -> Any:
    drawn = np.random.default_rng(0)
    values = drawn.random((40, 6, 12)) * 6
    values -= np.log(np.exp(values).sum(2, keepdims=True))
    logs = engine.tensor(values.astype("f4")).requires_grad_()
    targets = engine.tensor(drawn.integers(1, 12, (6, 14)))
    sizes = engine.tensor([14, 9, 3, 1, 0, 12])
    lengths = engine.tensor([40, 33, 40, 7, 20, 31])
    loss = engine.nn.functional.ctc_loss(logs, targets, lengths, sizes, reduction="none")
    loss.sum().backward()
    return logs.grad


def test_digits(oracle: Any) -> None:
    ours, theirs = gradient(flambeau).flatten().tolist(), gradient(oracle).flatten().tolist()
    assert sum(a != b for a, b in zip(ours, theirs, strict=True)) <= 0.05 * len(ours)
    assert max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) <= 1e-5
