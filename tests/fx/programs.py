"""Programs to trace, the same under both engines: `program(torch)` gives text and values."""

import math
import operator


def block(torch):
    nn, F = torch.nn, torch.nn.functional

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(4, 4, 3, padding=1, bias=False)
            self.norm = nn.BatchNorm2d(4)
            self.head = nn.Sequential(nn.Linear(4, 5), nn.ReLU())
            self.shift = nn.Parameter(torch.ones(1, 4, 1, 1))
            self.register_buffer("scale", torch.full((1,), 2.0))

        def forward(self, x, *rest, k=2, **named):
            y = F.relu(self.norm(self.conv(x + self.shift)), inplace=False) * self.scale
            first, second = torch.chunk(y, 2, dim=1)
            y = torch.cat((second, first), 1).mean(dim=(2, 3)).clamp(min=0.0, max=math.sqrt(9))
            best = torch.topk(self.head(y), k)
            n = x.shape[-1]
            return {"best": best[0], "n": -n + 1}, x[:, 1:, ..., None, 0].size(0), rest, named

    torch.manual_seed(0)
    return Block().eval()


def traced_text(torch):
    traced = torch.fx.symbolic_trace(block(torch))
    nodes = [
        (n.op, n.name, str(n.args), str(n.kwargs), str(list(n.users)), str(n.all_input_nodes))
        for n in traced.graph.nodes
    ]
    return str(traced.graph), traced.code, repr(traced).replace("Block", ""), nodes


def traced_values(torch):
    module = block(torch)
    x = torch.linspace(-1, 1, 72).view(2, 4, 3, 3)
    found = torch.fx.symbolic_trace(module)(x)
    assert torch.equal(found[0]["best"], module(x)[0]["best"])
    return [found[0]["best"].tolist(), found[0]["n"], found[1]]


def operators(torch):
    def program(x, y=3):
        return (
            (x + 1, 1 - x, 2**x, x // 2, x % 3, x @ x, -x, ~x, x == y, x < y, x[0], x[1:, None]),
            (x.T, x.mean(dim=0, keepdim=True), x.new_zeros(2), x << 1, x & 1, x.shape[0]),
        )

    return torch.fx.symbolic_trace(program).code


def concrete(torch):
    def program(x, flag, n=None):
        if flag:
            return x + 1
        return x - 1 if n is None else x * n

    on = torch.fx.symbolic_trace(program, concrete_args={"flag": True})
    off = torch.fx.symbolic_trace(program, concrete_args={"flag": False, "n": None})
    kept = torch.fx.symbolic_trace(program, concrete_args={"flag": False, "n": torch.fx.PH})
    return on.code, off.code, kept.code


def edited(torch):
    fx, nn = torch.fx, torch.nn
    torch.manual_seed(0)
    gm = fx.symbolic_trace(nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Dropout(0.1)))
    for node in list(gm.graph.nodes):
        if node.op == "call_module" and isinstance(gm.get_submodule(node.target), nn.Dropout):
            node.replace_all_uses_with(node.args[0])
            gm.graph.erase_node(node)
        elif node.op == "call_module":
            with gm.graph.inserting_after(node):
                more = gm.graph.call_function(torch.exp, (node,))
            with gm.graph.inserting_after(more):
                last = gm.graph.call_method("add", (more, 1))
                node.replace_all_uses_with(
                    last, delete_user_cb=lambda user, new=more: user is not new
                )
    gm.graph.lint()
    gm.recompile()
    gm.delete_all_unused_submodules()
    return gm.code, str(gm), str(gm.graph), gm(torch.ones(1, 2)).tolist()


def by_hand(torch):
    graph = torch.fx.Graph()
    x = graph.placeholder("x")
    y = graph.call_function(torch.neg, (x,))
    unused = graph.call_function(operator.iadd, (y, 2))
    z = graph.call_method("add", (y, 1))
    graph.output(z)
    graph.lint()
    gm = torch.fx.GraphModule(torch.nn.Module(), graph)
    before = gm.code
    graph.erase_node(unused)
    gm.recompile()
    return before, gm.code, gm(torch.ones(2)).tolist(), repr(x), y.format_node()


def rewritten(torch):
    def looked_for(a, b):
        return torch.relu(a) + b

    def instead(a, b):
        return torch.sigmoid(a) * b

    gm = torch.fx.symbolic_trace(lambda x, y: torch.relu(torch.relu(x * 2) + y - 1) + x)
    found = torch.fx.replace_pattern(gm, looked_for, instead)
    return gm.code, len(found), [m.anchor.name for m in found]


def walked(torch):
    gm = torch.fx.symbolic_trace(lambda x, y: torch.relu(x) + y**2)
    steps = []

    class Watch(torch.fx.Interpreter):
        def run_node(self, n):
            steps.append(n.name)
            return super().run_node(n)

    class Change(torch.fx.Transformer):
        def call_function(self, target, args, kwargs):
            return super().call_function(
                torch.tanh if target is torch.relu else target, args, kwargs
            )

    result = Watch(gm).run(torch.ones(2), torch.full((2,), 3.0))
    from importlib import import_module

    passes = import_module(torch.fx.__name__ + ".passes.shape_prop")
    passes.ShapeProp(gm).propagate(torch.ones(2, 3), torch.ones(3))
    shapes = [str(n.meta["tensor_meta"].shape) for n in gm.graph.nodes]
    return steps, result.tolist(), Change(gm).transform().code, shapes


def refused(torch):
    def branch(x):
        return x if x.sum() > 0 else -x

    def loop(x):
        return [y + 1 for y in x]

    def length(x):
        return len(x)

    told = []
    for program in (branch, loop, length):
        try:
            torch.fx.symbolic_trace(program)
        except Exception as error:
            told.append((type(error).__name__, str(error).rpartition("): ")[2][:50]))
    graph = torch.fx.Graph()
    x = graph.placeholder("x")
    graph.output(graph.call_function(torch.neg, (x,)))
    try:
        graph.erase_node(x)
    except RuntimeError as error:
        told.append(str(error).rpartition("): ")[2])
    return told


PROGRAMS = (
    traced_text,
    traced_values,
    operators,
    concrete,
    edited,
    by_hand,
    rewritten,
    walked,
    refused,
)
