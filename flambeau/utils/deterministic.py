"""``torch.utils.deterministic``: whether memory that nobody wrote is filled with NaN, the largest
integer or True under `use_deterministic_algorithms(True)`. Stands on core.factory.blank.
"""

from __future__ import annotations

import sys
import types

from flambeau.core.errors import fail
from flambeau.core.factory.blank import Unset, switch

__all__: list[str] = []


class _Deterministic(types.ModuleType):
    @property
    def fill_uninitialized_memory(self) -> bool:
        """Whether it is; True at first."""
        return Unset.filled

    @fill_uninitialized_memory.setter
    def fill_uninitialized_memory(self, mode: bool) -> None:
        if not isinstance(mode, bool):
            raise fail(
                TypeError,
                "fill_uninitialized_memory",
                f"expected a bool, but got {type(mode).__name__}",
            )
        switch(filled=mode)


sys.modules[__name__].__class__ = _Deterministic
