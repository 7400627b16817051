"""Futures: PyTorch's values, order of callbacks and exceptions."""

from __future__ import annotations

import pickle
import threading

import pytest

import flambeau


def libraries(oracle):
    return flambeau.futures, oracle.futures


def test_values_callbacks_and_chains(oracle):
    for room in libraries(oracle):
        seen = []
        future = room.Future()
        chained = future.then(lambda f: f.wait() + 1).then(lambda f: f.wait() * 2)
        future.add_done_callback(lambda f, seen=seen: seen.append(f.value()))
        assert not future.done()
        with pytest.raises(RuntimeError):
            future.value()
        future.set_result(3)
        future.add_done_callback(lambda f, seen=seen: seen.append("late"))
        assert (chained.wait(), seen) == (8, [3, "late"])
        with pytest.raises(RuntimeError):
            future.set_result(4)


def test_exceptions(oracle):
    for room in libraries(oracle):
        future = room.Future()
        future.set_exception(ValueError("no"))
        with pytest.raises(ValueError, match="no"):
            future.wait()
        with pytest.raises(AssertionError):
            room.Future().set_exception("text")


def test_collecting(oracle):
    for room in libraries(oracle):
        first, second = room.Future(), room.Future()
        together = room.collect_all([first, second])
        first.set_result(1)
        assert not together.done()
        second.set_result(2)
        assert [f.wait() for f in together.wait()] == [1, 2]
        assert room.wait_all([first, second]) == [1, 2]


def test_waits_for_another_thread():
    future = flambeau.futures.Future()
    thread = threading.Thread(target=lambda: future.set_result(5))
    thread.start()
    assert future.wait() == 5
    thread.join()


@pytest.mark.parametrize("callback", [lambda: 1, lambda f: 1 / 0, lambda f: f + 1])
def test_what_a_callback_raises_is_told_by_its_future_alone(oracle, callback):
    for room in libraries(oracle):
        future = room.Future()
        future.add_done_callback(callback)
        chained = future.then(callback).then(lambda f: f.wait())
        future.set_result(3)
        assert future.wait() == 3
        with pytest.raises(RuntimeError, match="Got the following error when running the callback"):
            chained.wait()


def test_all_fail_with_the_first_that_does(oracle):
    for room in libraries(oracle):
        first, second = room.Future(), room.Future()
        both = room.collect_all([first, second])
        second.set_exception(ValueError("second"))
        assert not both.done()
        first.set_exception(KeyError("first"))
        with pytest.raises(KeyError, match="first"):
            both.wait()
        for given, error in ((None, TypeError), ((first, None), RuntimeError)):
            with pytest.raises(error):
                room.wait_all(given)
        with pytest.raises(RuntimeError, match="pickle"):
            pickle.dumps(first)
