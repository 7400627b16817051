"""``torch.nn.intrinsic.qat``: the old name of ``torch.ao.nn.intrinsic.qat``."""

from __future__ import annotations

from flambeau.ao.nn.intrinsic.qat import *  # noqa: F403
from flambeau.ao.nn.intrinsic.qat import __all__ as __all__
