"""``flambeau.random``: seeding and saving the process's random generator.

The generator and its laws live in ``core.random``; here stand the functions that scripts call.
"""

import contextlib
from collections.abc import Generator as _Iterator
from collections.abc import Iterable
from typing import Any

from flambeau.core.device import device as _device
from flambeau.core.errors import fail
from flambeau.core.random.generator import Generator, default_generator
from flambeau.core.tensor import Tensor

__all__ = [
    "Generator",
    "default_generator",
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "seed",
    "set_rng_state",
    "thread_safe_generator",
]


def manual_seed(seed: int) -> Generator:
    """Seeds the process's generator and returns it.

    Args:
        seed: an integer (or what ``int()`` makes one) from -2^63 to 2^64 - 1.

    Raises:
        ValueError: ``seed`` does not fit 64 bits.
    """
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Seeds the process's generator from the operating system and returns the 64-bit seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed that the process's generator started from."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The state of the process's generator: 5056 bytes (uint8) in PyTorch's layout."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Restores a state of :func:`get_rng_state`, flambeau's or PyTorch's.

    Raises:
        TypeError: ``new_state`` is not a uint8 tensor.
        RuntimeError: it is no generator state.
    """
    default_generator.set_state(new_state)


@contextlib.contextmanager
def fork_rng(
    devices: Iterable[Any] | None = None,
    enabled: bool = True,
    _caller: str = "fork_rng",
    _devices_kw: str = "devices",
    device_type: str | None = None,
) -> _Iterator[None, None, None]:
    """Runs the block, then puts the process's generator back to where it was.

    Args:
        devices: accelerators whose generators are put back too; a CPU build has none.
        enabled: False: the block runs as if there were no ``fork_rng``.
        device_type: the kind of accelerator that ``devices`` counts; by default CUDA's.

    Raises:
        RuntimeError: an unknown ``device_type``, or devices in a CPU build.
    """
    kind = _device(device_type or "cuda").type
    if kind == "meta":
        yield
        return
    if not enabled:
        yield
        return
    others = list(devices) if devices is not None and kind != "cpu" else []
    if others:
        raise fail(
            RuntimeError,
            _caller,
            f"{_devices_kw} names {kind} devices ({others}), and a CPU build has none. Leave it "
            "out.",
        )
    state = default_generator.pack()
    try:
        yield
    finally:
        default_generator.unpack(state)


def thread_safe_generator() -> Generator | None:
    """The generator of a worker thread of a DataLoader: None, workers are processes."""
    return None
