"""The pool: every share runs once, whoever calls, and what a fork leaves works."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from flambeau.core import threads
from flambeau.core.kernels.jit import build, ir, pool

pytestmark = pytest.mark.skipif(not build.available(), reason="no code can be generated here")


def counter() -> int:
    """Share t of n adds 1 to word t and n to word 300 + t; the address of that function."""
    module = ir.Module("counter")
    f = module.function("count", pool.ARGUMENTS)
    a = f.argument
    place = f.at(a["context"], a["thread"], "i64")
    f.store(f.load("i64", place) + 1, place)
    place = f.at(place, 300, "i64")
    f.store(f.load("i64", place) + a["threads"], place)
    return build.load(module)["count"]


def nested() -> int:
    """Each share runs `count` in two shares through the pool; the context holds what it needs."""
    module = ir.Module("nested")
    f = module.function("nest", pool.ARGUMENTS)
    a = f.argument
    run, memory, inner, room = (f.load("ptr", a["context"], k) for k in range(4))
    mine = f.at(room, a["thread"] * 600, "i64")
    f.call(run, "void", memory, inner, mine, f.index(2))
    return build.load(module)["nest"]


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
def test_each_share_runs_once(threads):
    words = np.zeros(600, "i8")
    for _ in range(500):
        pool.run(counter(), words.ctypes.data, threads)
    assert words[:threads].tolist() == [500] * threads and not words[threads:300].any()
    assert words[300 : 300 + threads].tolist() == [500 * threads] * threads


def test_callers_of_several_threads_do_not_wait_for_each_other():
    function = counter()

    def work(words):
        for _ in range(2000):
            pool.run(function, words.ctypes.data, 2)

    mine = [np.zeros(600, "i8") for _ in range(4)]
    callers = [threading.Thread(target=work, args=(w,)) for w in mine]
    [c.start() for c in callers]
    [c.join(60) for c in callers]
    assert all(w[:2].tolist() == [2000, 2000] for w in mine)


def test_a_share_may_run_shares():
    room = np.zeros(3 * 600, "i8")
    words = [pool.address(), pool.memory(), counter(), room.ctypes.data]
    context = (ctypes.c_int64 * 4)(*words)
    pool.run(nested(), ctypes.addressof(context), 3)
    assert room.reshape(3, 600)[:, :2].tolist() == [[1, 1]] * 3


def test_sleepers_wake():
    words = np.zeros(600, "i8")
    for _ in range(5):
        pool.run(counter(), words.ctypes.data, 2)
        time.sleep(0.01)  # longer than workers spin
    assert words[:2].tolist() == [5, 5]


STEPPING = """
import os, sys, time
from flambeau.core import threads
from flambeau.core.kernels.jit import ir, build, pool
if sys.argv[1] == "one":
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
allowed = os.sched_getaffinity(0)
before = set(os.listdir("/proc/self/task"))
threads.set_count(2)
module = ir.Module("counter")
f = module.function("count", pool.ARGUMENTS)
place = f.at(f.argument["context"], f.argument["thread"], "i64")
f.store(f.load("i64", place) + 1, place)
function = build.load(module)["count"]
import numpy as np
words = np.zeros(2, "i8")
for _ in range(20):
    pool.run(function, words.ctypes.data, 2)
    time.sleep(0.002)
new = set(os.listdir("/proc/self/task")) - before
assert len(new) == 1, new
for _ in range(100):  # it may be on its way back to all of them
    found = os.sched_getaffinity(int(min(new)))
    if found == allowed:
        break
    time.sleep(0.01)
print(words.tolist(), found == allowed)
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no such call")
@pytest.mark.parametrize("processors", ["one", "all"])
def test_a_worker_that_steps_aside_may_be_everywhere_again(processors):
    command = [sys.executable, "-c", STEPPING, processors]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[20, 20] True\n", "")


@pytest.mark.skipif(not pool.threaded(), reason="workers are on Linux on x86-64")
def test_a_worker_leaves_the_processor_of_who_woke_it():
    """The calls that say so are in its code, once where it begins and once where it wakes."""
    text = pool.module().text("")
    worker = text[text.index("@pool_worker(ptr") :]
    assert worker.count(f"i64 {pool.SET_AFFINITY}, ") == 4
    assert worker.count(f"i64 {pool.GET_AFFINITY}, ") == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_has_its_own_workers():
    words = np.zeros(600, "i8")
    pool.run(counter(), words.ctypes.data, 2)
    code = os.fork()
    if not code:
        signal = 1
        try:
            mine = np.zeros(600, "i8")
            for _ in range(100):
                pool.run(counter(), mine.ctypes.data, 2)
            signal = int(mine[:2].tolist() != [100, 100])
        finally:
            os._exit(signal)
    assert os.waitstatus_to_exitcode(os.waitpid(code, 0)[1]) == 0
    pool.run(counter(), words.ctypes.data, 2)
    assert words[:2].tolist() == [2, 2]


def test_a_process_ends_quietly_with_workers_asleep_and_awake():
    code = (
        "import numpy as np; from tests.core.kernels.jit import test_pool as t; "
        "w = np.zeros(600, 'i8'); t.pool.run(t.counter(), w.ctypes.data, 4); print(w[:4].sum())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "4", "")


def test_the_limit_is_kept():
    before = threads.count()
    try:
        threads.set_count(3)
        words = np.zeros(600, "i8")
        pool.run(counter(), words.ctypes.data)
        assert words[:4].tolist() == [1, 1, 1, 0]
    finally:
        threads.set_count(before)
    assert pool.limit() == before


@pytest.mark.parametrize("count", [1, 2, 5])
def test_shares_are_cut_alike_in_code_and_in_python(count):
    module = ir.Module("shares")
    f = module.function("count_shares", (("ptr", "memory"), ("i64", "work")), "i64")
    f.ret(pool.shares(f, f.argument["memory"], f.argument["work"], 100))
    address = build.load(module)["count_shares"]
    call = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64)(address)
    before = threads.count()
    try:
        threads.set_count(count)
        found = [pool.shares_of(work, 100) for work in range(0, 5000, 50)]
        assert found == [call(pool.memory(), work) for work in range(0, 5000, 50)]
    finally:
        threads.set_count(before)
    assert found[0] == 1 and found[-1] == (count * pool.EACH if count > 1 else 1)
    assert all(each <= count or each % count == 0 for each in found)
