"""``torch.__future__``: how ``Module.to`` and its kin replace parameters.

By default the parameter stays and its data is exchanged; with *overwrite* a new parameter takes
its place. ``nn.modules._convert`` asks here, once somebody has imported this file.
"""

from __future__ import annotations

__all__ = [
    "get_overwrite_module_params_on_conversion",
    "get_swap_module_params_on_conversion",
    "set_overwrite_module_params_on_conversion",
    "set_swap_module_params_on_conversion",
]

_chosen = {"overwrite": False, "swap": False}


def set_overwrite_module_params_on_conversion(value: bool) -> None:
    """Whether conversions put new parameters in the place of the old ones."""
    _chosen["overwrite"] = value


def get_overwrite_module_params_on_conversion() -> bool:
    """Whether conversions put new parameters in the place of the old ones; at first False."""
    return _chosen["overwrite"]


def set_swap_module_params_on_conversion(value: bool) -> None:
    """Whether conversions keep the parameter object whatever changes, as they do here anyway."""
    _chosen["swap"] = value


def get_swap_module_params_on_conversion() -> bool:
    """What was chosen; at first False."""
    return _chosen["swap"]
