"""On a machine without CUDA: DataParallel calls its module; what spreads tensors over devices says
that there are none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flambeau.core.device import device as Device
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor
from flambeau.nn.modules.module import Module

__all__ = [
    "DataParallel",
    "data_parallel",
    "gather",
    "parallel_apply",
    "replicate",
    "scatter",
]


class DataParallel(Module):
    """Split the batch over CUDA devices; without any, the module's own call.

    Args:
        module: the module.
        device_ids, output_device, dim: kept; there is no device to use them for.
    """

    def __init__(
        self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0
    ) -> None:
        super().__init__()
        self.module = module
        self.device_ids: list[Any] = []

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """The module's output."""
        return self.module(*inputs, **kwargs)

    def replicate(self, module: Module, device_ids: Any) -> list[Any]:
        """`replicate`."""
        return replicate(module, device_ids)

    def scatter(self, inputs: Any, kwargs: Any, device_ids: Any) -> Any:
        """`scatter` of the inputs and of the arguments by name."""
        return tuple(scatter(inputs, device_ids)), tuple(scatter(kwargs or {}, device_ids))

    def parallel_apply(self, replicas: Any, inputs: Any, kwargs: Any) -> list[Any]:
        """`parallel_apply`."""
        return parallel_apply(replicas, inputs, kwargs)

    def gather(self, outputs: Any, output_device: Any) -> Any:
        """`gather`."""
        return gather(outputs, output_device)


def data_parallel(
    module: Module,
    inputs: Any,
    device_ids: Any = None,
    output_device: Any = None,
    dim: int = 0,
    module_kwargs: dict[str, Any] | None = None,
) -> Any:
    """The function form of DataParallel."""
    arguments = inputs if isinstance(inputs, tuple) else (inputs,)
    return module(*arguments, **(module_kwargs or {}))


def _refuse_cpu(name: str, devices: Sequence[Any]) -> None:
    for each in devices:
        if isinstance(each, (str, Device)) and Device(each).type == "cpu":
            raise fail(ValueError, name, f"Expected a non cpu device, but got: {each}.")


def scatter(inputs: Any, target_gpus: Sequence[Any], dim: int = 0) -> Any:
    """What each device gets: slices of tensors along `dim`, everything else whole.

    Raises:
        ValueError: a device is the CPU. AttributeError: a tensor would have to be moved.
    """
    _refuse_cpu("scatter", target_gpus)
    if isinstance(inputs, Tensor):
        raise fail(
            AttributeError, "scatter", "there is no device to move parts of a tensor to: call the "
            "module itself."
        )  # fmt: skip
    if isinstance(inputs, tuple) and inputs:
        return [tuple(x) for x in zip(*(scatter(i, target_gpus, dim) for i in inputs), strict=True)]
    if isinstance(inputs, list) and inputs:
        return [list(x) for x in zip(*(scatter(i, target_gpus, dim) for i in inputs), strict=True)]
    if isinstance(inputs, dict) and inputs:
        columns = [scatter(v, target_gpus, dim) for v in inputs.values()]
        return [
            type(inputs)(zip(inputs, values, strict=True)) for values in zip(*columns, strict=True)
        ]
    return [inputs for _ in target_gpus]


def gather(outputs: Any, target_device: Any, dim: int = 0) -> Any:
    """What the devices gave, joined along `dim`.

    Raises:
        AssertionError: tensors are on the CPU: no device gave them.
    """
    first = next(iter(outputs))
    if isinstance(first, Tensor):
        raise fail(AssertionError, "gather", "Gather function not implemented for CPU tensors.")
    if first is None:
        return None
    if isinstance(first, dict):
        return type(first)((k, gather([d[k] for d in outputs], target_device, dim)) for k in first)
    return type(first)(gather(each, target_device, dim) for each in zip(*outputs, strict=True))


def replicate(network: Module, devices: Sequence[Any], detach: bool = False) -> list[Any]:
    """The module once for each device; one without parameters can be shared.

    Raises:
        AssertionError: parameters would have to be copied to a device.
        ValueError: a device is the CPU.
    """
    _refuse_cpu("replicate", devices)
    if next(network.parameters(), None) is not None:
        raise fail(
            AssertionError, "replicate", "Broadcast function not implemented for CPU tensors."
        )
    return [network for _ in devices]


def parallel_apply(
    modules: Sequence[Module],
    inputs: Sequence[Any],
    kwargs_tup: Sequence[Any] | None = None,
    devices: Sequence[Any] | None = None,
) -> list[Any]:
    """Each module's output on its device.

    Raises:
        RuntimeError: always; no device runs them.
    """
    for each in devices or ():
        if each is not None and Device(each).type != "cuda":
            raise fail(ValueError, "parallel_apply", f"Expected a cuda device, but got: {each}.")
    raise fail(
        RuntimeError,
        "parallel_apply",
        "Cannot access accelerator device when none is available. Call the modules one by one.",
    )
