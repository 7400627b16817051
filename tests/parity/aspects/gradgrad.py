"""Double backward: gradients of the first gradients, held against torch's double backward.

The first backward keeps its graph; its results are weighted with a second fixed cotangent and
differentiated by the inputs and by the first cotangent.
"""

from __future__ import annotations

from typing import Any

import torch

from ..compare import TORCH, Mismatch
from ..convert import dtype_name
from ..engine import Engine
from ..sample import SEED, Side


def applies(info: Any, dtype: Any) -> bool:
    """True where PyTorch supports double backward for the dtype (half types lose too much)."""
    return (
        info.supports_gradgrad
        and dtype in info.supported_backward_dtypes("cpu")
        and dtype in (torch.float32, torch.float64, torch.complex64, torch.complex128)
    )


def _first(engine: Engine, side: Side, weights: list[Any]) -> tuple[list[Any], list[Any]]:
    outputs, leaves = side.processed
    grads = engine.get("autograd").grad(
        outputs, leaves, weights, allow_unused=True, create_graph=True
    )
    return [g for g in grads if g is not None and g.requires_grad], [*leaves, *weights]


def check(sample: Any) -> None:
    """Compare second derivatives with torch's."""
    outputs, leaves = sample.expect(lambda: sample.oracle.processed)
    if not outputs or not leaves:
        return
    weights = [w.requires_grad_() for w in sample.cotangents(outputs)]
    firsts, sources = sample.expect(lambda: _first(TORCH, sample.oracle, weights))
    if not firsts:
        return
    second = sample.cotangents(firsts, SEED + 1)
    wanted = sample.expect(
        lambda: torch.autograd.grad(firsts, sources, second, allow_unused=True, retain_graph=True)
    )
    engine = sample.case.engine
    ours, sources = _first(engine, sample.subject, sample.to_subject(weights))
    if len(ours) != len(firsts):
        raise Mismatch(
            "requires_grad",
            f"{len(ours)} first gradients require grad, in torch {len(firsts)}",
        )
    grads = engine.get("autograd").grad(
        ours, sources, sample.to_subject(second), allow_unused=True, retain_graph=True
    )
    for index, (theirs, mine) in enumerate(zip(wanted, grads, strict=True)):
        # A second derivative that is zero may be left out of the graph by either side.
        if theirs is None and mine is None:
            continue
        if theirs is None:
            theirs = torch.zeros(tuple(mine.shape), dtype=getattr(torch, dtype_name(mine)))
        if mine is None:
            if bool((theirs != 0).any()):
                raise Mismatch("grad_none", f"gradgrad[{index}] is None, torch has a gradient")
            continue
        sample.compare(theirs, mine, f"gradgrad[{index}]")
