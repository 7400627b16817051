"""``Generator``: the public object over a ``Stream``, and the process's default generator.

States pass through here as uint8 tensors; the laws take the generator itself and use it as a
stream.
"""

import operator

import numpy as np

from flambeau.core.batch.array import ACTIVE
from flambeau.core.batch.draws import check_draw
from flambeau.core.device import cuda_means_cpu
from flambeau.core.device import device as _device
from flambeau.core.errors import fail
from flambeau.core.random.stream import Stream
from flambeau.core.tensor import Tensor, wrap

__all__ = ["Generator", "default_generator", "resolve"]

_LOWEST = -(1 << 63)
_HIGHEST = (1 << 64) - 1


class Generator(Stream):
    """A source of random numbers with its own state: PyTorch's MT19937 CPU generator.

    Args:
        device: ``'cpu'`` (default). Other devices have no generator in a CPU build.

    Example:
        >>> import flambeau as torch
        >>> g = torch.Generator().manual_seed(0)
        >>> torch.rand(3, generator=g)
        tensor([0.4963, 0.7682, 0.0885])
    """

    __slots__ = ("_device",)

    def __init__(self, device: _device | str = "cpu") -> None:
        place = device if isinstance(device, _device) else _device(device)
        if place.type != "cpu" and not (place.type == "cuda" and cuda_means_cpu()):
            raise fail(
                RuntimeError,
                "Generator",
                f"device is '{place}', generators exist for 'cpu' only in this build. "
                "Leave device out.",
            )
        self._device = _device("cpu")
        super().__init__()

    @property
    def device(self) -> _device:
        return self._device

    def manual_seed(self, seed: int) -> "Generator":
        """Seeds the generator and returns it.

        Args:
            seed: from -2^63 to 2^64 - 1; negative seeds count from 2^64 down.

        Raises:
            RuntimeError: ``seed`` is not an integer.
            ValueError: ``seed`` does not fit 64 bits.
        """
        self.reseed(checked_seed(seed))
        return self

    def seed(self) -> int:  # type: ignore[override]
        """Seeds the generator from the operating system and returns the 64-bit seed."""
        return self.reseed_from_entropy()

    def initial_seed(self) -> int:
        """The seed that the present stream started from."""
        return self._seed

    def get_state(self) -> Tensor:
        """The state as a uint8 tensor of 5056 elements, in PyTorch's layout."""
        return wrap(self.pack())

    def set_state(self, new_state: Tensor) -> None:
        """Restores a state of :meth:`get_state` (PyTorch's states load as well).

        Raises:
            TypeError: ``new_state`` is not a uint8 tensor.
            RuntimeError: it is no generator state.
        """
        if not isinstance(new_state, Tensor):
            raise fail(
                TypeError,
                "set_state",
                f"new_state is a {type(new_state).__name__}, expected a uint8 tensor. "
                "Give what get_state() or get_rng_state() returned.",
            )
        if new_state._array.dtype != np.uint8:
            raise fail(
                TypeError,
                "set_state",
                f"new_state has dtype {new_state.dtype}, expected uint8. "
                "A generator state is a tensor of bytes.",
            )
        self.unpack(new_state._array)

    def clone_state(self) -> "Generator":
        """A new generator that continues from the same state."""
        other = Generator()
        other.unpack(self.pack())
        return other

    def graphsafe_get_state(self) -> "Generator":
        """A state that CUDA graphs may record.

        Raises:
            NotImplementedError: always; the CPU has none.
        """
        raise NotImplementedError(
            "Generator.graphsafe_get_state: only CUDA generators have it; use clone_state()."
        )

    def graphsafe_set_state(self, state: "Generator") -> None:
        """Take a state that CUDA graphs may record.

        Raises:
            NotImplementedError: always; the CPU has none.
        """
        raise NotImplementedError(
            "Generator.graphsafe_set_state: only CUDA generators have it; use set_state()."
        )

    def get_offset(self) -> int:
        """Always raises: only generators of counter-based streams (CUDA) have an offset."""
        raise fail(RuntimeError, "get_offset", "a CPU generator has no offset. Use get_state().")

    def set_offset(self, offset: int) -> None:
        """Always raises: only generators of counter-based streams (CUDA) have an offset."""
        raise fail(RuntimeError, "set_offset", "a CPU generator has no offset. Use set_state().")

    def __reduce__(self) -> tuple:
        return _restore, (self.pack().tobytes(),)


def _restore(state: bytes) -> Generator:
    generator = Generator()
    generator.unpack(np.frombuffer(state, np.uint8))
    return generator


def checked_seed(seed: object) -> int:
    """``seed`` as an int in the range that 64 bits hold, signed or unsigned."""
    if isinstance(seed, (bool, np.bool_)) or not isinstance(seed, (int, np.integer)):
        raise fail(
            RuntimeError,
            "manual_seed",
            f"seed is a {type(seed).__name__}, expected an int. Convert it with int(seed).",
        )
    value = operator.index(seed)
    if not _LOWEST <= value <= _HIGHEST:
        raise fail(
            ValueError,
            "manual_seed",
            f"seed {value} does not fit 64 bits: it must lie in [-2**63, 2**64 - 1]. "
            "Take it modulo 2**64.",
        )
    return value


default_generator = Generator()


def resolve(generator: "Generator | None", name: str) -> Generator:
    """The generator to draw from: ``generator``, or the process's default where it is None.

    Raises:
        TypeError: it is no generator.
        RuntimeError: inside ``vmap(randomness="error")``.
    """
    if ACTIVE.get():
        check_draw()
    if generator is None:
        return default_generator
    if not isinstance(generator, Generator):
        raise fail(
            TypeError,
            name,
            f"generator is a {type(generator).__name__}, expected a torch.Generator. "
            "Make one with torch.Generator().manual_seed(seed).",
        )
    return generator
