"""``torch._inductor``: PyTorch's code generator. There is none here; its settings may be set."""

from __future__ import annotations

from typing import Any

from flambeau._inductor.config import config

__all__ = ["config", "list_mode_options", "list_options"]


def list_mode_options(mode: str | None = None, dynamic: bool | None = None) -> dict[str, Any]:
    """The settings that a mode of `torch.compile` stands for: none."""
    modes = ("default", "reduce-overhead", "max-autotune-no-cudagraphs", "max-autotune")
    return {} if mode else {each: {} for each in modes}


def list_options() -> list[str]:
    """The names of the settings."""
    return sorted(vars(config))
