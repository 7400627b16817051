"""How far a value may be from torch's: one place for every comparison.

PyTorch's own table per dtype (`torch.testing`), widened only where an OpInfo says so for a test
that compares values on the CPU.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch.testing._comparison import default_tolerances
from torch.testing._internal.common_device_type import precisionOverride, toleranceOverride
from torch.testing._internal.opinfo.core import DecorateInfo

# PyTorch's test classes that hold an operator's values against another computation of them.
COMPARING = {
    None, "TestCommon", "TestUnaryUfuncs", "TestBinaryUfuncsDevice", "TestReductions", "TestMasked",
    "TestFFT", "TestMathBits", "TestOperators", "TestDecomp", "TestModule",
}  # fmt: skip
# Tests of other formats than the value of a result in its own dtype.
OTHER = {"test_complex_half_reference_testing", "test_numpy_ref_mps"}


class Tolerance(NamedTuple):
    """`|actual - expected| <= atol + rtol * |expected|`."""

    rtol: float
    atol: float


def of_dtype(name: str) -> Tolerance:
    """PyTorch's tolerance for the dtype of that name; integers are exact."""
    return Tolerance(*default_tolerances(getattr(torch, name)))


def overrides(info: Any) -> dict[str, Tolerance]:
    """dtype name -> the widest tolerance that the entry's own decorators declare for the CPU."""
    found: dict[str, Tolerance] = {}
    for decorator in info.decorators or ():
        inner = [decorator]
        if isinstance(decorator, DecorateInfo):
            applies = (
                decorator.cls_name in COMPARING
                and decorator.test_name not in OTHER
                and decorator.device_type in (None, "cpu")
                and (callable(decorator.active_if) or decorator.active_if)
            )
            inner = decorator.decorators if applies else []
        for item in inner:
            if isinstance(item, toleranceOverride):
                pairs = [(d, Tolerance(t.rtol, t.atol)) for d, t in item.d.items()]
            elif isinstance(item, precisionOverride):
                pairs = [(d, Tolerance(0.0, precision)) for d, precision in item.d.items()]
            else:
                continue
            for dtype, given in pairs:
                name = str(dtype).partition(".")[2]
                base = found.get(name) or of_dtype(name)
                found[name] = Tolerance(max(base.rtol, given.rtol), max(base.atol, given.atol))
    return found
