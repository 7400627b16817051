"""Tensors in memory that processes share."""

import gc
import os
import sys

import pytest

import flambeau as torch
from flambeau import multiprocessing as mp
from tests.multiprocessing import work

linux = pytest.mark.skipif(sys.platform != "linux", reason="counts open files in /proc")


def test_sharing_moves_all_that_is_on_the_storage():
    x = torch.arange(6.0)
    view, other = x[1:3], x.detach().view(2, 3).T
    assert not x.is_shared()
    assert x.share_memory_() is x
    assert x.is_shared() and view.is_shared() and other.is_shared()
    x.mul_(2)
    assert view.tolist() == [2, 4] and other[1].tolist() == [2, 8]
    assert view.data_ptr() == x.data_ptr() + 4 and other.stride() == (1, 3)


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_a_process_writes_where_all_see_it(start):
    x = torch.zeros(3).share_memory_()
    process = mp.get_context(start).Process(target=work.add_one, args=(x,))
    process.start()
    process.join(60)
    assert process.exitcode == 0 and x.tolist() == [1, 1, 1]


def test_what_goes_through_a_queue_is_shared_both_ways():
    context = mp.get_context("spawn")
    asked, told = context.Queue(), context.Queue()
    process = context.Process(target=work.answer, args=(asked, told))
    process.start()
    x = torch.tensor([1.0, 2.0, 3.0])
    asked.put(x)
    view, total = told.get(timeout=60)
    assert x.is_shared() and x.tolist() == [2, 4, 6] and total == 12
    assert view.tolist() == [4, 6]
    view.zero_()  # the same memory came back, as a view of the same storage
    assert x.tolist() == [2, 0, 0]
    assert view.untyped_storage() == x.untyped_storage()
    asked.put(None)
    process.join(60)
    assert process.exitcode == 0


def test_processes_train_one_model():
    torch.manual_seed(0)
    model = torch.nn.Linear(2, 1)
    assert model.share_memory() is model
    assert all(p.is_shared() and p.is_leaf and p.requires_grad for p in model.parameters())
    before = model(torch.ones(4, 2)).pow(2).mean().item()
    workers = [mp.Process(target=work.train, args=(model, 20)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert model(torch.ones(4, 2)).pow(2).mean().item() < before / 100


def test_a_graph_does_not_cross():
    from multiprocessing.reduction import ForkingPickler

    with pytest.raises(RuntimeError, match="Cowardly refusing to serialize non-leaf tensor"):
        ForkingPickler.dumps(torch.ones(2, requires_grad=True) * 2)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.bool, torch.complex64, torch.int64])
def test_dtypes_and_layouts_arrive(dtype):
    from multiprocessing.reduction import ForkingPickler

    from flambeau.multiprocessing.reductions import rebuild_tensor, reduce_tensor

    x = torch.ones(3, 4).to(dtype).T
    assert ForkingPickler._extra_reducers[torch.Tensor] is reduce_tensor
    _, (_, size, cls, layout) = reduce_tensor(x)
    segment = x._storage.shared

    class Handle:
        def detach(self):
            return os.dup(segment.fd)

    found = rebuild_tensor(Handle(), size, cls, layout)
    assert found.dtype is dtype and found.stride() == x.stride() and torch.equal(found, x)
    assert found.untyped_storage() == x.untyped_storage()


@linux
def test_memory_is_given_back():
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        torch.ones(100).share_memory_()
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= before + 1


def test_an_empty_tensor_is_shared_too():
    assert torch.ones(0).share_memory_().is_shared()
