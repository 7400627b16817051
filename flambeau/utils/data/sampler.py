"""Samplers: the order in which a dataset's samples are asked for. Seeded, they draw exactly as
PyTorch's do.

Stands on core's random numbers.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, Generic, TypeVar

import flambeau
from flambeau.core.errors import fail

__all__ = [
    "BatchSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
]

T_co = TypeVar("T_co", covariant=True)


def _positive(name: str, what: str, value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise fail(
            ValueError, name, f"{what} should be a positive integer value, but got {what}={value}"
        )


class Sampler(Generic[T_co]):
    """Base of all samplers: ``__iter__`` yields indices (or lists of them); ``__len__`` where it is
    known."""

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError


class SequentialSampler(Sampler[int]):
    """0, 1, 2, ..."""

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """A permutation of all indices, or independent draws.

    Args:
        data_source: what is sampled; only its length is read.
        replacement: draw each index independently.
        num_samples: how many; all if None. More than there are: several permutations.
        generator: where to draw; None for a new one, seeded from the default generator each time.
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Any = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(replacement, bool):
            raise fail(
                TypeError,
                "RandomSampler",
                f"replacement should be a boolean value, but got replacement={replacement}",
            )
        if not isinstance(self.num_samples, int) or self.num_samples <= 0:
            raise fail(
                ValueError,
                "RandomSampler",
                f"num_samples should be a positive integer value, but got "
                f"num_samples={self.num_samples}. "
                "Is the dataset empty?",
            )

    @property
    def num_samples(self) -> int:
        """How many indices one pass yields."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        n = len(self.data_source)
        generator = self.generator
        if generator is None:
            seed = int(flambeau.empty((), dtype=flambeau.int64).random_().item())
            generator = flambeau.Generator()
            generator.manual_seed(seed)
        if self.replacement:
            whole, rest = divmod(self.num_samples, 32)
            for count in [32] * whole + [
                rest
            ]:  # PyTorch's portions: they decide what a shared generator gives next
                yield from flambeau.randint(
                    high=n, size=(count,), dtype=flambeau.int64, generator=generator
                ).tolist()
        else:
            for _ in range(self.num_samples // n):
                yield from flambeau.randperm(n, generator=generator).tolist()
            yield from flambeau.randperm(n, generator=generator).tolist()[: self.num_samples % n]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """A permutation of the given indices."""

    def __init__(self, indices: Sequence[int], generator: Any = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for i in flambeau.randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Indices drawn with probabilities in proportion to `weights`.

    Args:
        weights: one number of at least 0 per index; they need not sum to 1.
        num_samples: how many to draw.
        replacement: whether an index may come again.
        generator: where to draw; the default generator if None.
    """

    def __init__(
        self,
        weights: Sequence[float],
        num_samples: int,
        replacement: bool = True,
        generator: Any = None,
    ) -> None:
        _positive("WeightedRandomSampler", "num_samples", num_samples)
        if not isinstance(replacement, bool):
            raise fail(
                ValueError,
                "WeightedRandomSampler",
                f"replacement should be a boolean value, but got replacement={replacement}",
            )
        tensor = flambeau.as_tensor(weights, dtype=flambeau.float64)
        if tensor.dim() != 1:
            raise fail(
                ValueError,
                "WeightedRandomSampler",
                f"weights should be a 1d sequence but given weights have shape "
                f"{tuple(tensor.shape)}",
            )
        self.weights = tensor
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        drawn = flambeau.multinomial(
            self.weights, self.num_samples, self.replacement, generator=self.generator
        )
        yield from drawn.tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Lists of `batch_size` indices of another sampler; the last may be shorter, or is left out
    with `drop_last`."""

    def __init__(
        self, sampler: Sampler[int] | Iterable[int], batch_size: int, drop_last: bool
    ) -> None:
        _positive("BatchSampler", "batch_size", batch_size)
        if not isinstance(drop_last, bool):
            raise fail(
                ValueError,
                "BatchSampler",
                f"drop_last should be a boolean value, but got drop_last={drop_last}",
            )
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := list(itertools.islice(indices, self.batch_size)):
            if self.drop_last and len(batch) < self.batch_size:
                return
            yield batch

    def __len__(self) -> int:
        size = len(self.sampler)  # type: ignore[arg-type]
        return size // self.batch_size if self.drop_last else -(-size // self.batch_size)
