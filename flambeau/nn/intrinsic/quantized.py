"""``torch.nn.intrinsic.quantized``: the old name of ``torch.ao.nn.intrinsic.quantized``."""

from __future__ import annotations

from flambeau.ao.nn.intrinsic.quantized import *  # noqa: F403
from flambeau.ao.nn.intrinsic.quantized import __all__ as __all__
