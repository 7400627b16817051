"""Which integer stands for a number half-way between two: at halves the order of rounding shows."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

import flambeau

pytestmark = pytest.mark.filterwarnings("ignore:.*quantized tensor creation functions")


def halves(step: float, count: int) -> np.ndarray:
    return (np.arange(-count, count) * np.float32(step) / 2).astype(np.float32).reshape(2, count)


@pytest.mark.parametrize("step", [0.1, 0.3, 0.0375])
@pytest.mark.parametrize("zero", [0, 7, 100])
@pytest.mark.parametrize("kind", ["quint8", "qint8", "qint32", "channels", "numbers"])
def test_integers_are_pytorchs(oracle: ModuleType, kind: str, zero: int, step: float) -> None:
    def made(torch: ModuleType) -> Any:
        x, scale = torch.from_numpy(halves(step, 150)), float(np.float32(step))
        if kind in ("channels", "numbers"):
            zeros = torch.full((2,), zero, dtype=torch.int64 if kind == "channels" else torch.float)
            q = torch.quantize_per_channel(x, torch.full((2,), scale), zeros, 0, torch.quint8)
        else:
            q = torch.quantize_per_tensor(x, scale, zero, getattr(torch, kind))
        return q.int_repr().numpy()

    assert (made(flambeau) == made(oracle)).all()


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
@pytest.mark.parametrize("zero", [0, 7, 100])
@pytest.mark.parametrize("kind", ["tensor", "channels", "numbers"])
def test_rounded_numbers_and_gradients_are_pytorchs(
    oracle: ModuleType, kind: str, zero: int, dtype: str
) -> None:
    def made(torch: ModuleType) -> Any:
        x = torch.from_numpy(halves(0.25, 300)).to(getattr(torch, dtype)).requires_grad_()
        if kind == "tensor":
            y = torch.fake_quantize_per_tensor_affine(x, 0.25, zero, 0, 255)
        else:
            zeros = torch.tensor([zero, zero + 1], dtype=torch.int32)
            zeros = zeros if kind == "channels" else zeros - 300.5
            scales = torch.tensor([0.25, 0.5])
            y = torch.fake_quantize_per_channel_affine(x, scales, zeros, 0, 0, 255)
        y.sum().backward()
        return y.tolist(), x.grad.tolist()

    assert made(flambeau) == made(oracle)


def test_zero_points_that_are_no_integers_have_their_scheme(oracle: ModuleType) -> None:
    def told(torch: ModuleType) -> Any:
        x = torch.linspace(-2, 2, 8).reshape(2, 4)
        scales, zeros = torch.tensor([1.0, 0.5]), torch.tensor([1.5, 2.25])
        q = torch.quantize_per_channel(x, scales, zeros, 0, torch.quint8)
        return [str(q), str(q.qscheme()), q.int_repr().tolist(), q.dequantize().tolist(),
                str(q.q_per_channel_scales()), str(q.q_per_channel_zero_points())]  # fmt: skip

    assert told(flambeau) == told(oracle)


def test_refusals_and_inputs_without_elements(oracle: ModuleType) -> None:
    for torch in (flambeau, oracle):
        x, scales = torch.zeros(2, 3), torch.ones(2)
        for zeros in (torch.zeros(2, dtype=torch.int64), torch.full((2,), 300, dtype=torch.int32)):
            with pytest.raises(RuntimeError):
                torch.fake_quantize_per_channel_affine(x, scales, zeros, 0, 0, 255)
        nan = torch.tensor([float("nan")])
        assert torch.fake_quantize_per_tensor_affine(nan, 0.5, 3, 0, 255).item() == -1.5
        on, none = torch.tensor(1), torch.empty(0, 5)
        low, high = torch.tensor(float("inf")), torch.tensor(float("-inf"))
        given = (torch.ones(1), torch.zeros(1, dtype=torch.int32), 0.01, 0, 255, 0)
        found = torch.fused_moving_avg_obs_fake_quant(none, on, on, low, high, *given)
        assert found.shape == (0, 5) and low.item() == float("inf")
