"""Strides of the results, in dimensions longer than one (others carry no meaning)."""

from __future__ import annotations

from typing import Any

from ..compare import TORCH, Mismatch
from ..sample import flat


def _significant(tensor: Any) -> list[int]:
    pairs = zip(tensor.shape, tensor.stride(), strict=True)
    return [step for length, step in pairs if length > 1]


def check(sample: Any) -> None:
    """Compare the strides of every dense, non-empty result."""
    expected, _ = sample.expect(lambda: sample.oracle.forward)
    actual, _ = sample.subject.forward
    ours = flat(actual, sample.case.engine)
    for index, theirs in enumerate(flat(expected, TORCH)):
        if str(theirs.layout) != "torch.strided" or theirs.numel() == 0:
            continue
        if _significant(theirs) != _significant(ours[index]):
            raise Mismatch(
                "strides",
                f"out[{index}] {tuple(theirs.shape)}: strides {tuple(ours[index].stride())}, "
                f"torch has {theirs.stride()}",
            )
