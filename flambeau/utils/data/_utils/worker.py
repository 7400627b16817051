"""What runs in a worker process: seeds, fetches, answers, and ends with its parent.

A thread reads the pipe, so that the parent never waits while this process computes, and notices
when the parent is gone. Stands on `fetch` and `transport`.
"""

from __future__ import annotations

import contextlib
import os
import queue
import random
import signal
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

import flambeau
from flambeau.utils.data._utils.fetch import NOTHING, Fetcher, IterableFetcher, MapFetcher
from flambeau.utils.data._utils.piping import apply_seed, share_out
from flambeau.utils.data._utils.transport import send

__all__ = ["End", "Failure", "WorkerInfo", "WorkerSetup", "get_worker_info", "make_fetcher", "work"]

WATCH = 5.0
"""Seconds between two looks at whether the parent still lives (its end of the pipe may be held open
by others)."""


@dataclass
class WorkerInfo:
    """Which worker this process is, of how many; its seed and its copy of the dataset."""

    id: int
    num_workers: int
    seed: int
    dataset: Any
    rng: Any = None
    worker_method: str | None = "multiprocessing"


_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """In a worker process of a DataLoader: its `id`, `num_workers`, `seed` and `dataset`. Elsewhere
    None."""
    return _info


@dataclass
class WorkerSetup:
    """Everything a worker is started with."""

    dataset: Any
    iterable: bool
    auto_collation: bool
    collate_fn: Callable[[Any], Any]
    drop_last: bool
    base_seed: int
    init_fn: Callable[[int], Any] | None
    worker_id: int
    num_workers: int
    shared_seed: int | None = None
    """Of the first epoch of a data pipe; a later one's comes with its task."""


@dataclass
class End:
    """A worker's stream is exhausted."""

    worker_id: int


class Failure:
    """An exception on its way from a worker to the main process: type, text, traceback, and the
    sample it struck."""

    def __init__(self, error: BaseException, worker_id: int, sample: Any) -> None:
        self.kind = type(error)
        self.text = str(error)
        self.trace = "".join(traceback.format_exception(error))
        self.where = f"DataLoader worker process {worker_id}"
        self.sample = "" if sample is NOTHING else f", sample index {sample}"

    def reraise(self) -> None:
        """Raise the same type with the worker's traceback in its text."""
        message = (
            f"{self.where}{self.sample}: {self.kind.__name__}: {self.text}\n"
            f"Caught {self.kind.__name__} in {self.where}.\nOriginal {self.trace}"
        )
        text: Any = _Plain(message) if issubclass(self.kind, KeyError) else message
        try:
            error = self.kind(text)
        except Exception:
            raise RuntimeError(message) from None
        try:
            raise error
        finally:
            del (
                error
            )  # else error and this frame hold each other, and with them the loader's processes


class _Plain(str):
    """A text whose repr is itself: a KeyError shows the repr of its key."""

    def __repr__(self) -> str:
        return str(self)


def make_fetcher(setup: WorkerSetup) -> Fetcher:
    """The fetcher for a map or a stream."""
    kind = IterableFetcher if setup.iterable else MapFetcher
    return kind(setup.dataset, setup.auto_collation, setup.collate_fn, setup.drop_last)


def _seed(setup: WorkerSetup) -> int:
    """Python, NumPy and flambeau, each worker its own stream, the same as PyTorch's workers get."""
    seed = setup.base_seed + setup.worker_id
    random.seed(seed)
    flambeau.manual_seed(seed)
    words = [setup.worker_id, setup.base_seed & 0xFFFFFFFF, setup.base_seed >> 32, 0]
    np.random.seed(np.random.SeedSequence(words).generate_state(4))
    return seed


def _read(pipe: Connection, tasks: queue.SimpleQueue[Any], parent: int) -> None:
    with contextlib.suppress(OSError, EOFError):
        while True:
            while not pipe.poll(WATCH):
                if os.getppid() != parent:
                    os._exit(1)
            task = pipe.recv()
            tasks.put(task)
            if task is None:
                return
    if os.getppid() != parent:
        os._exit(1)
    tasks.put(None)


def work(setup: WorkerSetup, pipe: Connection, others: list[Connection], parent: int) -> None:
    """The worker's life: tasks are (number, indices), ("again", seed) for a new epoch, and None for
    the end.
    """
    # Ctrl-C reaches the whole process group; ending the workers is the main process' work.
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    for other in others:
        other.close()
    set_threads = getattr(flambeau, "set_num_threads", None)
    if set_threads is not None:
        set_threads(1)
    global _info
    _info = WorkerInfo(setup.worker_id, setup.num_workers, _seed(setup), setup.dataset)
    tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(pipe, tasks, parent), daemon=True).start()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        _serve(setup, pipe, tasks)


def _serve(setup: WorkerSetup, pipe: Connection, tasks: queue.SimpleQueue[Any]) -> None:
    fetcher: Fetcher | None = None
    failure: Failure | None = None
    ended = False
    try:
        apply_seed(setup.dataset, setup.shared_seed)
        share_out(setup.dataset, setup.num_workers, setup.worker_id)
        if setup.init_fn is not None:
            setup.init_fn(setup.worker_id)
        fetcher = make_fetcher(setup)
    except Exception as error:
        failure = Failure(error, setup.worker_id, NOTHING)
    while (task := tasks.get()) is not None:
        number, index = task
        if number == "again":
            ended = False
            send(pipe, ("again", None))
            try:
                apply_seed(setup.dataset, index)
                fetcher = make_fetcher(setup)
            except Exception as error:
                failure = Failure(error, setup.worker_id, NOTHING)
            continue
        if ended:
            continue
        result: Any
        if failure is not None:
            result, failure = failure, None
        else:
            result = _fetch(setup, fetcher, index)
            ended = isinstance(result, End)
        try:
            send(pipe, (number, result))
        except (BrokenPipeError, ConnectionResetError):
            raise
        except Exception as error:  # the batch cannot be pickled
            send(pipe, (number, Failure(error, setup.worker_id, NOTHING)))
        del task, index, result


def _fetch(setup: WorkerSetup, fetcher: Any, index: Any) -> Any:
    try:
        return fetcher.fetch(index)
    except Exception as error:
        if setup.iterable and isinstance(error, StopIteration):
            return End(setup.worker_id)
        return Failure(error, setup.worker_id, fetcher.current)
