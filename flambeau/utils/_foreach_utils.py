"""What optimizers written over PyTorch's ask before they work on lists of tensors: which devices
have kernels for that, and lists parted by device and dtype. Stands on core.
"""

from __future__ import annotations

from typing import Any

from flambeau.core.tensor import Tensor

__all__: list[str] = []

TensorListList = list[list[Tensor | None]]
Indices = list[int]


def _get_foreach_kernels_supported_devices() -> list[str]:
    """The types of devices whose lists of tensors are worked on by one kernel: not the CPU."""
    return ["cuda", "xpu", "mtia", "privateuseone"]


def _get_fused_kernels_supported_devices() -> list[str]:
    """The types of devices that have an optimizer's step in one kernel."""
    return ["mps", "cuda", "xpu", "hpu", "cpu", "mtia", "privateuseone"]


def _has_foreach_support(tensors: list[Any], device: Any) -> bool:
    return _device_has_foreach_support(device) and all(
        each is None or type(each) is Tensor for each in tensors
    )


def _device_has_foreach_support(device: Any) -> bool:
    return device.type in (*_get_foreach_kernels_supported_devices(), "cpu")


def _group_tensors_by_device_and_dtype(
    tensorlistlist: TensorListList, with_indices: bool = False
) -> dict[tuple[Any, Any], tuple[TensorListList, Indices]]:
    """Lists of the same length, parted alike by the device and dtype of the first one's tensors.

    Args:
        with_indices: give each part's places, too; otherwise that list is empty.
    """
    found: dict[tuple[Any, Any], tuple[TensorListList, Indices]] = {}
    for place, first in enumerate(tensorlistlist[0]):
        assert first is not None, "the first list has a tensor at every place"
        key = (first.device, first.dtype)
        lists, places = found.setdefault(key, ([[] for _ in tensorlistlist], []))
        for part, whole in zip(lists, tensorlistlist, strict=True):
            if whole:
                part.append(whole[place])
        if with_indices:
            places.append(place)
    return found
