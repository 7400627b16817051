"""Which side is nearer? Where two results differ, the same sample is run by torch in double precision.

Inputs and cotangents are the sample's own, rounded as they were there, so that what float64 gives
is what both sides were after. The lists of what fails quote the answer. Stands on ``itself``'s tape.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .compare import Mismatch
from .itself import Tape, Taped

WIDE = {
    torch.float16: torch.float64,
    torch.bfloat16: torch.float64,
    torch.float32: torch.float64,
    torch.complex64: torch.complex128,
}
EQUAL = 1.5  # times as far: less is no difference between the sides


def measured(sample: Any, check: Any, dtype: torch.dtype, error: Exception) -> str:
    """How far both sides are from float64 where they differ, in words; empty if it says nothing."""
    if not isinstance(error, Mismatch) or error.sides is None or dtype not in WIDE:
        return ""
    try:
        tape = Tape()
        case = type(sample.case)(sample.info, Taped(tape))
        wide = type(sample)(sample.info, sample.sample.transform(_widened), case, dtype)
        check(wide)
        (truth,) = [note.values for note in tape.notes if note.at == error.at]
        *sides, apart = error.sides
        expected, actual = (np.abs(side - truth)[apart] for side in sides)
        return told(float(actual.max()), float(expected.max()))
    except Exception:  # in double precision the operator or the sample is another
        return ""


def told(ours: float, theirs: float) -> str:
    """The two distances in words."""
    if not (np.isfinite(ours) and np.isfinite(theirs)):
        return ""
    if not ours:
        return "ours is float64's"
    if theirs > EQUAL * ours:
        return f"PyTorch's is {theirs / ours:.1f} times as far from float64's"
    if ours > EQUAL * theirs:
        return f"ours is {ours / theirs if theirs else np.inf:.1f} times as far from float64's"
    return "both are equally far from float64's"


def _widened(value: Any) -> Any:
    if isinstance(value, torch.Tensor) and value.dtype in WIDE:
        return value.detach().to(WIDE[value.dtype]).requires_grad_(value.requires_grad)
    return WIDE.get(value, value) if isinstance(value, torch.dtype) else value
