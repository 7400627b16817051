"""``torch.testing``: comparing values with tolerances of their dtype, and making sample tensors.

`compare` holds the rules and the wording of a mismatch, `create` the samples. Stands on core alone.
"""

from __future__ import annotations

from flambeau.testing.compare import assert_allclose, assert_close
from flambeau.testing.create import make_tensor

__all__ = ["assert_allclose", "assert_close", "make_tensor"]
