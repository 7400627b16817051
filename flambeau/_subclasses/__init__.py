"""``torch._subclasses``: PyTorch's tensors without memory. Here those are the meta device's."""

from __future__ import annotations

from flambeau._subclasses.fake_tensor import FakeTensor, FakeTensorMode

__all__ = ["FakeTensor", "FakeTensorMode"]
