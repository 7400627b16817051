"""Small eager work, where the cost is the engine's and not the arithmetic's.

Written in PyTorch's API alone; ``torch`` is whichever engine the worker imported. Inputs come from
NumPy, so that both engines start from equal values whatever their generators do. A workload is a
function that builds its state and returns a call without arguments: one iteration, whose result is
what both engines must agree on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

# Time over PyTorch's that a kind of work may take at most.
LIMITS = {
    "elementwise": 0.8, "in place": 0.8, "chain": 0.6, "views": 1.0, "step": 0.5, "reduction": 0.8,
    "program": 0.8, "random": 0.8, "by index": 0.8, "order": 0.8, "complex": 0.8, "layer": 0.8,
}  # fmt: skip


class Workload(NamedTuple):
    """One line of the table: its kind (which has a limit, or none), its name and its builder."""

    kind: str
    name: str
    build: Callable[[Any], Callable[[], Any]]

    @property
    def limit(self) -> float | None:
        """Time over PyTorch's at most, None where none is promised."""
        return LIMITS.get(self.kind)


def array(*shape: int, seed: int = 0) -> np.ndarray:
    """float32 values in (0.5, 1.5): every function is defined there, and nothing overflows."""
    return np.random.default_rng(seed).uniform(0.5, 1.5, shape).astype(np.float32)


def leaf(torch: Any, *shape: int, seed: int = 0, grad: bool = False) -> Any:
    """A tensor of the engine that owns its memory."""
    return torch.tensor(array(*shape, seed=seed).tolist(), requires_grad=grad)


# An expression over a, b (4x4), m, k, d (4x4 of bools, ints, doubles) and torch, compiled into a
# function of nothing.
ELEMENTWISE = {
    "a + b": "a + b",
    "a * b": "a * b",
    "a * 2.0": "a * 2.0",
    "a / b": "a / b",
    "-a": "-a",
    "a ** 2": "a ** 2",
    "exp": "torch.exp(a)",
    "log": "a.log()",
    "sqrt": "a.sqrt()",
    "tanh": "torch.tanh(a)",
    "sigmoid": "a.sigmoid()",
    "relu": "torch.relu(a)",
    "maximum": "torch.maximum(a, b)",
    "clamp": "a.clamp(0.7, 1.2)",
    "where": "torch.where(m, a, b)",
    "addcmul": "torch.addcmul(a, a, b)",
    "a - 1.5": "a - 1.5",
    "1 / a": "1 / a",
    "pow": "torch.pow(a, b)",
    "abs": "a.abs()",
    "sin": "a.sin()",
    "fmod": "torch.fmod(a, b)",
    "lerp": "torch.lerp(a, b, 0.3)",
    "gelu": "torch.nn.functional.gelu(a)",
    "silu": "torch.nn.functional.silu(a)",
    "softplus": "torch.nn.functional.softplus(a)",
    "a + row": "a + b[0]",
    "2 ** a": "2 ** a",
    "a % b": "a % b",
    "a // b": "torch.div(a, b, rounding_mode='floor')",
    "floor": "a.floor()",
    "elu": "torch.nn.functional.elu(a)",
    "hardswish": "torch.nn.functional.hardswish(a)",
    "addcdiv": "torch.addcdiv(a, a, b, value=0.5)",
    "masked_fill": "a.masked_fill(m, float('-inf'))",
    "double": "a.double()",
    "a * whole": "a * k",
    "a * mask": "a * m",
    "a + double": "a + d",
    "where, numbers": "torch.where(m, a, 0)",
    "add, alpha": "torch.add(a, b, alpha=0.5)",
    "clamp, one bound": "a.clamp(min=0.7)",
    "nan_to_num": "torch.nan_to_num(a)",
    "glu": "torch.nn.functional.glu(a)",
    "mish": "torch.nn.functional.mish(a)",
    "lgamma": "a.lgamma()",
    "erfc": "a.erfc()",
    "sinc": "a.sinc()",
    "zeros_like": "torch.zeros_like(a)",
    "asin": "(a - 1).asin()",
    "atan2": "torch.atan2(a, b)",
    "exp2": "a.exp2()",
    "cosh": "a.cosh()",
    "log10": "a.log10()",
    "turned + a": "a.T + b",
    "sliced, exp": "a[:, 1:].exp()",
    "outer product": "a[:, :1] * b[0]",
    "where, turned": "torch.where(m, a.T, b)",
    "clamp min, turned": "a.T.clamp(min=0.7)",
}
NO_GRADIENT = {
    "a > b": "a > b",
    "a == b": "a == b",
    "isnan": "torch.isnan(a)",
    "whole / 2": "k / 2",
    "whole + 1.5": "k + 1.5",
    "whole ** 2": "k ** 2",
    "exp of whole": "k.exp()",
    "mask to float": "m.float()",
    "where of numbers": "torch.where(m, 1.0, 0.0)",
    "double % 0.7": "d % 0.7",
    "erfinv": "(a - 1).erfinv()",
    "digamma": "a.digamma()",
    "i0": "a.i0()",
    "whole % 3": "k % 3",
    "whole // whole": "k // k",
    "whole ** whole": "k ** k",
    "whole, clamp": "k.clamp(1, 5)",
    "whole, abs": "k.abs()",
    "whole & 3": "k & 3",
    "mask & mask": "m & m",
    "mask == mask": "m == m",
    "mask * mask": "m * m",
    "logical_and": "torch.logical_and(a, b)",
}
HALVES = {
    "a + b": "h + h2",
    "a * 0.3": "h * 0.3",
    "exp": "h.exp()",
    "a > b": "h > h2",
    "where": "torch.where(m, h, h2)",
    "clamp": "h.clamp(0.7, 1.2)",
    "float": "h.float()",
    "from float": "a.to(h.dtype)",
    "a + float": "h + a",
    "sum": "h.sum()",
    "mean(dim)": "h.mean(1)",
    "max": "h.max()",
    "std": "h.std()",
    "matmul": "h @ h2",
}
"""Of bfloat16 and of float16."""
WHOLE = {"a + b": "w + w", "a * 3": "w * 3", "a > b": "w > 3", "where": "torch.where(m, w, w)"}
"""Of integers of each width."""
IN_PLACE = {
    "add_": "a.add_(b).sub_(b)",
    "mul_ by scalar": "a.mul_(1.0)",
    "zero_": "a.zero_()",
    "+= on a result": "iadd(a * b, b)",
    "fill_": "a.fill_(1.0)",
    "copy_": "a.copy_(b)",
    "clamp_": "a.clamp_(0.0, 2.0)",
    "relu_": "a.relu_()",
    "masked_fill_": "a.masked_fill_(m, 1.0)",
    "lerp_": "a.lerp_(b, 0.3)",
    "into out": "torch.mul(a, b, out=a)",
    "exp into out": "torch.exp(b, out=a)",
    "a > b into out": "torch.gt(a, b, out=m)",
    "scaled sum into out": "torch.add(b, b, alpha=0.5, out=a)",
    "column, mul_": "a[:, 1].mul_(1.0)",
    "part, add_ of a row": "a[:, :2].add_(b[0, :2]).sub_(b[0, :2])",
    "add_, alpha": "a.add_(b, alpha=0.5).sub_(b, alpha=0.5)",
    "addcmul_": "a.addcmul_(b, b, value=0.0)",
    "copy_ of double": "a.copy_(d)",
    "mul_ by mask": "a.mul_(m | ~m)",
    "clamp_, one bound": "a.clamp_(min=0.0)",
    "gt_": "a.gt_(b)",
    "eq_ a number": "k.eq_(3)",
    "logical_and_": "a.logical_and_(b)",
    "logical_not_": "m.logical_not_().logical_not_()",
    "tril_": "a.tril_()",
    "view, fmod_": "a.view(16).fmod_(b.view(16))",
}
RANDOM = {  # zeros: the engines' streams are not at one place
    "normal_": "a.normal_().zero_()",
    "uniform_": "a.uniform_(-1, 1).zero_()",
    "bernoulli_": "a.bernoulli_(0.3).zero_()",
    "exponential_": "a.exponential_().zero_()",
    "random_": "k.random_(5).zero_()",
    "rand": "torch.rand(4, 4).zero_()",
    "randn of 3": "torch.randn(3).zero_()",
    "randn of 32 x 32": "torch.randn(32, 32).zero_()",
    "randint": "torch.randint(0, 5, (4,)).zero_()",
    "randperm": "torch.randperm(8).zero_()",
    "rand_like": "torch.rand_like(a).zero_()",
}
LAYERS = {
    "max_pool2d": "torch.nn.functional.max_pool2d(a[None, None], 2)",
    "max_pool1d": "torch.nn.functional.max_pool1d(a[None], 2)",
    "adaptive_avg_pool2d": "torch.nn.functional.adaptive_avg_pool2d(a[None, None], 1)",
    "batch_norm": "torch.nn.functional.batch_norm(a, a[0], b[0])",
    "batch_norm, training": "torch.nn.functional.batch_norm(a, None, None, training=True)",
    "group_norm": "torch.nn.functional.group_norm(a, 2)",
    "pad": "torch.nn.functional.pad(a, (1, 1))",
}
BY_INDEX = {
    "a[i, i]": "a[i, i]",
    "a[:, i]": "a[:, i]",
    "scatter_": "a.scatter_(1, j, b)",
    "scatter_ a number": "a.scatter_(1, j, 1.0)",
    "scatter_add": "a.scatter_add(1, j, b)",
    "index_add": "a.index_add(0, i, b[:2])",
    "index_copy_": "a.index_copy_(0, i, b[:2])",
    "index_fill_": "a.index_fill_(0, i, 1.0)",
    "put_": "a.put_(i, b[0, :2])",
    "take": "a.take(j)",
    "triu": "a.triu(1)",
    "flip": "a.flip(1)",
    "roll": "a.roll(1, 0)",
}
ORDER = {
    "sort": "a.sort(1).values",
    "argsort": "a.argsort(0)",
    "topk": "a.topk(2).indices",
    "median": "a.median()",
    "median(dim)": "a.median(1).values",
    "kthvalue": "a.kthvalue(2).values",
}
COMPLEX = {
    "c + c2": "torch.view_as_real(c + c2)",
    "c * c2": "torch.view_as_real(c * c2)",
    "c - c2, in place": "torch.view_as_real(c.sub_(c2).add_(c2))",
}
WRITTEN_RESULTS = {
    "add_": "(a * b).add_(b)",
    "mul_ by scalar": "(a * b).mul_(2.0)",
    "exp_": "(a * b).exp_()",
    "clamp_": "(a * b).clamp_(0.7, 1.2)",
}
VIEWS = {
    "transpose": "a.transpose(0, 1)",
    "reshape": "a.reshape(2, 8)",
    "slice": "a[1:3]",
    "unsqueeze": "a.unsqueeze(0)",
    "expand": "a.unsqueeze(0).expand(3, 4, 4)",
    "chain": "a.transpose(0, 1).reshape(4, 4, 1)[1:3].unsqueeze(0).expand(3, 2, 4, 1)",
    "permute, flatten": "a.view(2, 2, 4).permute(2, 0, 1).flatten(1)",
    "view": "a.view(-1)",
    "squeeze": "a.squeeze(0)",
    "narrow": "a.narrow(0, 1, 2)",
    "select": "a.select(1, 0)",
    "movedim": "a.movedim(0, 1)",
    "T": "a.T",
    "detach": "a.detach()",
    "chunk": "a.chunk(2)[1]",
    "unbind": "a.unbind(1)[0]",
    "diagonal": "a.diagonal()",
    "unfold": "a.unfold(0, 2, 1)",
    "unflatten": "a.unflatten(1, (2, 2))",
    "as_strided": "a.as_strided((2, 2), (4, 1))",
}
OTHER = {
    "matmul": "a @ b",
    "linear": "torch.nn.functional.linear(a, b, b[0])",
    "softmax": "a.softmax(-1)",
    "softmax, first dimension": "a.softmax(0)",
    "layer_norm": "torch.nn.functional.layer_norm(a, (4,))",
    "einsum": "torch.einsum('ij,kj->ik', a, b)",
    "log_softmax": "a.log_softmax(-1)",
    "a[0]": "a[0]",
    "a[mask]": "a[m]",
    "cat": "torch.cat((a, b))",
    "stack": "torch.stack((a, b))",
    "gather": "a.gather(1, j)",
    "clone": "a.clone()",
    "item": "a[0, 0].item()",
}
REDUCTIONS = {
    "sum": "a.sum()",
    "sum(dim)": "a.sum(1)",
    "mean(dim)": "a.mean(dim=1)",
    "mean, keepdim": "a.mean(-1, keepdim=True)",
    "max": "a.max()",
    "max(dim)": "a.max(dim=1).values",
    "argmax(dim)": "a.argmax(1)",
    "var(dim)": "a.var(1)",
    "std": "a.std()",
    "norm": "a.norm()",
    "prod": "a.prod()",
    "cumsum": "a.cumsum(1)",
    "cumprod": "a.cumprod(0)",
    "any": "m.any()",
    "sum of whole": "k.sum()",
    "index_select": "a.index_select(0, i)",
    "embedding": "torch.nn.functional.embedding(i, a)",
    "a[index]": "a[i]",
}
PROGRAMS = {
    "inference mode": "with torch.inference_mode():\n  return (a * b).sum()",
    "tensor of a list": "return torch.tensor([1.0, 2.0, 3.0])",
    "numpy": "return float(a.detach().numpy()[0, 0])",
    "standardize": "return (a - a.mean(0)) / (a.std(0) + 1e-8)",
    "accuracy": "return (a.argmax(1) == b.argmax(1)).float().mean()",
    "loop of scalars": "x = torch.tensor(1.0)\n for _ in range(5):\n  x = x * 0.9 + 0.1\n return x",
    "element by element": "t = 0.0\n for r in range(4):\n  t += a[r, r].item()\n return t",
}
CHAINS = {
    "(a*b+a).relu().sum()": "(a * b + a).relu().sum().backward()",
    "tanh(a @ b).mean()": "(a @ b).tanh().mean().backward()",
    "softmax(a*b)[0].sum()": "(a * b).softmax(-1)[0].sum().backward()",
    "(a - b).pow(2).mean()": "(a - b).pow(2).mean().backward()",
    "(a / b).sigmoid().log().sum()": "(a / b).sigmoid().log().sum().backward()",
    "a.T.reshape(2, 8)[1].exp().sum()": "a.T.reshape(2, 8)[1].exp().sum().backward()",
}


def expression(
    code: str, grad: bool = False, backward: bool = False, dtype: str = ""
) -> Callable[[Any], Any]:
    """The builder of an expression; of `dtype` are `h` and `h2`, or `w`."""

    def build(torch: Any) -> Callable[[], Any]:
        import operator

        a, b = leaf(torch, 4, 4, grad=grad), leaf(torch, 4, 4, seed=1, grad=grad)
        mask = array(4, 4) > array(4, 4, seed=1)
        names = {"torch": torch, "a": a, "b": b, "m": torch.tensor(mask.tolist())}
        names |= {"i": torch.tensor([2, 0]), "j": torch.tensor([[0, 1], [2, 3]])}
        names |= {"k": torch.arange(1, 17).view(4, 4), "d": b.detach().double()}
        names |= {"c": torch.complex(a.detach(), b.detach())}
        names["c2"] = names["c"] * 0.5
        if dtype:
            kind = getattr(torch, dtype)
            names |= {"h": a.to(kind), "h2": b.to(kind), "w": names["k"].to(kind)}
        names["iadd"] = operator.iadd
        if not backward:
            return eval(f"lambda: {code}", names)
        source = f"def once():\n a.grad = b.grad = None\n {code}\n return a.grad"
        exec(source, names)
        return names["once"]

    return build


def program(body: str) -> Callable[[Any], Any]:
    """The builder of a small program over a and b (4x4) and torch."""

    def build(torch: Any) -> Callable[[], Any]:
        names = {"torch": torch, "a": leaf(torch, 4, 4), "b": leaf(torch, 4, 4, seed=1)}
        exec(f"def once():\n {body}", names)
        return names["once"]

    return build


def perceptron(torch: Any) -> Any:
    """64-128-10 with ReLU, its weights from NumPy."""
    nn = torch.nn
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    with torch.no_grad():
        for seed, parameter in enumerate(model.parameters()):
            values = (array(*parameter.shape, seed=seed) - 1) / 4
            parameter.copy_(torch.tensor(values.tolist()))
    return model


def normed(torch: Any) -> Any:
    """The perceptron with layer norm and dropout, which keeps all: equal in either engine."""
    first, _, last = perceptron(torch)
    nn = torch.nn
    return nn.Sequential(first, nn.LayerNorm(128), nn.GELU(), nn.Dropout(0.0), last)


def step(
    make_optimizer: Callable[[Any, Any], Any], make_model: Callable[[Any], Any] = perceptron
) -> Callable[[Any], Any]:
    """A whole training step of the perceptron at batch 64."""

    def build(torch: Any) -> Callable[[], Any]:
        model = make_model(torch)
        optimizer = make_optimizer(torch.optim, model.parameters())
        x = leaf(torch, 64, 64, seed=9)
        y = torch.tensor([i % 10 for i in range(64)])
        cross_entropy = torch.nn.functional.cross_entropy

        def once() -> Any:
            loss = cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss

        return once

    return build


def forward(torch: Any) -> Callable[[], Any]:
    """The perceptron's forward pass on one row, without gradients."""
    model, x = perceptron(torch), leaf(torch, 1, 64)

    def once() -> Any:
        with torch.no_grad():
            return model(x)

    return once


def module_call(torch: Any) -> Callable[[], Any]:
    """What calling a module costs: its forward returns its argument."""

    class Identity(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            return x

    module, x = Identity(), leaf(torch, 4, 4)
    return lambda: module(x)


def table() -> list[Workload]:
    """Every workload, in the order of the report."""
    lines = []
    kinds = (
        ("elementwise", ELEMENTWISE), ("views", VIEWS), ("reduction", REDUCTIONS), ("other", OTHER),
    )  # fmt: skip
    for kind, codes in kinds:
        for name, code in codes.items():
            lines.append(Workload(kind, name, expression(code)))
            if name not in ("item", "any", "sum of whole"):
                lines.append(Workload(kind, f"{name}, grad", expression(code, grad=True)))
        if kind == "elementwise":
            lines += [Workload(kind, n, expression(code)) for n, code in NO_GRADIENT.items()]
            lines += [Workload("in place", n, expression(code)) for n, code in IN_PLACE.items()]
            lines += [
                Workload("in place", f"{name} on a result, grad", expression(code, grad=True))
                for name, code in WRITTEN_RESULTS.items()
            ]
    for kind, codes in (
        ("random", RANDOM), ("by index", BY_INDEX), ("order", ORDER), ("complex", COMPLEX),
        ("layer", LAYERS),
    ):  # fmt: skip
        lines += [Workload(kind, name, expression(code)) for name, code in codes.items()]
    for dtypes, codes in ((("bfloat16", "float16"), HALVES), (("uint8", "int16", "int32"), WHOLE)):
        for dtype in dtypes:
            for name, code in codes.items():
                kind = "elementwise" if name not in OTHER else "other"
                lines.append(Workload(kind, f"{dtype}: {name}", expression(code, dtype=dtype)))
    lines += [
        Workload("chain", f"{name}.backward()", expression(code, grad=True, backward=True))
        for name, code in CHAINS.items()
    ]
    lines += [Workload("program", name, program(code)) for name, code in PROGRAMS.items()]
    lines += [
        Workload("step", "Adam step", step(lambda optim, p: optim.Adam(p, lr=1e-3))),
        Workload("step", "SGD momentum step", step(lambda o, p: o.SGD(p, lr=1e-3, momentum=0.9))),
        Workload("step", "SGD step", step(lambda optim, p: optim.SGD(p, lr=1e-3))),
        Workload("step", "AdamW step", step(lambda optim, p: optim.AdamW(p, lr=1e-3))),
        Workload(
            "step",
            "AdamW step, layer norm and dropout",
            step(lambda optim, p: optim.AdamW(p, lr=1e-3), normed),
        ),
        Workload("module", "module call", module_call),
        Workload("module", "perceptron, one row", forward),
    ]
    return lines
