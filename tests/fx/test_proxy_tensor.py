"""`make_fx` beside PyTorch's: the text of the graphs, and what they give."""

from __future__ import annotations

import importlib

import pytest

import flambeau as torch


def gradient(t, x):
    y = x.clone().requires_grad_()
    return t.autograd.grad(y.sin().sum(), y)[0]


def made(t, x):
    return x + t.ones(3) * t.tensor([1.0, 2.0, 3.0]) + t.rand(3)


def closed(t):
    held = t.tensor([1.0, 2.0, 3.0])
    layer = t.nn.Linear(3, 4)
    layer.load_state_dict({"weight": t.ones(4, 3), "bias": t.arange(4.0)})
    return lambda x: layer(x * held)


PROGRAMS = {
    "chain": lambda t: lambda x: x.sin() + 1,
    "two": lambda t: lambda x, y: (x @ y.t()).relu().sum(),
    "gradient": lambda t: lambda x: gradient(t, x),
    "nested": lambda t: lambda d: {"a": d["x"] * 2, "b": [d["y"], 3]},
    "written": lambda t: lambda x: x.add_(1)[0],
    "made": lambda t: lambda x: made(t, x),
    "closed": closed,
    "module": lambda t: t.nn.Softmax(-1),
    "norm": lambda t: lambda x: t.nn.functional.layer_norm(x, (3,)),
    "several": lambda t: lambda x: t.cat([x, x], 1).max(1),
    "number": lambda t: lambda x, n: x * n,
    "starred": lambda t: lambda *xs: xs[0] * xs[1],
    "spread": lambda t: lambda x: (x.std(), x.var(1), t.var_mean(x, 1, correction=0, keepdim=True)),
}


def inputs(t, name):
    x = t.arange(6.0).reshape(2, 3)
    if name == "nested":
        return ({"x": x, "y": x + 1},)
    if name == "number":
        return x, 3
    return (x, x + 1) if name in ("two", "starred") else (x,)


def leaves(t, value):
    return importlib.import_module(f"{t.__name__}.utils._pytree").tree_leaves(value)


def traced(t, name, **options):
    make_fx = importlib.import_module(f"{t.__name__}.fx.experimental.proxy_tensor").make_fx
    t.manual_seed(0)
    graph = make_fx(PROGRAMS[name](t), **options)(*inputs(t, name))
    t.manual_seed(1)
    # PyTorch's graph cannot run there: it takes its own named tuple for another container.
    found = [] if name == "several" else leaves(t, graph(*inputs(t, name)))
    values = [v.sum().item() if isinstance(v, t.Tensor) else v for v in found]
    return graph.code, [n.name for n in graph.graph.nodes], type(graph).__name__, values


REAL = [(name, "real") for name in PROGRAMS]
# PyTorch wants its fake tensors for constants, too.
FAKE = [(name, "fake") for name in PROGRAMS if name not in ("closed", "made")]


@pytest.mark.parametrize(("name", "mode"), REAL + FAKE)
def test_as_in_pytorch(name, mode, oracle):
    ours = traced(torch, name, tracing_mode=mode)
    theirs = traced(oracle, name, tracing_mode=mode)
    assert ours[:3] == theirs[:3]
    assert ours[3] == pytest.approx(theirs[3])


def make_fx(*args, **options):
    from flambeau.fx.experimental.proxy_tensor import make_fx

    return make_fx(*args, **options)


@pytest.mark.parametrize("transform", ["vmap", "grad", "jacrev", "jacfwd", "hessian"])
def test_transforms_leave_no_number_behind(transform):
    def f(x):
        return (x.sin() * x).sum() + x.prod()

    program = getattr(torch.func, transform)(f)
    x, y = torch.arange(6.0).reshape(2, 3), torch.linspace(-1, 1, 6).reshape(2, 3)
    graph = make_fx(program)(x)
    torch.testing.assert_close(graph(y), program(y))


def test_the_table_takes_the_place_of_operations():
    table = {torch.ops.aten.sin.default: lambda x: x * 2}
    graph = make_fx(lambda x: x.sin().cos(), decomposition_table=table)(torch.ones(2))
    assert [n.name for n in graph.graph.nodes] == ["x_1", "mul", "cos", "output"]


def test_before_dispatch_linear_is_one():
    layer = torch.nn.Linear(2, 3)
    graph = make_fx(layer, pre_dispatch=True)(torch.ones(1, 2))
    assert "linear" in [n.name for n in graph.graph.nodes]


def test_what_a_graph_cannot_say_is_refused():
    x = torch.ones(2)
    with pytest.raises(RuntimeError, match="value out of a tracing tensor"):
        make_fx(lambda x: x if x.sum() > 0 else -x)(x)
    with pytest.raises(NotImplementedError, match="random numbers"):
        make_fx(torch.nn.Dropout())(x)
    with pytest.raises(NotImplementedError, match="symbolic"):
        make_fx(torch.sin, tracing_mode="symbolic")
    with pytest.raises(ValueError, match="real"):
        make_fx(torch.sin, tracing_mode="none")


def test_a_fake_trace_leaves_its_inputs():
    x = torch.ones(2)
    make_fx(lambda x: x.mul_(3), tracing_mode="fake")(x)
    assert x.tolist() == [1, 1]


def test_the_mode_that_is_on():
    from flambeau.fx.experimental import proxy_tensor

    found = []

    def program(x):
        found.append(proxy_tensor.get_proxy_mode())
        with proxy_tensor.disable_proxy_modes_tracing():
            found.append(proxy_tensor.get_proxy_mode())
        inner = proxy_tensor.get_isolated_graphmodule(torch.add, (x,), {"other": x})
        found.append([n.name for n in inner.graph.nodes])
        return x.sin()

    graph = make_fx(program)(torch.ones(2))
    assert isinstance(found[0], proxy_tensor.ProxyTorchDispatchMode) and found[1] is None
    assert found[2][-2:] == ["add", "output"] and len(graph.graph.nodes) == 3
    assert proxy_tensor.get_proxy_mode() is None


def test_an_interpreter_runs_a_nested_graph():
    graph = make_fx(lambda d: [d["x"] * 2])({"x": torch.ones(2)})
    assert torch.fx.Interpreter(graph).run({"x": torch.full((2,), 3.0)})[0].tolist() == [6, 6]
    with pytest.raises(ValueError, match="made for 1"):
        graph({"x": torch.ones(2), "y": torch.ones(2)})
