"""The DataLoader: from a dataset and an order to batches, in this process or in worker processes.

Stands on `dataset`, `sampler` and the parts in `_utils`.
"""

from __future__ import annotations

import multiprocessing
import os
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.context import BaseContext
from typing import Any, Generic, TypeVar

import flambeau
from flambeau.core.errors import fail
from flambeau.core.provenance import stack_level
from flambeau.utils.data._utils.collate import default_collate, default_convert
from flambeau.utils.data._utils.fetch import NOTHING, IterableFetcher, MapFetcher
from flambeau.utils.data._utils.piping import apply_seed, draw_seed, set_shuffle
from flambeau.utils.data._utils.pool import Pool
from flambeau.utils.data._utils.worker import End, Failure, WorkerSetup, get_worker_info
from flambeau.utils.data.datapipes.datapipe import IterDataPipe
from flambeau.utils.data.dataset import Dataset, IterableDataset
from flambeau.utils.data.distributed import DistributedSampler
from flambeau.utils.data.sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler

__all__ = [
    "DataLoader",
    "DistributedSampler",
    "default_collate",
    "default_convert",
    "get_worker_info",
]

T_co = TypeVar("T_co", covariant=True)


class _DatasetKind:
    """A map (asked by index) or a stream (iterated)."""

    Map = 0
    Iterable = 1

    @staticmethod
    def create_fetcher(
        kind: int,
        dataset: Any,
        auto_collation: bool,
        collate_fn: Callable[[Any], Any],
        drop_last: bool,
    ) -> Any:
        """The fetcher for this kind."""
        make = MapFetcher if kind == _DatasetKind.Map else IterableFetcher
        return make(dataset, auto_collation, collate_fn, drop_last)


class _InfiniteConstantSampler(Sampler[Any]):
    """None for ever: a stream is not asked by index."""

    def __iter__(self) -> Iterator[Any]:
        while True:
            yield None


_FIXED = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")


class DataLoader(Generic[T_co]):
    """Iterates over a dataset in batches.

    Args:
        dataset: a map-style or iterable dataset (anything with ``__getitem__`` and ``__len__`` will
            do).
        batch_size: samples in a batch; None for single samples.
        shuffle: a new permutation every epoch.
        sampler: the order, instead of `shuffle`.
        batch_sampler: the order in lists of indices, instead of `batch_size`, `shuffle`, `sampler`
            and `drop_last`.
        num_workers: worker processes; 0 loads in this one.
        collate_fn: from a list of samples to a batch (default: `default_collate`).
        pin_memory: for accelerators; without one it warns and does nothing.
        drop_last: leave out a last batch that is not full.
        timeout: seconds to wait for a worker; 0 for ever.
        worker_init_fn: called in each worker with its number, after seeding.
        multiprocessing_context: a context or a start method ("fork", "spawn", "forkserver").
        generator: where the order and the workers' base seed are drawn.
        prefetch_factor: batches loaded ahead per worker (2 with workers).
        persistent_workers: keep the workers from epoch to epoch.
        in_order: yield batches in the sampler's order; else as they come.

    Raises:
        ValueError: options that contradict each other.

    Note:
        Workers are seeded with ``base_seed + worker number``: Python's `random`, NumPy and
        flambeau, anew each epoch (with `persistent_workers` once).
    """

    dataset: Any
    _iterator: Any = None
    __initialized = False

    def __init__(
        self,
        dataset: Dataset[T_co],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler[Any] | Iterable[Any] | None = None,
        batch_sampler: Sampler[list[Any]] | Iterable[list[Any]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], Any] | None = None,
        multiprocessing_context: Any = None,
        generator: Any = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        self._check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        iterable = isinstance(dataset, IterableDataset)
        if isinstance(dataset, IterDataPipe):
            set_shuffle(dataset, shuffle)
            shuffle = None
        if iterable:
            self._check_stream(shuffle, sampler, batch_sampler)
        self._check_order(batch_size, shuffle, sampler, batch_sampler, drop_last)
        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = 2 if num_workers > 0 and prefetch_factor is None else prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.in_order = in_order
        self._dataset_kind = _DatasetKind.Iterable if iterable else _DatasetKind.Map
        if batch_sampler is not None:
            batch_size, drop_last = None, False
        if sampler is None:
            if iterable:
                sampler = _InfiniteConstantSampler()
            elif shuffle:
                sampler = RandomSampler(dataset, generator=generator)  # type: ignore[arg-type]
            else:
                sampler = SequentialSampler(dataset)  # type: ignore[arg-type]
        if batch_size is not None and batch_sampler is None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.generator = generator
        if collate_fn is None:
            collate_fn = default_collate if self._auto_collation else default_convert
        self.collate_fn = collate_fn
        self.persistent_workers = persistent_workers
        self._IterableDataset_len_called: int | None = None
        self._iterator = None
        self.__initialized = True
        self.check_worker_number_rationality()

    @staticmethod
    def _check_workers(
        num_workers: int, timeout: float, prefetch: int | None, persistent: bool
    ) -> None:
        if num_workers < 0:
            raise _wrong(
                f"num_workers option should be non-negative, given {num_workers}; "
                "use num_workers=0 to disable multiprocessing."
            )
        if timeout < 0:
            raise _wrong(f"timeout option should be non-negative, given {timeout}")
        if num_workers == 0 and prefetch is not None:
            raise _wrong(
                "prefetch_factor option could only be specified in multiprocessing. "
                "let num_workers > 0 to enable multiprocessing, otherwise set prefetch_factor to "
                "None."
            )
        if prefetch is not None and prefetch < 0:
            raise _wrong(f"prefetch_factor option should be non-negative, given {prefetch}")
        if persistent and num_workers == 0:
            raise _wrong("persistent_workers option needs num_workers > 0")

    @staticmethod
    def _check_stream(shuffle: Any, sampler: Any, batch_sampler: Any) -> None:
        rows = (
            ("shuffle", shuffle, shuffle not in (False, None)),
            ("sampler", sampler, sampler is not None),
            ("batch_sampler", batch_sampler, batch_sampler is not None),
        )
        for name, value, given in rows:
            if given:
                raise _wrong(
                    f"DataLoader with IterableDataset: expected unspecified {name} option, but "
                    f"got {name}={value}. "
                    "A stream has its own order; shuffle it where it is made."
                )

    @staticmethod
    def _check_order(
        batch_size: Any, shuffle: Any, sampler: Any, batch_sampler: Any, drop_last: bool
    ) -> None:
        if sampler is not None and shuffle:
            raise _wrong("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None and (
            batch_size != 1 or shuffle or sampler is not None or drop_last
        ):
            raise _wrong(
                "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, "
                "and drop_last"
            )
        if batch_sampler is None and batch_size is None and drop_last:
            raise _wrong(
                "batch_size=None option disables auto-batching and is mutually exclusive with "
                "drop_last"
            )

    @property
    def multiprocessing_context(self) -> BaseContext | None:
        """How workers are started; None for Python's default."""
        return self.__context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context: Any) -> None:
        if context is not None:
            if self.num_workers <= 0:
                raise _wrong(
                    "multiprocessing_context can only be used with multi-process loading "
                    "(num_workers > 0), "
                    f"but got num_workers={self.num_workers}"
                )
            if isinstance(context, str):
                methods = multiprocessing.get_all_start_methods()
                if context not in methods:
                    raise _wrong(
                        "multiprocessing_context option should specify a valid start method in "
                        f"{methods!r}, but got multiprocessing_context={context!r}"
                    )
                context = multiprocessing.get_context(context)
            if not isinstance(context, BaseContext):
                raise fail(
                    TypeError,
                    "DataLoader",
                    "multiprocessing_context option should be a valid context object or a string "
                    "specifying the "
                    f"start method, but got multiprocessing_context={context}",
                )
        self.__context = context

    def __setattr__(self, attr: str, val: Any) -> None:
        if self.__initialized and attr in _FIXED:
            raise _wrong(
                f"{attr} attribute should not be set after {type(self).__name__} is initialized; "
                f"make a new one"
            )
        super().__setattr__(attr, val)

    def __iter__(self) -> _BaseDataLoaderIter:
        if not (self.persistent_workers and self.num_workers > 0):
            return self._get_iterator()
        if self._iterator is None:
            self._iterator = self._get_iterator()
        else:
            self._iterator._reset(self)
        return self._iterator  # type: ignore[no-any-return]

    def _get_iterator(self) -> _BaseDataLoaderIter:
        if self.num_workers == 0:
            return _SingleProcessDataLoaderIter(self)
        return _MultiProcessingDataLoaderIter(self)

    @property
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _index_sampler(self) -> Any:
        return self.batch_sampler if self._auto_collation else self.sampler

    def __len__(self) -> int:
        if self._dataset_kind == _DatasetKind.Map:
            return len(self._index_sampler)
        length = self._IterableDataset_len_called = len(self.dataset)
        if self.batch_size is None:
            return length
        return length // self.batch_size if self.drop_last else -(-length // self.batch_size)

    def check_worker_number_rationality(self) -> None:
        """Warn about more workers than this process may use processors."""
        if not self.num_workers:
            return
        affinity = getattr(os, "sched_getaffinity", None)
        usable = len(affinity(0)) if affinity is not None else os.cpu_count()
        if usable is None or self.num_workers > usable:
            warnings.warn(
                f"This DataLoader will create {self.num_workers} worker processes in total. Our "
                f"suggested max number "
                f"of worker in current system is {usable}, which is smaller than what this "
                f"DataLoader is going to "
                "create. Please be aware that excessive worker creation might get DataLoader "
                "running slow or even "
                "freeze, lower the worker number to avoid potential slowness/freeze if necessary.",
                stacklevel=stack_level(),
            )


def _wrong(message: str) -> Exception:
    return fail(ValueError, "DataLoader", message)


class _BaseDataLoaderIter:
    """One pass over the loader."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        self._loader = weakref.ref(loader)  # the loader holds the iterator where workers persist
        self._dataset = loader.dataset
        self._dataset_kind = loader._dataset_kind
        self._index_sampler = loader._index_sampler
        self._collate_fn = loader.collate_fn
        self._IterableDataset_len_called = loader._IterableDataset_len_called
        self._num_workers = loader.num_workers
        if loader.pin_memory:
            warnings.warn(
                "'pin_memory' argument is set as true but no accelerator is found, then device "
                "pinned memory won't "
                "be used.",
                stacklevel=stack_level(),
            )
        self._shared_seed = self._share_seed(loader)
        self._sampler_iter = iter(self._index_sampler)
        # Drawn before the sampler draws anything, as PyTorch does: the order of draws is part of a
        # seeded run.
        self._base_seed = int(
            flambeau.empty((), dtype=flambeau.int64).random_(generator=loader.generator).item()
        )
        self._num_yielded = 0

    def __iter__(self) -> _BaseDataLoaderIter:
        return self

    def _share_seed(self, loader: DataLoader[Any]) -> int | None:
        seed = draw_seed(self._dataset, loader.generator)
        apply_seed(self._dataset, seed)
        return seed

    def _reset(self, loader: DataLoader[Any]) -> None:
        self._shared_seed = self._share_seed(loader)
        self._sampler_iter = iter(self._index_sampler)
        self._num_yielded = 0
        self._IterableDataset_len_called = loader._IterableDataset_len_called

    def _next_data(self) -> Any:
        raise NotImplementedError

    def __next__(self) -> Any:
        data = self._next_data()
        self._num_yielded += 1
        promised = self._IterableDataset_len_called
        if promised is not None and self._num_yielded > promised:
            self._warn_of_length(promised)
        return data

    next = __next__

    def _warn_of_length(self, promised: int) -> None:
        message = (
            f"Length of IterableDataset {self._dataset} was reported to be {promised} (when "
            f"accessing "
            f"len(dataloader)), but {self._num_yielded} samples have been fetched. "
        )
        if self._num_workers > 0:
            message += (
                "For multiprocessing data-loading, this could be caused by not properly "
                "configuring the "
                "IterableDataset replica at each worker: see get_worker_info."
            )
        warnings.warn(message, stacklevel=stack_level())

    def __len__(self) -> int:
        return len(self._index_sampler)

    def __getstate__(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} cannot be pickled")


class _SingleProcessDataLoaderIter(_BaseDataLoaderIter):
    """Loads in this process, when asked."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        super().__init__(loader)
        if loader.timeout != 0:
            raise fail(
                AssertionError,
                "DataLoader",
                f"timeout={loader.timeout} needs worker processes; num_workers is 0",
            )
        self._dataset_fetcher = _DatasetKind.create_fetcher(
            loader._dataset_kind,
            loader.dataset,
            loader._auto_collation,
            loader.collate_fn,
            loader.drop_last,
        )

    def _next_data(self) -> Any:
        index = next(self._sampler_iter)
        try:
            return self._dataset_fetcher.fetch(index)
        except StopIteration:
            raise
        except Exception as error:
            sample = self._dataset_fetcher.current
            if sample is not NOTHING:
                error.add_note(f"DataLoader: this happened while fetching sample index {sample}.")
            raise


class _MultiProcessingDataLoaderIter(_BaseDataLoaderIter):
    """Keeps `prefetch_factor` tasks per worker under way and puts the results in order."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        super().__init__(loader)
        self._persistent_workers = loader.persistent_workers
        self._timeout = loader.timeout
        self._in_order = loader.in_order
        self._ahead = loader.prefetch_factor or 0
        if self._ahead < 1:
            raise _wrong("prefetch_factor=0 leaves the workers without tasks; give at least 1")
        setups = [
            WorkerSetup(
                loader.dataset,
                loader._dataset_kind == _DatasetKind.Iterable,
                loader._auto_collation,
                loader.collate_fn,
                loader.drop_last,
                self._base_seed,
                loader.worker_init_fn,
                number,
                loader.num_workers,
                self._shared_seed,
            )
            for number in range(loader.num_workers)
        ]
        self._pool = Pool(setups, loader.multiprocessing_context)
        self._workers = self._pool.processes
        # PyTorch draws it once more behind the start of its workers, who have got theirs.
        draw_seed(self._dataset, loader.generator)
        self._begin()

    def _begin(self) -> None:
        self._active = list(range(self._num_workers))
        self._load = [0] * self._num_workers
        """Tasks under way, per worker."""
        self._turn = 0
        self._sent = 0
        self._wanted = 0
        """The number of the task whose batch comes next, when they come in order."""
        self._owners: dict[int, int] = {}
        self._results: dict[int, Any] = {}
        self._dead: dict[int, Exception] = {}
        for _ in range(self._ahead * self._num_workers):
            self._hand_out()

    def _reset(self, loader: DataLoader[Any]) -> None:
        """A new epoch with the same workers: what is still under way is thrown away."""
        super()._reset(loader)
        waiting = list(range(self._num_workers))
        for worker in waiting:
            self._pool.give(worker, ("again", self._shared_seed))
        while waiting:
            worker, (number, data) = self._pool.take(waiting, 0)
            if number is None:
                self._stop()
                raise data
            if number == "again":
                waiting.remove(worker)
        self._begin()

    def _hand_out(self) -> None:
        worker = self._next_worker()
        if worker is None:
            return
        try:
            index = next(self._sampler_iter)
        except StopIteration:
            return
        self._pool.give(worker, (self._sent, index))
        self._owners[self._sent] = worker
        self._load[worker] += 1
        self._sent += 1

    def _next_worker(self) -> int | None:
        """The active workers in turn; out of order, the next that is not busy enough."""
        share = self._ahead * self._num_workers // max(len(self._active), 1)
        for _ in range(self._num_workers):
            worker = self._turn
            self._turn = (worker + 1) % self._num_workers
            if worker in self._active and (self._in_order or self._load[worker] < share):
                return worker
        return None

    def _next_data(self) -> Any:
        try:
            data = self._take()
        except StopIteration:
            if not self._persistent_workers:
                self._pool.close()
            raise
        except BaseException:  # Ctrl-C, a dead worker: nothing more will come
            self._stop()
            raise
        if isinstance(data, Failure):  # one batch failed, the others may be asked for
            data.reraise()
        return data

    def _take(self) -> Any:
        while True:
            while self._wanted < self._sent and self._wanted not in self._owners:
                self._wanted += 1  # already yielded, or lost with a worker whose stream had ended
            if self._wanted == self._sent:
                raise StopIteration
            if self._wanted in self._results:
                return self._deliver(self._wanted, self._results.pop(self._wanted))
            died = self._dead.get(self._owners[self._wanted])
            if died is not None:
                raise died
            worker, (number, data) = self._pool.take(self._active, self._timeout)
            if number is None:
                if not self._in_order:
                    raise data
                # Told when a batch of its is due: what the others made before comes first, in every
                # run alike.
                self._dead[worker] = data
                self._active.remove(worker)
                continue
            if isinstance(data, End):
                self._retire(worker)
                self._hand_out()
                continue
            if number == self._wanted or not self._in_order:
                return self._deliver(number, data)
            self._results[number] = data

    def _deliver(self, number: int, data: Any) -> Any:
        worker = self._owners.pop(number)
        self._load[worker] -= 1
        self._hand_out()
        return data

    def _retire(self, worker: int) -> None:
        self._active.remove(worker)
        for number in [
            n for n, owner in self._owners.items() if owner == worker and n not in self._results
        ]:
            del self._owners[number]
        if not self._persistent_workers:
            self._pool.give(worker, None)

    def _stop(self) -> None:
        self._pool.close(patience=0.5)
        loader = self._loader()
        if loader is not None and loader._iterator is self:
            loader._iterator = None

    def _shutdown_workers(self) -> None:
        self._pool.close()

    def __del__(self) -> None:
        pool = self.__dict__.get("_pool")
        if pool is not None:
            pool.close()
