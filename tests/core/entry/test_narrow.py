"""16-bit floats and small integers on the short way: values, dtypes and strides as in PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import flambeau

HALVES = ("bfloat16", "float16")
INTS = ("uint8", "int8", "int16", "int32")
FLOATING = [
    "a + b", "a - b", "a * b", "a / b", "-a", "a.abs()", "a * 0.3", "0.3 * a", "a + 0.3",
    "0.3 - a", "a / 3", "1 / a", "a - a[0]", "a * a[0, 0]", "a + 70000.0", "a > b", "a <= 0.3",
    "a == 0.7001", "torch.where(a > 0, a, b)", "torch.where(a > 0, a, 0.3)", "a.clamp(-0.1, 0.7)",
    "a.clamp(min=0.3)", "torch.maximum(a, b)", "torch.fmin(a, 0 * b)", "a.relu()", "a.abs().sqrt()",
    "a.square()", "torch.addcmul(a, a, b, value=0.7)", "a[:, 1:] * b[:, :-1]", "a.t() + b.t()",
    "(a.t() + b).contiguous()", "a.clone().add_(b)", "a.clone().mul_(0.3)", "a.clone().clamp_(0.1, 0.7)",
    "torch.lerp(a, b, 0.3)", "a.floor()", "a.isnan()", "torch.mul(a, b, out=torch.empty_like(a))",
    "a.masked_fill(b > 0, 0.3)", "a.expand(2, 7, 7) * 2", "torch.fmod(a, b)", "a[:0] + b[:0]",
    "torch.nn.functional.leaky_relu(a)", "a.bfloat16() + a.half()", "a + a.float()", "a[0, 0] * 0.3",
]  # fmt: skip
WHOLE = [
    "a + b", "a - b", "a * b", "-a", "a * 3", "a + 100", "a + 300", "100 - a", "a - a[0]", "a > b",
    "a >= 100", "a == b", "torch.maximum(a, b)", "a.square()", "torch.where(a > 3, a, b)",
    "torch.where(a > 3, a, 1)", "a.clone().add_(b)", "a.clone().mul_(3)", "(a.t() + b).contiguous()", "a.relu()",
    "a[:, 1:] * b[:, :-1]", "a + 0.5", "a * 2**40", "a.masked_fill(b > 3, 1)", "a.sign()",
]  # fmt: skip


def _both(oracle: Any, code: str, dtype: str, whole: bool) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    if whole:
        drawn = [rng.integers(0, 128, (7, 7)).tolist() for _ in range(2)]
    else:
        drawn = [rng.normal(size=(7, 7)).tolist() for _ in range(2)]
        drawn[0][1][:3] = [float("nan"), float("inf"), -0.0]
    found = []
    for torch in (oracle, flambeau):
        a, b = (torch.tensor(x, dtype=getattr(torch, dtype)) for x in drawn)
        found.append(eval(code, {"torch": torch, "a": a, "b": b}))
    return found[0], found[1]


def _alike(theirs: Any, ours: Any) -> None:
    assert str(ours.dtype) == str(theirs.dtype)
    assert (ours.shape, ours.stride()) == (tuple(theirs.shape), theirs.stride())
    assert np.array_equal(ours.double().numpy(), theirs.double().numpy(), equal_nan=True)


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("code", FLOATING)
def test_halves_as_in_pytorch(code: str, dtype: str, oracle: Any) -> None:
    _alike(*_both(oracle, code, dtype, whole=False))


@pytest.mark.parametrize("dtype", INTS)
@pytest.mark.parametrize("code", WHOLE)
def test_small_integers_as_in_pytorch(code: str, dtype: str, oracle: Any) -> None:
    _alike(*_both(oracle, code, dtype, whole=True))


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("code", ["a + 0.0", "a * 1.5", "a / 3", "-a", "a.abs()", "a.square()"])
def test_every_number_is_rounded_as_in_pytorch(code: str, dtype: str, oracle: Any) -> None:
    every = np.arange(1 << 16).astype(np.uint16).view(np.int16)
    found = []
    for torch in (oracle, flambeau):
        a = torch.tensor(every.tolist(), dtype=torch.int16).view(getattr(torch, dtype))
        found.append(eval(code, {"a": a}))
    _alike(*found)


GRADIENTS = [
    "a * b", "a / (b.abs() + 1)", "a.exp()", "a.sigmoid()", "a.tanh()", "a.relu()", "a.square()",
    "torch.where(a > 0, a, b)", "torch.nn.functional.silu(a)", "(a.abs() + 1).sqrt()", "-a",
    "(a.abs() + 1).reciprocal()", "(a.abs() + 1).log()", "a - b", "a.clamp(-0.3, 0.3)",
]  # fmt: skip


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("code", GRADIENTS)
def test_gradients_as_in_pytorch(code: str, dtype: str, oracle: Any) -> None:
    rng = np.random.default_rng(0)
    drawn = [rng.normal(size=(9, 9)).tolist() for _ in range(3)]
    found = []
    for torch in (oracle, flambeau):
        a, b, g = (torch.tensor(x, dtype=getattr(torch, dtype)) for x in drawn)
        a, b = a.requires_grad_(), b.requires_grad_()
        eval(code, {"torch": torch, "a": a, "b": b}).backward(g)
        found.append([x.grad for x in (a, b) if x.grad is not None])
    for theirs, ours in zip(*found, strict=True):
        _alike(theirs, ours)


@pytest.mark.parametrize("dtype", HALVES)
def test_every_number_is_cast_as_in_pytorch(dtype: str, oracle: Any) -> None:
    every = np.arange(1 << 16).astype(np.uint16).view(np.int16)
    rng = np.random.default_rng(0)
    singles = np.exp(rng.uniform(-87, 88, 1 << 16)).tolist()
    found = []
    for torch in (oracle, flambeau):
        kind = getattr(torch, dtype)
        a = torch.tensor(every.tolist(), dtype=torch.int16).view(kind)
        b = torch.tensor(singles)
        other = torch.bfloat16 if kind is torch.float16 else torch.float16
        mask = torch.tensor([True, False])
        made = [a.float(), a.double(), a.to(other), a.bool(), b.to(kind), (-b).double().to(kind)]
        made += [mask.to(kind), torch.arange(999).to(kind), torch.arange(99).int().to(kind)]
        made += [torch.empty_like(b, dtype=kind).copy_(b), torch.empty_like(a).fill_(0.3)]
        made += [torch.empty_like(a).copy_(a), a.clone().zero_(), a[:9] + b[:9], a[:9] * b[0]]
        found.append(made)
    for theirs, ours in zip(*found, strict=True):
        _alike(theirs, ours)


@pytest.mark.parametrize("name", ["erfcx", "log_ndtr", "ndtri", "bessel_j0"])
def test_what_pytorch_refuses_of_halves_is_refused(name: str, oracle: Any) -> None:
    for torch in (oracle, flambeau):
        for kind in (torch.float16, torch.bfloat16):
            with pytest.raises(NotImplementedError):
                getattr(torch.special, name)(torch.ones(3, dtype=kind))
