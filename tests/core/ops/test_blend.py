"""lerp, addcmul and addcdiv."""

from __future__ import annotations

import pytest

import flambeau as torch
from flambeau.autograd.gradcheck import gradcheck, gradgradcheck
from flambeau.core.kernels.jit import build


def three() -> list[torch.Tensor]:
    rows = [[0.3, -1.2], [1.1, 0.4], [0.7, 2.0]]
    return [torch.tensor(row, dtype=torch.float64, requires_grad=True) for row in rows]


def test_gradients() -> None:
    for function in (torch.lerp, torch.addcmul, torch.addcdiv):
        assert gradcheck(function, three())
        assert gradgradcheck(function, three())
    assert gradcheck(lambda a, b, c: torch.addcdiv(a, b, c, value=0.5), three())


def test_lerp_ends_exactly() -> None:
    a, b = torch.tensor([0.1]), torch.tensor([0.7])
    assert torch.equal(torch.lerp(a, b, 1.0), b)
    with pytest.raises(RuntimeError):
        torch.lerp(a, b.double(), 0.5)
    with pytest.raises(NotImplementedError):
        torch.lerp(torch.tensor([1]), torch.tensor([2]), 0.5)


def test_whole_numbers() -> None:
    one = torch.tensor([1])
    assert torch.addcmul(one, one, one, value=2).tolist() == [3]
    with pytest.raises(RuntimeError):
        torch.addcdiv(one, one, one)


@pytest.mark.skipif(not build.available(), reason="the NumPy form rounds twice")
@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize(
    "form",
    [
        "t.add(a, b, alpha=0.3)", "t.sub(a, b, alpha=3)", "a.clone().add_(b, alpha=-0.7)",
        "a.clone().sub_(b, alpha=0.7)", "t.addcmul(a, b, c, value=0.3)", "t.addcmul(a, b, c)",
        "a.clone().addcmul_(b, c, value=0.3)", "a.clone().addcmul_(b, c)",
        "t.addcdiv(a, b, c, value=0.3)", "a.clone().addcdiv_(b, c, value=0.3)",
        "a.clone().lerp_(b, 0.2)",
    ],
)  # fmt: skip
def test_rounded_as_pytorch_rounds(form, kind, oracle) -> None:
    """Whether a product and its sum are rounded once or twice shows in a third of the elements."""
    found = []
    for t in (torch, oracle):
        numbers = [[((k * 37 + 11 * j) % 101 + 50) / 77 for k in range(64)] for j in range(3)]
        a, b, c = (t.tensor(row, dtype=getattr(t, kind)) for row in numbers)
        found.append(eval(form, {"t": t, "a": a, "b": b, "c": c}).tolist())
    assert found[0] == found[1]
