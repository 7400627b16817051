"""Which outputs require grad, and the gradients of all differentiable inputs.

One backward for each sample, over all differentiable outputs, with a fixed random cotangent.
"""

from __future__ import annotations

from typing import Any

from ..compare import TORCH, Mismatch
from ..sample import flat


def applies(info: Any, dtype: Any) -> bool:
    """True where PyTorch supports backward for the dtype."""
    return dtype in info.supported_backward_dtypes("cpu")


def check(sample: Any) -> None:
    """Compare `requires_grad` of the results, then the inputs' gradients."""
    expected, _ = sample.expect(lambda: sample.oracle.forward)
    actual, _ = sample.subject.forward
    flags = [t.requires_grad for t in flat(expected, TORCH)]
    ours = [bool(t.requires_grad) for t in flat(actual, sample.case.engine)]
    if flags != ours:
        raise Mismatch("requires_grad", f"outputs require grad {ours}, torch has {flags}")
    outputs, leaves = sample.expect(lambda: sample.oracle.processed)
    if not outputs or not leaves:
        return
    weights = sample.cotangents(outputs)
    wanted = sample.expect(
        lambda: TORCH.module.autograd.grad(
            outputs, leaves, weights, allow_unused=True, retain_graph=True
        )
    )
    outputs, leaves = sample.subject.processed
    grads = sample.case.engine.get("autograd").grad(
        outputs, leaves, sample.to_subject(weights), allow_unused=True, retain_graph=True
    )
    for index, (theirs, mine) in enumerate(zip(wanted, grads, strict=True)):
        if (theirs is None) != (mine is None):
            has = ["a gradient", "None"]
            raise Mismatch(
                "grad_none",
                f"grad[{index}] is {has[mine is None]}, torch has {has[theirs is None]}",
            )
        if theirs is not None:
            sample.compare(theirs, mine, f"grad[{index}]")
