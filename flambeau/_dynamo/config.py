"""``torch._dynamo.config``: settings of PyTorch's compiler. They may be read and set, and nothing
reads them here but ``disable``."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

__all__ = ["Settings", "config"]


class Settings(SimpleNamespace):
    """Settings by name."""

    @contextlib.contextmanager
    def patch(self, arg1: Any = None, arg2: Any = None, **changes: Any) -> Iterator[None]:
        """Other values for a block: keywords, a dictionary, or a name and its value."""
        if arg1 is not None:
            changes = dict(arg1) if isinstance(arg1, dict) else {arg1: arg2}
        before = dict(vars(self))
        vars(self).update(changes)
        try:
            yield
        finally:
            vars(self).clear()
            vars(self).update(before)

    def get_config_copy(self) -> dict[str, Any]:
        """All settings."""
        return dict(vars(self))

    save_config_portable = shallow_copy_dict = get_config_copy

    def load_config(self, maybe_pickled_config: dict[str, Any]) -> None:
        """Set all settings of a dictionary."""
        vars(self).update(maybe_pickled_config)


config = Settings(
    accumulated_recompile_limit=256,
    allow_rnn=False,
    assume_static_by_default=True,
    automatic_dynamic_shapes=True,
    cache_size_limit=8,
    capture_dynamic_output_shape_ops=False,
    capture_scalar_outputs=False,
    disable=False,
    error_on_recompile=False,
    guard_nn_modules=True,
    inline_inbuilt_nn_modules=True,
    log_level=None,
    optimize_ddp=True,
    recompile_limit=8,
    specialize_float=False,
    specialize_int=False,
    suppress_errors=False,
    verbose=False,
)
