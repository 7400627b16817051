"""Datasets: what can be asked for a sample by key, or iterated; and how they are combined and
split.

Stands on core's tensors.
"""

from __future__ import annotations

import bisect
import itertools
import math
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import flambeau
from flambeau.core.errors import fail
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import Tensor

__all__ = [
    "ChainDataset",
    "ConcatDataset",
    "Dataset",
    "IterableDataset",
    "StackDataset",
    "Subset",
    "TensorDataset",
    "random_split",
]

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


class Dataset(Generic[T_co]):
    """A map from keys (usually 0 .. len - 1) to samples.

    A subclass gives ``__getitem__``, and ``__len__`` for samplers; ``__getitems__(indices)``, where
    it exists, fetches a whole batch at once.
    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError("Subclasses of Dataset should implement __getitem__.")

    def __add__(self, other: Dataset[Any]) -> ConcatDataset:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co], Iterable[T_co]):
    """A stream of samples; a subclass gives ``__iter__``.

    With several workers each has a copy: `get_worker_info()` inside ``__iter__`` (or a
    `worker_init_fn`) tells which part to yield, else every worker yields everything.
    """

    def __add__(self, other: Dataset[Any]) -> ChainDataset:  # type: ignore[override]
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Sample ``i`` is ``(t[i] for t in tensors)``: tensors of the same length along their first
    dimension."""

    tensors: tuple[Tensor, ...]

    def __init__(self, *tensors: Tensor) -> None:
        try:
            sizes = [tensor.size(0) for tensor in tensors]
        except (AttributeError, TypeError) as error:
            kinds = ", ".join(type(tensor).__name__ for tensor in tensors)
            raise fail(
                type(error),
                "TensorDataset",
                f"expected Tensors, got {kinds}. Make them by torch.as_tensor(...).",
            ) from None
        if any(size != sizes[0] for size in sizes):
            raise fail(
                AssertionError,
                "TensorDataset",
                f"Size mismatch between tensors: first dimensions are {sizes}",
            )
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self) -> int:
        return int(self.tensors[0].size(0))


class StackDataset(Dataset[Any]):
    """Datasets side by side: sample ``i`` is the tuple (or, given by name, the dict) of their
    samples ``i``."""

    datasets: tuple[Any, ...] | dict[str, Any]

    def __init__(self, *args: Dataset[Any], **kwargs: Dataset[Any]) -> None:
        if args and kwargs:
            raise fail(
                ValueError,
                "StackDataset",
                "Supported either tuple- (via args) or dict- (via kwargs) like input/output, but "
                "both types are given.",
            )
        if not (args or kwargs):
            raise fail(ValueError, "StackDataset", "At least one dataset should be passed")
        self.datasets = args or kwargs
        sizes = [len(dataset) for dataset in args or kwargs.values()]  # type: ignore[arg-type]
        self._length = sizes[0]
        if any(size != sizes[0] for size in sizes):
            raise fail(ValueError, "StackDataset", f"Size mismatch between datasets: {sizes}")

    def _named(self) -> list[tuple[Any, Any]]:
        named = self.datasets
        return list(named.items() if isinstance(named, dict) else enumerate(named))

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple(dataset[index] for dataset in self.datasets)

    def __getitems__(self, indices: list[Any]) -> list[Any]:
        columns = []
        for _, dataset in self._named():
            fetch = getattr(dataset, "__getitems__", None)
            if not callable(fetch):
                columns.append([dataset[index] for index in indices])
                continue
            items = fetch(indices)
            if len(items) != len(indices):
                raise fail(
                    ValueError,
                    "StackDataset",
                    f"Nested dataset's output size mismatch. Expected {len(indices)}, got "
                    f"{len(items)}",
                )
            columns.append(items)
        if not isinstance(self.datasets, dict):
            return list(zip(*columns, strict=True))
        return [dict(zip(self.datasets, row, strict=True)) for row in zip(*columns, strict=True)]

    def __len__(self) -> int:
        return self._length


class ConcatDataset(Dataset[Any]):
    """Datasets one after the other; negative indices count from the end."""

    datasets: list[Dataset[Any]]
    cumulative_sizes: list[int]

    @staticmethod
    def cumsum(sequence: Iterable[Any]) -> list[int]:
        """Where each dataset ends."""
        return list(itertools.accumulate(len(dataset) for dataset in sequence))

    def __init__(self, datasets: Iterable[Dataset[Any]]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise fail(AssertionError, "ConcatDataset", "datasets should not be an empty iterable")
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise fail(
                AssertionError,
                "ConcatDataset",
                "ConcatDataset does not support IterableDataset; use ChainDataset",
            )
        self.cumulative_sizes = self.cumsum(self.datasets)

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, idx: int) -> Any:
        if idx < 0:
            if -idx > len(self):
                raise fail(
                    ValueError,
                    "ConcatDataset",
                    f"absolute value of index should not exceed dataset length: {idx}, length "
                    f"{len(self)}",
                )
            idx += len(self)
        which = bisect.bisect_right(self.cumulative_sizes, idx)
        start = self.cumulative_sizes[which - 1] if which else 0
        return self.datasets[which][idx - start]

    @property
    def cummulative_sizes(self) -> list[int]:
        """The old spelling of `cumulative_sizes`."""
        warnings.warn(
            "`cummulative_sizes` attribute is renamed to `cumulative_sizes`",
            FutureWarning,
            stacklevel=stack_level(),
        )
        return self.cumulative_sizes


class ChainDataset(IterableDataset[Any]):
    """Streams one after the other."""

    def __init__(self, datasets: Iterable[Dataset[Any]]) -> None:
        self.datasets = datasets

    def _checked(self) -> Iterator[Any]:
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise fail(
                    AssertionError,
                    "ChainDataset",
                    f"ChainDataset only supports IterableDataset, got {type(dataset).__name__}; "
                    f"use ConcatDataset",
                )
            yield dataset

    def __iter__(self) -> Iterator[Any]:
        for dataset in self._checked():
            yield from dataset

    def __len__(self) -> int:
        return sum(len(dataset) for dataset in self._checked())


class Subset(Dataset[T_co]):
    """The samples of a dataset at the given indices.

    A subclass that overrides ``__getitem__`` overrides ``__getitems__`` too, else the loader would
    go past it.
    """

    dataset: Dataset[T_co]
    indices: Sequence[int]

    def __init__(self, dataset: Dataset[T_co], indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices
        kind = type(self)
        if kind.__getitem__ is not Subset.__getitem__ and kind.__getitems__ is Subset.__getitems__:
            raise fail(
                NotImplementedError,
                kind.__name__,
                f"{kind.__name__} overrides __getitem__ but not __getitems__, which a DataLoader "
                f"calls. Add "
                "`def __getitems__(self, indices): return [self[i] for i in indices]`.",
            )

    def __getitem__(self, idx: Any) -> Any:
        if isinstance(idx, list):
            return self.dataset[[self.indices[i] for i in idx]]
        return self.dataset[self.indices[idx]]

    def __getitems__(self, indices: list[int]) -> list[T_co]:
        fetch = getattr(self.dataset, "__getitems__", None)
        if callable(fetch):
            return fetch([self.indices[i] for i in indices])  # type: ignore[no-any-return]
        return [self.dataset[self.indices[i]] for i in indices]

    def __len__(self) -> int:
        return len(self.indices)


def random_split(
    dataset: Dataset[T], lengths: Sequence[int | float], generator: Any = None
) -> list[Subset[T]]:
    """Split a dataset at random into subsets that do not overlap.

    Args:
        dataset: what to split.
        lengths: lengths that sum to its length, or fractions that sum to 1 (what rounding leaves
            over goes to the first subsets, one each).
        generator: where the one permutation is drawn; the default generator if None.

    Raises:
        ValueError: the lengths do not sum to the dataset's; a fraction outside [0, 1].
    """
    size = len(dataset)  # type: ignore[arg-type]
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        lengths = _from_fractions(lengths, size)
    if sum(lengths) != size:
        raise fail(
            ValueError,
            "random_split",
            "Sum of input lengths does not equal the length of the input dataset! "
            f"{list(lengths)} sum to {sum(lengths)}, the dataset has {size}",
        )
    counts = [int(length) for length in lengths]
    indices = flambeau.randperm(sum(counts), generator=generator).tolist()
    ends = itertools.accumulate(counts)
    return [
        Subset(dataset, indices[end - count : end]) for end, count in zip(ends, counts, strict=True)
    ]


def _from_fractions(fractions: Sequence[float], size: int) -> list[int]:
    for number, fraction in enumerate(fractions):
        if not 0 <= fraction <= 1:
            raise fail(
                ValueError,
                "random_split",
                f"Fraction at index {number} is not between 0 and 1: {fraction}",
            )
    counts = [math.floor(size * fraction) for fraction in fractions]
    for i in range(size - sum(counts)):
        counts[i % len(counts)] += 1
    for number, count in enumerate(counts):
        if count == 0:
            warnings.warn(
                f"Length of split at index {number} is 0. This might result in an empty dataset.",
                stacklevel=stack_level(),
            )
    return counts
