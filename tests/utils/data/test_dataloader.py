"""The loader in this process and with workers: order, seeds, errors, and that nothing stays behind."""

from __future__ import annotations

import gc
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import flambeau
from flambeau.core.tensor import wrap
from flambeau.utils.data import DataLoader, IterableDataset, Subset, TensorDataset, get_worker_info

pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create")


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    yield
    gc.collect()  # a caught exception holds the frames it went through, and with them the loader
    assert multiprocessing.active_children() == []


class Squares:
    def __init__(self, size: int = 20) -> None:
        self.size = size

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> int:
        return index * index


class Draws(Squares):
    """Each sample is one draw of every generator a worker has."""

    torch: Any = flambeau

    def __getitem__(self, index: int) -> Any:
        return random.random(), np.random.rand(), self.torch.rand(()).item()


class Broken(Squares):
    def __getitem__(self, index: int) -> int:
        if index == 7:
            raise KeyError("no such file")
        if index == 13:
            os.kill(os.getpid(), signal.SIGKILL)
        return index


class Slow(Squares):
    def __getitem__(self, index: int) -> int:
        time.sleep(30)
        return index


class Stream(IterableDataset[int]):
    def __iter__(self) -> Iterator[int]:
        info = get_worker_info()
        return iter(range(info.id if info else 0, 11, info.num_workers if info else 1))


OPTIONS: list[dict[str, Any]] = [
    {},
    {"batch_size": 4},
    {"batch_size": 4, "shuffle": True},
    {"batch_size": 4, "shuffle": True, "drop_last": True},
    {"batch_size": None},
    {"batch_size": 4, "shuffle": True, "num_workers": 2},
    {"batch_size": 4, "shuffle": True, "num_workers": 2, "persistent_workers": True},
    {"batch_size": 3, "num_workers": 1, "prefetch_factor": 3},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_same_batches_and_draws(oracle: ModuleType, options: dict[str, Any]) -> None:
    def run(torch: Any) -> Any:
        torch.manual_seed(5)
        x = torch.from_numpy(np.arange(46.0).reshape(23, 2))
        dataset = torch.utils.data.TensorDataset(x, torch.from_numpy(np.arange(23)))
        loader = torch.utils.data.DataLoader(dataset, **options)
        batches = [[t.tolist() for t in batch] for _ in range(2) for batch in loader]
        return batches, len(loader), torch.rand(2).tolist()

    assert run(flambeau) == run(oracle)


def test_workers_are_seeded_as_pytorchs(oracle: ModuleType) -> None:
    def run(torch: Any) -> Any:
        torch.manual_seed(5)
        dataset = Draws(8)
        dataset.torch = torch
        loader = torch.utils.data.DataLoader(dataset, batch_size=None, num_workers=2)
        return [sample for _ in range(2) for sample in loader]

    ours = run(flambeau)
    assert ours == run(oracle)
    assert (
        len({sample[1] for sample in ours}) == 16
    )  # neither two workers nor two epochs draw alike


@pytest.mark.parametrize(
    "options", [{"batch_size": 3}, {"batch_size": 3, "drop_last": True}, {"batch_size": None}]
)
@pytest.mark.parametrize("workers", [0, 2])
def test_streams(oracle: ModuleType, options: dict[str, Any], workers: int) -> None:
    theirs = type(
        "Stream", (oracle.utils.data.IterableDataset,), {"__iter__": _their_stream(oracle)}
    )()

    def run(torch: Any, dataset: Any) -> Any:
        loader = torch.utils.data.DataLoader(dataset, num_workers=workers, **options)
        return [b.tolist() if hasattr(b, "tolist") else b for b in loader]

    assert run(flambeau, Stream()) == run(oracle, theirs)


def _their_stream(oracle: ModuleType) -> Callable[[Any], Iterator[int]]:
    def stream(self: Any) -> Iterator[int]:
        info = oracle.utils.data.get_worker_info()
        return iter(range(info.id if info else 0, 11, info.num_workers if info else 1))

    return stream


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_start_methods(method: str) -> None:
    loader = DataLoader(Squares(), batch_size=None, num_workers=1, multiprocessing_context=method)
    assert list(loader) == [i * i for i in range(20)]


@pytest.mark.parametrize("shape", [(3,), (200, 300)])
def test_small_and_large_batches_arrive_whole_and_writable(shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).standard_normal((6, *shape)).astype("float32")
    loader = DataLoader(TensorDataset(wrap(values)), batch_size=2, num_workers=2)
    for number, (batch,) in enumerate(loader):
        np.testing.assert_array_equal(batch.numpy(), values[2 * number : 2 * number + 2])
        batch.numpy()[...] = 0


def test_out_of_order_yields_all() -> None:
    loader = DataLoader(Squares(), batch_size=None, num_workers=2, in_order=False)
    assert sorted(loader) == [i * i for i in range(20)]


def test_memory_path_equals_sample_by_sample() -> None:
    x = wrap(np.arange(40.0).reshape(20, 2))
    whole = TensorDataset(x, wrap(np.arange(20)))
    part = Subset(Subset(whole, list(range(19, -1, -1))), [0, 3, 5, 8, 9])
    direct = [[t.tolist() for t in batch] for batch in DataLoader(part, batch_size=2)]
    one_by_one = [part[i] for i in range(5)]
    assert direct == [
        [
            [t[0].tolist() for t in one_by_one[i : i + 2]],
            [t[1].item() for t in one_by_one[i : i + 2]],
        ]
        for i in (0, 2, 4)
    ]


def test_a_failing_sample_is_named() -> None:
    with pytest.raises(KeyError) as caught:
        list(DataLoader(Broken(), batch_size=2, num_workers=2))
    text = str(caught.value)
    assert "DataLoader worker process 1, sample index 7: KeyError: 'no such file'" in text
    assert "in __getitem__" in text
    with pytest.raises(KeyError, match="no such file") as here:
        list(DataLoader(Broken(), batch_size=2))
    assert "sample index 7" in here.value.__notes__[0]


def test_a_killed_worker_is_named() -> None:
    iterator = iter(DataLoader(Broken(), batch_size=None, num_workers=2))
    pid = iterator._workers[1].pid
    seen = []
    with pytest.raises(
        RuntimeError, match=rf"worker \(pid\(s\) {pid}\) exited unexpectedly.*SIGKILL"
    ):
        while True:
            try:
                seen.append(next(iterator))
            except KeyError:
                seen.append(-1)
    assert seen == [0, 1, 2, 3, 4, 5, 6, -1, 8, 9, 10, 11, 12]
    del iterator


def test_timeout() -> None:
    with pytest.raises(RuntimeError, match="timed out after 0.2 seconds"):
        list(DataLoader(Slow(), num_workers=1, timeout=0.2))


def test_a_loader_left_early_ends_its_workers() -> None:
    iterator = iter(DataLoader(Squares(), num_workers=2))
    next(iterator)
    processes = list(iterator._workers)
    del iterator
    assert not any(process.is_alive() for process in processes)


@pytest.mark.parametrize(
    "end", ["os.killpg(os.getpgrp(), 2)", "os.kill(os.getpid(), 9)", "sys.exit(3)", "1 / 0"]
)
def test_no_worker_outlives_the_program(end: str) -> None:
    script = f"""
        import os, sys, time
        from flambeau.utils.data import DataLoader
        class Data:
            def __len__(self): return 1000
            def __getitem__(self, i): time.sleep(0.01); return i
        iterator = iter(DataLoader(Data(), num_workers=2, persistent_workers=True))
        print(*[p.pid for p in iterator._workers], flush=True)
        next(iterator)
        {end}
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=60,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )
    pids = [int(word) for word in done.stdout.split()]
    assert len(pids) == 2, done.stderr
    assert done.returncode != 0
    limit = time.monotonic() + 10
    while time.monotonic() < limit and any(_alive(pid) for pid in pids):
        time.sleep(0.1)
    assert not any(_alive(pid) for pid in pids)


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def test_worker_init_and_info() -> None:
    class Info(Squares):
        def __getitem__(self, index: int) -> Any:
            info = get_worker_info()
            assert info is not None
            return info.id, info.num_workers, info.dataset.mark

    def mark(worker: int) -> None:
        info = get_worker_info()
        assert info is not None
        info.dataset.mark = worker * 10

    loader = DataLoader(Info(4), batch_size=None, num_workers=2, worker_init_fn=mark)
    assert [tuple(sample) for sample in loader] == [(0, 2, 0), (1, 2, 10), (0, 2, 0), (1, 2, 10)]
    assert get_worker_info() is None


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"num_workers": -1}, "num_workers option should be non-negative"),
        ({"timeout": -1}, "timeout option should be non-negative"),
        ({"prefetch_factor": 2}, "prefetch_factor option could only be specified"),
        ({"persistent_workers": True}, "persistent_workers option needs"),
        ({"sampler": [0], "shuffle": True}, "sampler option is mutually exclusive with shuffle"),
        ({"batch_sampler": [[0]], "batch_size": 2}, "batch_sampler option is mutually exclusive"),
        ({"batch_size": None, "drop_last": True}, "batch_size=None option disables"),
        ({"multiprocessing_context": "fork"}, "multiprocessing_context can only be used"),
        (
            {"multiprocessing_context": "no", "num_workers": 1},
            "should specify a valid start method",
        ),
        ({"batch_size": 0}, "batch_size should be a positive integer"),
    ],
)
def test_bad_options(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        DataLoader(Squares(), **options)


def test_fixed_attributes_and_streams() -> None:
    loader = DataLoader(Squares())
    with pytest.raises(ValueError, match="batch_size attribute should not be set"):
        loader.batch_size = 2
    with pytest.raises(ValueError, match="expected unspecified shuffle"):
        DataLoader(Stream(), shuffle=True)
    with pytest.raises(TypeError):
        len(DataLoader(Stream()))
