"""Autocast on the CPU: what is cast, what is not, when it ends."""

import pytest

import flambeau as torch

F = torch.nn.functional


def test_products_go_low_and_losses_stay():
    a = torch.ones(2, 2)
    with torch.autocast("cpu"):
        assert (
            torch.is_autocast_enabled("cpu") and torch.get_autocast_dtype("cpu") is torch.bfloat16
        )
        assert (a @ a).dtype is torch.bfloat16 and F.linear(a, a).dtype is torch.bfloat16
        assert (a + a).dtype is torch.float32 and torch.mm(
            a.double(), a.double()
        ).dtype is torch.float64
        assert F.mse_loss(a.bfloat16(), a.bfloat16()).dtype is torch.float32
        with torch.autocast("cpu", enabled=False):
            assert (a @ a).dtype is torch.float32
        with torch.autocast("cpu", dtype=torch.float16):
            assert (a @ a).dtype is torch.float16
    assert (a @ a).dtype is torch.float32 and not torch.is_autocast_enabled("cpu")


def test_gradients_come_back_in_the_parameters_dtype():
    m = torch.nn.Linear(3, 2)
    with torch.autocast("cpu"):
        y = m(torch.ones(4, 3)) + m(torch.ones(4, 3))
    y.float().sum().backward()
    assert m.weight.grad.dtype is torch.float32 and m.weight.grad.tolist() == [[8.0] * 3] * 2


def test_decorator_and_written_parameter():
    w = torch.ones(2, 2, requires_grad=True)

    @torch.autocast("cpu")
    def product():
        first = w @ w
        with torch.no_grad():
            w.mul_(2)
        return first, w @ w

    first, second = product()
    assert first[0, 0].item() == 2 and second[0, 0].item() == 8


def test_what_it_refuses():
    with pytest.warns(UserWarning, match="CUDA is not available"):
        torch.autocast("cuda")
    with pytest.warns(UserWarning, match="not supported"):
        torch.autocast("cpu", dtype=torch.float64)
    with pytest.raises(RuntimeError, match="unsupported autocast device_type"):
        torch.autocast("abacus")


def test_custom_function():
    class Times(torch.autograd.Function):
        @staticmethod
        @torch.amp.custom_fwd(device_type="cpu", cast_inputs=torch.float32)
        def forward(ctx, x):
            assert x.dtype is torch.float32 and not torch.is_autocast_enabled("cpu")
            return x * 2

        @staticmethod
        @torch.amp.custom_bwd(device_type="cpu")
        def backward(ctx, g):
            return g * 2

    x = torch.ones(2, dtype=torch.bfloat16, requires_grad=True)
    with torch.autocast("cpu"):
        Times.apply(x).sum().backward()
    assert x.grad.tolist() == [2, 2]


def test_composite_losses_and_recurrent_layers():
    a, b = torch.ones(2, 3, dtype=torch.bfloat16), torch.zeros(2, 3, dtype=torch.bfloat16)
    with torch.autocast("cpu"):
        assert (
            F.l1_loss(a, b).dtype is torch.float32
            and F.triplet_margin_loss(a, b, a).dtype is torch.float32
        )
        assert torch.nn.LSTM(3, 2)(torch.ones(1, 1, 3))[0].dtype is torch.bfloat16
        assert torch.nn.GRU(3, 2)(torch.ones(1, 1, 3))[0].dtype is torch.float32
