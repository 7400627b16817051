"""What CUDA calls say where there is no CUDA, and the opt-in that lets it mean the CPU."""

from __future__ import annotations

from typing import Any

from flambeau.core.device import cuda_means_cpu as opted_in

__all__ = ["index_of", "need_device", "opted_in"]


def need_device(operation: str) -> None:
    """Raise the AssertionError of a CPU build, unless the user opted in."""
    if not opted_in():
        raise AssertionError(
            f"cuda.{operation}: Torch not compiled with CUDA enabled: flambeau computes on the "
            "CPU. Ask torch.cuda.is_available() first, or set FLAMBEAU_CUDA=cpu to let cuda mean "
            "the CPU."
        )


def index_of(operation: str, device: Any) -> int:
    """The index of a CUDA device; -1 for none.

    Raises:
        ValueError: the device is of another type.
    """
    if device is None:
        return -1
    if isinstance(device, int):
        return device
    kind, _, index = str(device).partition(":")
    if kind != "cuda":
        raise ValueError(f"cuda.{operation}: Expected a cuda device, but got: {device}")
    return int(index or 0)
