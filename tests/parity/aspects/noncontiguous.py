"""The same operator on inputs that are not contiguous: the result torch gives for them."""

from __future__ import annotations

from typing import Any

from . import forward


def applies(info: Any, dtype: Any) -> bool:
    """Every operator that takes tensors."""
    return not info.is_factory_function


def check(sample: Any) -> None:
    """Run the forward comparison on the sample's non-contiguous form."""
    from ..sample import Sample

    strided = sample.expect(lambda: sample.sample.noncontiguous())
    forward.check(Sample(sample.info, strided, sample.case))
