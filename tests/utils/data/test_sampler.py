"""Samplers and splits draw what PyTorch's draw, and leave the generator where PyTorch's leave it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import flambeau
from flambeau.utils.data import (
    BatchSampler,
    ConcatDataset,
    DistributedSampler,
    RandomSampler,
    StackDataset,
    Subset,
    TensorDataset,
    WeightedRandomSampler,
    random_split,
)

DRAWS: list[Callable[[Any, Any], Any]] = [
    lambda torch, data: list(data.RandomSampler(range(17))),
    lambda torch, data: [list(data.RandomSampler(range(17), num_samples=50)) for _ in range(2)],
    lambda torch, data: list(data.RandomSampler(range(17), replacement=True, num_samples=70)),
    lambda torch, data: list(
        data.RandomSampler(range(9), generator=torch.Generator().manual_seed(1))
    ),
    lambda torch, data: list(data.SubsetRandomSampler([4, 8, 15, 16, 23, 42])),
    lambda torch, data: list(data.WeightedRandomSampler([0.1, 0.5, 0.2], 9)),
    lambda torch, data: list(data.WeightedRandomSampler([0.1, 0.5, 0.2], 2, replacement=False)),
    lambda torch, data: list(data.BatchSampler(data.RandomSampler(range(11)), 4, False)),
    lambda torch, data: list(data.BatchSampler(data.RandomSampler(range(11)), 4, True)),
    lambda torch, data: [s.indices for s in data.random_split(range(11), [3, 8])],
    lambda torch, data: [s.indices for s in data.random_split(range(11), [0.3, 0.3, 0.4])],
    lambda torch, data: [
        s.indices
        for s in data.random_split(range(11), [4, 7], generator=torch.Generator().manual_seed(42))
    ],
]


@pytest.mark.parametrize("draw", DRAWS)
def test_same_draws(oracle: ModuleType, draw: Callable[[Any, Any], Any]) -> None:
    results = []
    for torch in (oracle, flambeau):
        data = torch.utils.data
        torch.manual_seed(3)
        results.append((draw(torch, data), torch.rand(2).tolist()))
    assert results[0] == results[1]


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize(("size", "ranks"), [(10, 1), (10, 2), (11, 3), (3, 5), (1, 2)])
def test_distributed(
    oracle: ModuleType, shuffle: bool, drop_last: bool, size: int, ranks: int
) -> None:
    def orders(torch: Any) -> Any:
        found = []
        for rank in range(ranks):
            options = {"shuffle": shuffle, "seed": 3, "drop_last": drop_last}
            sampler = torch.utils.data.distributed.DistributedSampler(
                range(size), ranks, rank, **options
            )
            sampler.set_epoch(2)
            found.append((list(sampler), len(sampler)))
        return found

    assert orders(flambeau) == orders(oracle)


def test_lengths() -> None:
    assert len(BatchSampler(range(10), 4, False)) == 3
    assert len(BatchSampler(range(10), 4, True)) == 2
    assert len(RandomSampler(range(5), num_samples=3)) == 3


@pytest.mark.parametrize(
    ("make", "kind", "text"),
    [
        (lambda: RandomSampler([]), ValueError, "num_samples should be a positive integer"),
        (lambda: RandomSampler([1], replacement=1), TypeError, "replacement should be a boolean"),
        (
            lambda: BatchSampler([1], 0, False),
            ValueError,
            "batch_size should be a positive integer",
        ),
        (
            lambda: BatchSampler([1], True, False),
            ValueError,
            "batch_size should be a positive integer",
        ),
        (lambda: BatchSampler([1], 1, 0), ValueError, "drop_last should be a boolean"),
        (lambda: WeightedRandomSampler([0.5], 0), ValueError, "num_samples should be a positive"),
        (lambda: WeightedRandomSampler([[0.5]], 1), ValueError, "weights should be a 1d sequence"),
        (lambda: DistributedSampler([1], 2, 2), ValueError, "Invalid rank 2"),
        (lambda: random_split([1, 2], [1, 2]), ValueError, "Sum of input lengths"),
        (lambda: random_split([1, 2], [-0.5, 1.5]), ValueError, "not between 0 and 1"),
        (lambda: ConcatDataset([]), AssertionError, "should not be an empty iterable"),
        (lambda: ConcatDataset([[1, 2]])[-3], ValueError, "absolute value of index"),
        (lambda: StackDataset(), ValueError, "At least one dataset"),
        (lambda: StackDataset([1], [1, 2]), ValueError, "Size mismatch"),
        (
            lambda: TensorDataset(flambeau.zeros(2), flambeau.zeros(3)),
            AssertionError,
            "Size mismatch between tensors",
        ),
    ],
)
def test_errors(make: Callable[[], Any], kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        make()


def test_an_empty_split_warns() -> None:
    with pytest.warns(UserWarning, match="index 1 is 0"):
        random_split([1], [0.9, 0.1])


def test_combined_datasets() -> None:
    joined = ConcatDataset([[1, 2], [3]])
    assert [joined[i] for i in range(3)] == [1, 2, 3]
    assert joined[-1] == 3
    stacked = StackDataset(a=[1, 2], b=[3, 4])
    assert stacked[1] == {"a": 2, "b": 4}
    assert stacked.__getitems__([0, 1]) == [{"a": 1, "b": 3}, {"a": 2, "b": 4}]
    assert StackDataset([1, 2], [3, 4]).__getitems__([1]) == [(2, 4)]
    assert Subset([5, 6, 7], [2, 0]).__getitems__([0, 1]) == [7, 5]


def test_a_subset_must_override_both() -> None:
    class Half(Subset[Any]):
        def __getitem__(self, idx: Any) -> Any:
            return 0

    with pytest.raises(NotImplementedError, match="__getitems__"):
        Half([1], [0])


@pytest.mark.parametrize(
    ("data", "kind"), [([1, 2], AttributeError), (np.ones(2), TypeError)], ids=["list", "array"]
)
def test_tensor_datasets_are_of_tensors(data: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=r"TensorDataset.*expected Tensors, got \w+.*as_tensor"):
        TensorDataset(data)
