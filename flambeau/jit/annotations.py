"""``torch.jit.annotations``: the types by which programs name containers, for those who import them
from here. Stands on typing.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple, Union  # noqa: UP035

__all__ = ["Any", "Dict", "List", "Optional", "Tuple", "Union"]
