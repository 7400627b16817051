"""16-bit floats: results and gradients are rounded where PyTorch rounds them, digit for digit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import flambeau as torch

pytestmark = pytest.mark.filterwarnings("ignore:index_reduce")
ROWS = [0, 1, 1, 0, 2, 0, 0, 0]
POSITIVE = {"xlogy", "xlog1py", "rsqrt", "kl_div", "poisson_nll_loss"}


def F(t: Any) -> Any:
    return t.nn.functional


CASES: dict[str, tuple[Callable[..., Any], tuple[tuple[int, ...], ...]]] = {
    "addcmul": (lambda t, a, b, c: t.addcmul(a, b, c, value=3.14), ((9, 8), (9, 8), (9, 8))),
    "addcdiv": (lambda t, a, b, c: t.addcdiv(a, b, c, value=3.14), ((9, 8), (9, 8), (9, 8))),
    "lerp": (lambda t, a, b: t.lerp(a, b, 0.4), ((9, 8), (9, 8))),
    "lerp by a tensor": (lambda t, a, b, c: t.lerp(a, b, c), ((9, 8), (9, 8), (9, 8))),
    "hypot": (lambda t, a, b: t.hypot(a, b), ((9, 8), (9, 8))),
    "xlogy": (lambda t, a, b: t.xlogy(a, b), ((9, 8), (9, 8))),
    "xlog1py": (lambda t, a, b: t.special.xlog1py(a, b), ((9, 8), (9, 8))),
    "ldexp": (lambda t, a, b: t.ldexp(a, b), ((9, 8), (9, 8))),
    "sinc": (lambda t, a: t.sinc(a), ((9, 8),)),
    "rsqrt": (lambda t, a: t.rsqrt(a), ((64,),)),
    "times a number": (lambda t, a: a * 0.3, ((9, 8),)),
    "prod": (lambda t, a: t.prod(a, 1), ((6, 7, 5),)),
    "logsumexp": (lambda t, a: t.logsumexp(a, 1), ((6, 7, 5),)),
    "softmax": (lambda t, a: t.softmax(a, 0), ((5, 5),)),
    "softmax of columns": (lambda t, a: t.softmax(a, 1), ((3, 6, 40),)),
    "glu": (lambda t, a: t.nn.functional.glu(a, -1), ((8, 2, 4),)),
    "cummax": (lambda t, a: t.cummax(a, 1)[0], ((5, 9, 5),)),
    "std": (lambda t, a: t.std(a, 1), ((5, 5, 5),)),
    "var": (lambda t, a: t.var(a, 1), ((5, 5, 5),)),
    "norm of order 3": (lambda t, a: t.linalg.vector_norm(a, 3), ((5, 5, 5),)),
    "kl_div": (lambda t, a, b: t.nn.functional.kl_div(a, b, reduction="none"), ((9, 8), (9, 8))),
    "poisson_nll_loss": (
        lambda t, a, b: t.nn.functional.poisson_nll_loss(a, b, False, True, reduction="none"),
        ((9, 8), (9, 8)),
    ),
    "cross entropy of logits": (
        lambda t, a, b: t.nn.functional.binary_cross_entropy_with_logits(a, b, reduction="none"),
        ((9, 8), (9, 8)),
    ),
    "binary cross entropy": (
        lambda t, a, b: t.nn.functional.binary_cross_entropy(
            a.sigmoid(), b.sigmoid(), reduction="none"
        ),
        ((9, 8), (9, 8)),
    ),
    "adaptive_avg_pool2d": (lambda t, a: F(t).adaptive_avg_pool2d(a, (5, 3)), ((2, 3, 8, 8),)),
    "avg_pool2d": (lambda t, a: F(t).avg_pool2d(a, 3, 2, 1), ((2, 3, 9, 9),)),
    "max_pool2d": (lambda t, a: F(t).max_pool2d(a, 3, 1, 1), ((2, 3, 9, 9),)),
    "reflected": (lambda t, a: F(t).pad(a, (2, 2, 3, 1), mode="reflect"), ((2, 3, 5, 5),)),
    "replicated": (lambda t, a: F(t).pad(a, (2, 2, 3, 1), mode="replicate"), ((2, 3, 5, 5),)),
    "circular": (lambda t, a: F(t).pad(a, (2, 2, 3, 1), mode="circular"), ((2, 3, 5, 5),)),
    "blocks": (lambda t, a: F(t).unfold(a, 3, padding=1), ((2, 3, 5, 5),)),
    "windows": (lambda t, a: a.unfold(1, 3, 1), ((4, 9, 3),)),
    "embedding": (lambda t, a: F(t).embedding(t.tensor(ROWS), a), ((4, 5),)),
    "index": (lambda t, a: a[t.tensor(ROWS)], ((5, 4),)),
    "index_add": (lambda t, a, b: t.index_add(a, 0, t.tensor(ROWS), b), ((5, 4), (8, 4))),
    "take": (lambda t, a: a.take(t.tensor(ROWS)), ((5, 4),)),
    "index_reduce": (
        lambda t, a, b: t.index_reduce(a, 0, t.tensor(ROWS), b, "mean"), ((5, 4), (8, 4))
    ),
    "attention": (lambda t, *a: F(t).scaled_dot_product_attention(*a), ((2, 3, 5, 8),) * 3),
    "causal attention": (
        lambda t, *a: F(t).scaled_dot_product_attention(*a, is_causal=True), ((2, 3, 5, 8),) * 3
    ),
    "huber_loss": (lambda t, a, b: F(t).huber_loss(a, b), ((9, 8), (9, 8))),
    "each huber_loss": (lambda t, a, b: F(t).huber_loss(a, b, "none"), ((9, 8), (9, 8))),
    "mse_loss": (lambda t, a, b: F(t).mse_loss(a, b), ((20, 20), (20, 20))),
    "nll_loss": (lambda t, a: F(t).nll_loss(a, t.arange(5)), ((5, 7),)),
    "a batch times one matrix": (lambda t, a, b: a @ b, ((5, 6, 5), (1, 5, 4))),
    "one matrix times a batch": (lambda t, a, b: a @ b, ((1, 4, 5), (5, 5, 6))),
    "addmm": (
        lambda t, a, b, c: t.addmm(a, b, c, beta=0.2, alpha=0.6), ((1,), (5, 4), (4, 6))
    ),
    "cube": (lambda t, a: a**3, ((9, 8),)),
    "inverse square": (lambda t, a: a**-2, ((9, 8),)),
    "inverse root": (lambda t, a: a.abs() ** -0.5, ((9, 8),)),
    "norm of order 1/2": (lambda t, a: t.norm(a, 0.5, 0), ((6, 7),)),
    "repeat": (lambda t, a: a.repeat(3, 2, 3), ((7, 5),)),
    "soft_margin_loss": (lambda t, a, b: F(t).soft_margin_loss(a, t.sign(b.detach())), ((9, 8),) * 2),
    "product of rows": (lambda t, a: t.prod(a, -1), ((5, 5, 5),)),
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", CASES)
def test_digits_are_pytorchs(name: str, dtype: str, oracle: Any) -> None:
    function, shapes = CASES[name]
    random = np.random.default_rng(3)
    values = [random.standard_normal(shape).astype("f4") for shape in shapes]
    if name in POSITIVE:
        values = [np.abs(x) + np.float32(0.1) for x in values]
    slope = None
    found = []
    for t in (oracle, torch):
        leaves = [t.tensor(x.tolist()).to(getattr(t, dtype)).requires_grad_() for x in values]
        out = function(t, *leaves)
        slope = random.standard_normal(tuple(out.shape)).tolist() if slope is None else slope
        out.backward(t.tensor(slope).to(out.dtype))
        parts = (out, *(a.grad for a in leaves if a.grad is not None))
        found.append([np.asarray(x.detach().float().tolist()) for x in parts])
    # An exponential's last digit is its library's, and now and then turns a rounding.
    for theirs, ours in zip(*found, strict=True):
        assert (theirs != ours).sum() <= 0.02 * theirs.size


def test_renorm_rounds_its_factor(oracle: Any) -> None:
    values = np.random.default_rng(3).standard_normal((5, 5, 5)).tolist()
    theirs, ours = (
        t.renorm(t.tensor(values).bfloat16(), 2, 1, 0.5).float().tolist() for t in (oracle, torch)
    )
    assert theirs == ours


def test_the_slope_of_certain_targets_is_infinite(oracle: Any) -> None:
    found = []
    for t in (oracle, torch):
        target = t.full((3,), 0.3, requires_grad=True)
        t.nn.functional.binary_cross_entropy(t.tensor([0.0, 1.0, 0.5]), target).backward()
        found.append(target.grad.tolist())
    assert found[0] == found[1]


def test_a_matrix_times_a_batch_sums_before_it_rounds(oracle: Any) -> None:
    random = np.random.default_rng(0)
    left, right, slope = (random.standard_normal(s) for s in ((5, 10), (5, 10, 5), (5, 5, 5)))
    found = []
    for t in (oracle, torch):
        a = t.tensor(left.tolist()).half().requires_grad_()
        b = t.tensor(right.tolist()).half().requires_grad_()
        (a @ b).backward(t.tensor(slope.tolist()).half())
        found.append([x.float().tolist() for x in (a.grad, b.grad)])
    assert found[0] == found[1]
