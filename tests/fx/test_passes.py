"""Passes: graphs cut into parts, and passes run in order."""

from __future__ import annotations

import importlib

import pytest

import flambeau


def model(t):
    class Model(t.nn.Module):
        def __init__(self):
            super().__init__()
            self.a = t.nn.Linear(2, 2)
            self.b = t.nn.Sequential(t.nn.Linear(2, 2), t.nn.ReLU())
            self.w = t.nn.Parameter(t.ones(2, 2))

        def forward(self, x, y=None):
            h = self.a(x)
            k = self.b(h) + self.w
            c, d = k.chunk(2, 1)
            z = c @ d.t()
            return (z + x.sum()) * h, z

    return Model()


CUTS = {
    "in fours": lambda node, k: k // 4,
    "two": lambda node, k: int(k > 5),
    "modules": lambda node, k: 0 if node.op == "call_module" else 1,
    "one": lambda node, k: "all",
    "circle": lambda node, k: k % 2,
}
OPTIONS = (
    {},
    {"keep_original_node_name": True},
    {"keep_original_order": True, "partition_affix": "p"},
    {"keep_original_input_name": False, "tuple_return": True},
)


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "-".join(o) or "plain")
@pytest.mark.parametrize("cut", CUTS)
def test_split_module(cut, options, oracle):
    found = []
    for t in (flambeau, oracle):
        split = importlib.import_module(f"{t.__name__}.fx.passes.split_module").split_module
        t.manual_seed(0)
        whole, count, paths = model(t), iter(range(100)), {}
        graph = t.fx.symbolic_trace(whole)
        try:
            parts = split(graph, whole, lambda n, c=count: CUTS[cut](n, next(c)), paths, **options)
        except RuntimeError as error:
            found.append(str(error))
            continue
        x = t.ones(2, 2)
        texts = [parts.code, *(p.code for p in parts.children()), paths]
        for a, b in zip(parts(x), whole(x), strict=True):
            assert t.equal(a, b)
        found.append((texts, [n for n, _ in parts.named_modules()]))
    assert found[0] == found[1]


def test_pass_manager(oracle):
    seen = []
    for t in (flambeau, oracle):
        infra = f"{t.__name__}.fx.passes.infra"
        base = importlib.import_module(f"{infra}.pass_base")
        manager = importlib.import_module(f"{infra}.pass_manager")

        class Renaming(base.PassBase):
            def call(self, graph_module, t=t, base=base):
                changed = False
                for node in graph_module.graph.nodes:
                    if node.target is t.relu:
                        node.target, changed = t.sigmoid, True
                return base.PassResult(graph_module, changed)

        def adding(module, t=t):
            for node in module.graph.nodes:
                if node.op == "output":
                    with module.graph.inserting_before(node):
                        more = module.graph.call_function(t.neg, (node.args[0],))
                    node.args = (more,)

        relu = t.relu

        class Program(t.nn.Module):
            def forward(self, x):
                return relu(x) + 1  # noqa: B023

        first, second = Renaming(), manager.pass_result_wrapper(adding)
        order = manager.this_before_that_pass_constraint(first, second)
        run = manager.PassManager([second, first], [order], steps=2)
        result = run(t.fx.symbolic_trace(Program()))
        seen.append((result.modified, result.graph_module.code, run.passes.index(first)))
        with pytest.raises(Exception, match="running the 'adding' pass"):
            manager.PassManager([adding])(t.fx.symbolic_trace(lambda x: x + 1))
    assert seen[0] == seen[1]
