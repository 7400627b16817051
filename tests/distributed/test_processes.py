"""Processes that exchange tensors: each test runs its body in several, in one go."""

from __future__ import annotations

import socket
import threading
from datetime import timedelta

import pytest

import flambeau
import flambeau.distributed as dist
import flambeau.multiprocessing as mp
from flambeau import nn


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("localhost", 0))
        return one.getsockname()[1]


def enter(rank: int, count: int, port: int) -> None:
    dist.init_process_group(
        "gloo",
        init_method=f"tcp://localhost:{port}",
        rank=rank,
        world_size=count,
        timeout=timedelta(seconds=30),
    )


def in_three(rank: int, port: int) -> None:
    enter(rank, 3, port)
    assert (dist.get_rank(), dist.get_world_size(), dist.get_backend()) == (rank, 3, "gloo")
    everyone = [flambeau.tensor([float(r), 1.0]) for r in range(3)]
    mine = everyone[rank]

    for op, expected in (
        (dist.ReduceOp.SUM, [3.0, 3.0]),
        (dist.ReduceOp.AVG, [1.0, 1.0]),
        (dist.ReduceOp.MAX, [2.0, 1.0]),
        (dist.ReduceOp.MIN, [0.0, 1.0]),
        (dist.ReduceOp.PRODUCT, [0.0, 1.0]),
    ):
        x = mine.clone()
        dist.all_reduce(x, op)
        assert x.tolist() == expected, op
    x = mine.clone().to(flambeau.bfloat16)
    dist.all_reduce(x)
    assert x.tolist() == [3.0, 3.0]
    x = flambeau.tensor(float(rank))  # of no dimension, as a loss is
    dist.all_reduce(x)
    assert x.shape == () and x.item() == 3.0
    bits = flambeau.tensor([1 << rank])
    dist.all_reduce(bits, dist.ReduceOp.BOR)
    assert bits.item() == 7

    x = mine.clone()
    dist.broadcast(x, 1)
    assert x.tolist() == [1.0, 1.0]
    places = [flambeau.empty(2) for _ in range(3)]
    assert dist.all_gather(places, mine, async_op=True).wait()
    assert flambeau.equal(flambeau.stack(places), flambeau.stack(everyone))
    x = mine.clone()
    dist.reduce(x, 2)
    assert x.tolist() == ([3.0, 3.0] if rank == 2 else mine.tolist())
    whole = flambeau.empty(6)
    dist.all_gather_into_tensor(whole, mine)
    assert whole.tolist() == [0.0, 1.0, 1.0, 1.0, 2.0, 1.0]
    dist.gather(mine, places if rank == 0 else None, 0)
    x = flambeau.empty(2)
    dist.scatter(x, [10 * e for e in everyone] if rank == 1 else None, src=1)
    assert x.tolist() == [10.0 * rank, 10.0]
    x = flambeau.empty(1)
    dist.reduce_scatter(x, [flambeau.tensor([float(k)]) for k in range(3)])
    assert x.item() == 3 * rank
    x = flambeau.empty(3)
    dist.all_to_all_single(x, flambeau.arange(3.0) + 10 * rank)
    assert x.tolist() == [rank, 10.0 + rank, 20.0 + rank]

    if rank == 0:
        dist.send(mine + 5, 2, tag=3)
    elif rank == 2:
        x = flambeau.empty(2)
        assert dist.recv(x, 0, tag=3) == 0 and x.tolist() == [5.0, 6.0]
    got = flambeau.empty(2)
    for work in dist.batch_isend_irecv(
        [dist.P2POp(dist.isend, mine, (rank + 1) % 3), dist.P2POp(dist.irecv, got, (rank - 1) % 3)]
    ):
        work.wait()
    assert got.tolist() == everyone[(rank - 1) % 3].tolist()

    names = [None] * 3
    dist.all_gather_object(names, {"rank": rank})
    assert names == [{"rank": r} for r in range(3)]
    shared = ["from one", 1] if rank == 1 else [None, None]
    dist.broadcast_object_list(shared, src=1)
    assert shared == ["from one", 1]
    one = [None]
    dist.scatter_object_list(one, ["a", "b", "c"] if rank == 0 else None, src=0)
    assert one == ["abc"[rank]]

    pair = dist.new_group([0, 2])
    if rank == 1:
        assert dist.get_rank(pair) == -1
    else:
        x = mine.clone()
        dist.all_reduce(x, group=pair)
        assert x.tolist() == [2.0, 2.0]
        assert dist.get_group_rank(pair, 2) == 1 and dist.get_process_group_ranks(pair) == [0, 2]
    dist.barrier()
    dist.destroy_process_group()
    assert not dist.is_initialized()


def test_collectives():
    mp.spawn(in_three, args=(free_port(),), nprocs=3)


def train(rank: int, port: int) -> None:
    enter(rank, 2, port)
    flambeau.manual_seed(rank)  # the wrapper makes them equal
    model = nn.parallel.DistributedDataParallel(nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1)))
    flambeau.manual_seed(0)
    alone = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1))
    assert all(flambeau.equal(*p) for p in zip(model.parameters(), alone.parameters(), strict=True))
    data = flambeau.randn(8, 3)
    for step in range(3):
        for module, batch in ((model, data[rank::2]), (alone, data)):
            module.zero_grad()
            module(batch + step).pow(2).mean().backward()
        for ours, expected in zip(model.parameters(), alone.parameters(), strict=True):
            flambeau.testing.assert_close(ours.grad, expected.grad)
    with model.no_sync():
        model(data + rank).sum().backward()
    unsynced = [None, None]
    dist.all_gather_object(unsynced, model.module[0].weight.grad.tolist())
    assert unsynced[0] != unsynced[1]
    assert next(iter(model.state_dict())) == "module.0.weight"
    mesh = dist.init_device_mesh("cpu", (2, 1), mesh_dim_names=("data", "model"))
    assert mesh.get_local_rank("data") == rank and mesh["data"].size() == 2
    dist.destroy_process_group()


def test_a_model_trained_together():
    mp.spawn(train, args=(free_port(),), nprocs=2)


@pytest.fixture
def alone(tmp_path):
    dist.init_process_group(init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def test_one_process(alone):
    x = flambeau.ones(2)
    dist.all_reduce(x)
    assert x.tolist() == [1.0, 1.0] and dist.get_pg_count() == 1
    with pytest.raises(ValueError, match="twice"):
        dist.init_process_group()
    with pytest.raises(TypeError):
        dist.all_reduce([1])
    with pytest.raises(ValueError):
        dist.send(x, 0)


def test_what_needs_a_group_says_so(oracle, monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    for library in (oracle.distributed, dist):
        assert not library.is_initialized()
        assert not library.is_nccl_available() and library.is_backend_available("gloo")
        assert repr(library.ReduceOp.SUM) == "<RedOpType.SUM: 0>"
        assert library.get_node_local_rank(3) == 3
        for call in (
            lambda d: d.get_rank(),
            lambda d: d.all_reduce(1),
            lambda d: d.init_process_group("gloo"),
            lambda d: d.get_default_backend_for_device("meta"),
        ):
            with pytest.raises((ValueError, TypeError)):
                call(library)
        with pytest.raises(RuntimeError):
            library.get_node_local_rank()


@pytest.mark.parametrize("kind", ["hash", "file", "prefix", "tcp"])
def test_stores(oracle, kind, tmp_path):
    found = []
    for library in (oracle.distributed, dist):
        store = {
            "hash": lambda d: d.HashStore(),
            "file": lambda d: d.FileStore(str(tmp_path / d.__name__), 1),
            "prefix": lambda d: d.PrefixStore("p", d.HashStore()),
            "tcp": lambda d: d.TCPStore("localhost", 0, 1, True),
        }[kind](library)
        store.set_timeout(timedelta(seconds=0.5))
        store.set("a", "one")
        seen = [store.get("a"), store.add("n", 2), store.add("n", 3), store.check(["a"])]
        seen += [store.check(["a", "b"]), store.get("n")]
        if kind != "file":
            seen += [store.compare_set("c", "", "x"), store.compare_set("c", "x", "y")]
            seen += [store.compare_set("c", "odd", "z"), store.compare_set("d", "e", "f")]
        store.wait(["a", "n"])
        seen.append(store.delete_key("a"))
        with pytest.raises(RuntimeError):
            store.wait(["never"], timedelta(seconds=0.01))
        found.append(seen)
    assert found[0] == found[1]


def test_a_store_wakes_who_waits():
    store = dist.TCPStore("localhost", 0, 1, is_master=True)
    other = dist.TCPStore("localhost", store.port, wait_for_workers=False)
    threading.Timer(0.05, store.set, ("late", "value")).start()
    assert other.get("late") == b"value"


def test_parameters_that_a_backward_left_out_are_named(alone):
    class Two(flambeau.nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.idle = flambeau.nn.Linear(2, 1), flambeau.nn.Linear(2, 1)

        def forward(self, x):
            return self.used(x)

    model = flambeau.nn.parallel.DistributedDataParallel(Two())
    model(flambeau.ones(1, 2))
    model(flambeau.ones(1, 2)).sum().backward()  # a forward alone leaves nothing behind
    with pytest.raises(RuntimeError, match=r"did not reach idle\.weight, idle\.bias"):
        model(flambeau.ones(1, 2))
    with flambeau.no_grad():
        model(flambeau.ones(1, 2))
    patient = flambeau.nn.parallel.DistributedDataParallel(Two(), find_unused_parameters=True)
    for _ in range(2):
        patient(flambeau.ones(1, 2)).sum().backward()
