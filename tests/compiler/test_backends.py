"""Backends that users write: what they are called with, and when."""

from __future__ import annotations

import copy
import multiprocessing
import operator
import warnings

import pytest

import flambeau
from flambeau import _dynamo

FORK = multiprocessing.get_context("fork")
warnings_of_pytorch = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def apart(function, *args):
    """What a function finds in a process of its own: PyTorch's compiler changes, for good, how the
    frames of its process run.
    """
    here, there = FORK.Pipe(duplex=False)

    def run():
        try:
            there.send((True, function(*args)))
        except BaseException as error:
            there.send((False, repr(error)))

    process = FORK.Process(target=run)
    process.start()
    done, found = here.recv()
    process.join()
    assert done, found
    return found


def noting(calls):
    """A backend that notes the operations of each graph and runs it as it is."""

    def backend(module, example_inputs):
        calls.append(
            [
                (n.op, n.target if isinstance(n.target, str) else n.target.__name__)
                for n in module.graph.nodes
            ]
        )
        assert all(type(x).__name__ in ("Tensor", "Parameter") for x in example_inputs)
        assert len(example_inputs) == sum(n.op == "placeholder" for n in module.graph.nodes)
        return module.forward

    return backend


class Block:
    """A module with parameters, buffers and a choice, in either engine."""

    def __new__(cls, t):
        class Module(t.nn.Module):
            def __init__(self):
                super().__init__()
                self.fc, self.norm = t.nn.Linear(3, 3), t.nn.BatchNorm1d(3)
                self.register_buffer("shift", t.ones(3))
                self.weight, self.wide = t.nn.Parameter(t.ones(3)), True

            def forward(self, x, flag=True):
                h = self.norm(self.fc(x))
                if flag:
                    h = h * self.weight
                if x.shape[0] > 1 and self.wide:
                    h = h + self.shift
                return {"out": h.softmax(-1), "size": h.size(0), "given": x}

        return Module()


PROGRAMS = {
    "operators": lambda t: lambda x: 2 - t.relu(x) * x + x.sigmoid() @ x.t() @ x / 3,
    "sizes": lambda t: lambda x: x.reshape(x.size(0) * x.shape[1], -1).sum() + x.dim(),
    "no grad": lambda t: no_grad(t),
    "several results": lambda t: lambda x: (x.max(1).values, t.max(x, 1), x.chunk(2)[1], 3, x),
    "in place": lambda t: in_place(t),
    "factories": lambda t: lambda x: x + t.zeros(2, 3) + t.arange(3),
    "functional": lambda t: lambda x: t.nn.functional.cross_entropy(x, t.tensor([0, 1])),
    "layers": lambda t: t.nn.Sequential(t.nn.Linear(3, 4), t.nn.ReLU(), t.nn.Linear(4, 2)),
    "convolution": lambda t: lambda x: t.nn.functional.conv1d(x, x.t()[:1, :, None]),
    "module": Block,
}


def no_grad(t):
    def program(x):
        with t.no_grad():
            y = x * 2
        return x + y

    return program


def in_place(t):
    def program(x):
        x = x.clone()
        x += 1
        x[0] = 2
        return x.add_(1) * 2

    return program


def graph_of(t, name):
    """What a backend was called with for a program that ran twice, with the plain one's results."""
    calls, results = [], []
    t._dynamo.reset()
    t.manual_seed(0)
    program = PROGRAMS[name](t)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compiled = t.compile(program, backend=noting(calls))
        for x in (t.randn(2, 3), t.randn(2, 3)):
            for run in (program, compiled):
                results.append(t.utils._pytree.tree_leaves(run(x)))
    for plain, through in zip(results[::2], results[1::2], strict=True):
        for a, b in zip(plain, through, strict=True):
            if name != "module":  # batch statistics move
                assert a.equal(b) if isinstance(a, t.Tensor) else a == b
    assert len(calls) == 1
    return [(op, "linear" if "linear" in str(f) else f) for op, f in calls[0]]


@warnings_of_pytorch
@pytest.mark.parametrize("name", PROGRAMS)
def test_graphs(name, oracle):
    ours, theirs = graph_of(flambeau, name), apart(graph_of, oracle, name)
    for found in (ours, theirs):
        found.sort()
    if name == "module":  # the inputs of functions have the names of the test's variables
        assert ours == theirs
    kept = [[x for x in found if x[0] != "placeholder"] for found in (ours, theirs)]
    assert kept[0] == kept[1] and len(ours) == len(theirs)


def test_a_module_trains_through_its_graph():
    module = Block(flambeau)
    compiled = flambeau.compile(module, backend=noting([]))
    x = flambeau.randn(4, 3)
    compiled(x)["out"][:, 0].sum().backward()
    found = [p.grad.clone() for p in module.parameters()]
    assert module.norm.num_batches_tracked == 1
    module.zero_grad()
    module(x)["out"][:, 0].sum().backward()
    for a, p in zip(found, module.parameters(), strict=True):
        assert flambeau.equal(a, p.grad)


def test_a_graph_serves_calls_that_look_alike():
    calls = []
    module = Block(flambeau)
    run = flambeau.compile(module, backend=noting(calls))
    x = flambeau.randn(2, 3)
    run(x), run(x + 1)
    assert len(calls) == 1
    run(flambeau.randn(5, 3)), run(x, False), run(x, flag=False)
    assert len(calls) == 4
    module.eval()
    run(x)
    module.wide = False
    run(x)
    assert len(calls) == 6
    with flambeau.no_grad():
        run(x)
    assert len(calls) == 7
    module.weight = flambeau.nn.Parameter(flambeau.zeros(3))
    assert run(x)["out"].unique().numel() == 1 and len(calls) == 8
    _dynamo.reset()
    run(x)
    assert len(calls) == 9


def test_what_the_backend_gives_is_what_runs():
    def halving(module, example_inputs):
        for node in module.graph.nodes:
            if node.target is operator.mul:
                node.target = operator.truediv
        module.recompile()
        return module

    run = flambeau.compile(lambda x, y: x * y, backend=halving)
    assert run(flambeau.tensor(6.0), flambeau.tensor(3.0)).item() == 2.0


def test_a_copy_runs_its_own_module():
    compiled = flambeau.compile(flambeau.nn.Linear(2, 2), backend=noting([]))
    x = flambeau.ones(1, 2)
    compiled(x)
    twin = copy.deepcopy(compiled)
    twin._orig_mod.weight.data.zero_()
    twin._orig_mod.bias.data.zero_()
    assert not twin(x).any() and compiled(x).any()


@pytest.mark.parametrize(
    "program",
    (
        lambda x: x * 2 if x.sum() > 0 else x * 3,
        lambda x: x * x.sum().item(),
        lambda x: flambeau.from_numpy(x.numpy() + 1),
        lambda x: 3,
        lambda x: x.cpu() * len(x.tolist()),
    ),
)
def test_a_program_that_asks_for_numbers_runs_eagerly(program):
    calls = []
    x = flambeau.ones(2, 3)
    found = flambeau.compile(program, backend=noting(calls))(x)
    assert calls == [] and str(found) == str(program(x))


def test_a_module_that_sets_attributes_runs_eagerly():
    class Counting(flambeau.nn.Module):
        def __init__(self):
            super().__init__()
            self.last, self.count = None, 0

        def forward(self, x):
            self.last, self.count = x * 2, self.count + 1
            return self.last

    calls, module = [], Counting()
    flambeau.compile(module, backend=noting(calls))(flambeau.ones(2))
    assert calls == [] and module.count == 1 and module.last.tolist() == [2.0, 2.0]


def test_fullgraph(oracle):
    def refused(t):
        run = t.compile(lambda x: x if x.sum() > 0 else -x, backend=noting([]), fullgraph=True)
        with pytest.raises(t._dynamo.exc.Unsupported):
            run(t.ones(2))
        return True

    assert refused(flambeau) and apart(refused, oracle)


def test_nothing_happens_while_the_graph_is_made():
    norm = flambeau.nn.Sequential(flambeau.nn.BatchNorm1d(3), flambeau.nn.Dropout())
    x, seen = flambeau.randn(4, 3), []

    def backend(module, example_inputs):
        seen.append((norm[0].num_batches_tracked.item(), flambeau.initial_seed()))
        return module

    flambeau.manual_seed(3)
    found = flambeau.compile(norm, backend=backend)(x)
    flambeau.manual_seed(3)
    assert flambeau.equal(found, norm(x)) and seen == [(0, 3)]


def test_backends_with_names(monkeypatch):
    from flambeau.compiler import backends

    monkeypatch.setitem(backends.REGISTERED, "another", abs)
    calls = []
    _dynamo.register_backend(noting(calls), name="mine")
    assert "mine" in _dynamo.list_backends()
    flambeau.compile(lambda x: x + 1, backend="mine")(flambeau.ones(1))
    assert len(calls) == 1 and _dynamo.lookup_backend("mine") is not None
    with pytest.raises(AssertionError, match="duplicate"):
        _dynamo.register_backend(noting([]), name="mine")
    backends.REGISTERED.pop("mine")
    with pytest.raises(_dynamo.exc.InvalidBackend):
        flambeau.compile(abs, backend="yours")


def test_explain():
    found = _dynamo.explain(lambda x: x.relu() + 1)(flambeau.ones(2))
    assert (found.graph_count, found.graph_break_count) == (1, 0)
    assert "Graph Count: 1" in str(found)
    found = _dynamo.explain(lambda x: x * x.item())(flambeau.ones(1))
    assert found.graph_count == 0 and "numbers" in str(found)


def test_settings():
    assert _dynamo.config.cache_size_limit == 8
    with _dynamo.config.patch(cache_size_limit=3, suppress_errors=True):
        assert _dynamo.config.cache_size_limit == 3 and _dynamo.config.suppress_errors
    with _dynamo.config.patch("verbose", True):
        assert _dynamo.config.verbose
    assert _dynamo.config.cache_size_limit == 8 and not _dynamo.config.suppress_errors
