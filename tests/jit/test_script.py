"""torch.jit over plain Python: programs run unchanged, with one warning."""

from __future__ import annotations

import typing
import warnings

import pytest

import flambeau
from flambeau import jit
from flambeau.jit.script import _say

# The spelling that scripts of TorchScript use.
OPTIONAL = typing.Optional[int]  # noqa: UP045


@pytest.fixture
def fresh():
    _say.cache_clear()
    yield
    _say.cache_clear()


def test_script_runs_what_it_gets_and_warns_once(fresh):
    layer, x = flambeau.nn.Linear(2, 3), flambeau.ones(1, 2)
    with pytest.warns(UserWarning, match="no TorchScript") as said:
        assert flambeau.equal(jit.script(layer)(x), layer(x))
        assert jit.script(abs) is abs
    assert len(said) == 1


def test_trace_runs_the_program_on_its_example(fresh):
    seen = []
    with pytest.warns(UserWarning, match="torch.jit.trace"):
        traced = jit.trace(lambda x: seen.append(x), flambeau.ones(2))
        jit.trace_module(flambeau.nn.Linear(2, 3), {"forward": flambeau.ones(1, 2)})
    assert len(seen) == 1
    traced(flambeau.zeros(1))
    assert len(seen) == 2


def test_marks_leave_functions_alone():
    def f():
        return 1

    for mark in (jit.export, jit.ignore, jit.unused, jit.interface, jit.script_if_tracing):
        assert mark(f) is f
    assert jit.ignore(drop=True)(f) is f
    assert not jit.is_scripting() and not jit.is_tracing()
    assert jit.annotate(int, 3) == 3


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ([1, 2], list[int]),
        ([1, "a"], list[int]),
        ({"a": 1}, dict[str, int]),
        ((1, "a"), tuple[int, str]),
        ((1, 2), tuple[int, str]),
        (None, OPTIONAL),
        (3, OPTIONAL),
        ("x", OPTIONAL),
        (3, (str, int)),
        (3, int),
    ],
)
def test_isinstance_looks_into_containers(oracle, value, kind):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert jit.isinstance(value, kind) == oracle.jit.isinstance(value, kind)


def test_freezing_needs_eval_mode():
    layer = flambeau.nn.Linear(2, 3)
    with pytest.raises(RuntimeError, match="eval"):
        jit.freeze(layer)
    assert jit.optimize_for_inference(layer) is jit.freeze(layer.eval())


def test_fork_and_wait(oracle):
    for library in (flambeau, oracle):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert library.jit.wait(library.jit.fork(lambda x: x + 1, library.ones(1))).item() == 2


@pytest.mark.filterwarnings("ignore:.*TorchScript", "ignore:.*deprecated")
def test_parameters_without_a_shape_are_refused(oracle):
    for engine in (flambeau, oracle):
        with pytest.raises(RuntimeError, match="Did you forget"):
            engine.jit.script(engine.nn.Sequential(engine.nn.LazyLinear(2)))
        with pytest.raises(RuntimeError, match="Did you forget"):
            engine.jit.trace(engine.nn.LazyBatchNorm1d(), engine.ones(2, 3))
        lazy = engine.nn.LazyLinear(2)
        lazy(engine.ones(1, 3))
        assert engine.jit.script(lazy)(engine.ones(1, 3)).shape == (1, 2)


def test_wait_needs_a_future():
    with pytest.raises(RuntimeError, match="None"):
        jit.wait(None)
