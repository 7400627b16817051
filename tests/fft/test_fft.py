"""torch.fft against NumPy, its gradients, and the short-time transform's way back."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau as torch
from flambeau.autograd import gradcheck, gradgradcheck

rng = np.random.default_rng(0)
REAL = rng.standard_normal((3, 4, 5))
COMPLEX = REAL + 1j * rng.standard_normal((3, 4, 5))


@pytest.mark.parametrize("norm", [None, "ortho", "forward"])
@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
def test_one_dimension(name, norm):
    a = REAL if name in ("rfft", "ihfft") else COMPLEX
    f = getattr(torch.fft, name)
    for n, dim in ((None, -1), (3, 1), (7, 0)):
        assert np.allclose(
            f(torch.tensor(a), n, dim, norm).numpy(), getattr(np.fft, name)(a, n, dim, norm)
        )
    x = torch.tensor(a[:2, :2]).requires_grad_()
    assert gradcheck(lambda x: f(x, norm=norm), (x,)) and gradgradcheck(
        lambda x: f(x, n=6, norm=norm), (x,)
    )


@pytest.mark.parametrize(
    "name", ["fftn", "ifftn", "rfftn", "irfftn", "fft2", "ifft2", "rfft2", "irfft2"]
)
def test_more_dimensions(name):
    a = REAL if name.startswith("rfft") else COMPLEX
    f, numpys = getattr(torch.fft, name), getattr(np.fft, name)
    for axes in ((0, 1), (-2, -1)):
        assert np.allclose(f(torch.tensor(a), dim=axes).numpy(), numpys(a, axes=axes))
    assert gradcheck(lambda x: f(x, dim=(0, 1)), (torch.tensor(a[..., 0]).requires_grad_(),))


def test_hermitian_pairs():
    x = torch.tensor(REAL)
    for f, g in ((torch.fft.ihfft2, torch.fft.hfft2), (torch.fft.ihfftn, torch.fft.hfftn)):
        assert np.allclose(
            g(f(x), s=(4, 5), dim=(-2, -1)).numpy()
            if f is torch.fft.ihfft2
            else g(f(x), s=(3, 4, 5)).numpy(),
            REAL,
        )


def test_precision_and_frequencies():
    assert torch.fft.fft(torch.ones(4)).dtype is torch.complex64
    assert torch.fft.rfft(torch.ones(4, dtype=torch.int64)).dtype is torch.complex64
    assert np.allclose(torch.fft.fftfreq(5, 0.5).numpy(), np.fft.fftfreq(5, 0.5))
    assert np.allclose(torch.fft.rfftfreq(6).numpy(), np.fft.rfftfreq(6))
    k = torch.arange(5)
    assert torch.fft.fftshift(k).tolist() == [3, 4, 0, 1, 2]
    assert torch.fft.ifftshift(torch.fft.fftshift(k)).tolist() == k.tolist()


@pytest.mark.parametrize(
    "call, kind, words",
    [
        (
            lambda: torch.fft.fft(torch.ones(3), n=0),
            RuntimeError,
            "Invalid number of data points \\(0\\)",
        ),
        (lambda: torch.fft.fft(torch.ones(3), dim=3), IndexError, "Dimension out of range"),
        (lambda: torch.fft.fft(torch.ones(3).half()), RuntimeError, "Unsupported dtype Half"),
        (
            lambda: torch.fft.fft(torch.ones(3), norm="x"),
            RuntimeError,
            "Invalid normalization mode",
        ),
        (lambda: torch.fft.rfft(torch.ones(3).cfloat()), RuntimeError, "expects a real input"),
        (lambda: torch.fft.fftn(torch.ones(3, 3), dim=(0, 0)), RuntimeError, "must be unique"),
        (lambda: torch.fft.fftn(torch.ones(3, 3), s=(2,), dim=(0, 1)), RuntimeError, "same length"),
    ],
)
def test_errors(call, kind, words):
    with pytest.raises(kind, match=words):
        call()


@pytest.mark.parametrize(
    "hop, center, normalized", [(2, True, False), (4, True, True), (2, True, True)]
)
def test_short_time_transform_and_back(hop, center, normalized):
    x = torch.tensor(rng.standard_normal((2, 40)))
    window = torch.hann_window(8, dtype=torch.float64)
    spectrum = torch.stft(
        x, 8, hop, window=window, center=center, normalized=normalized, return_complex=True
    )
    assert spectrum.shape == (2, 5, 40 // hop + 1)
    back = torch.istft(
        spectrum, 8, hop, window=window, center=center, normalized=normalized, length=40
    )
    assert torch.allclose(back, x)
    f = lambda x: torch.stft(x, 8, hop, window=window, return_complex=True)
    assert gradcheck(f, (x[:, :12].clone().requires_grad_(),))


@pytest.mark.parametrize("shape", [(1,), (2,), (7,), (8,), (5, 6), (4, 7), (3, 4, 5)])
def test_real_input_has_the_spectrum_of_the_complex_one(shape):
    x = torch.randn(shape, dtype=torch.float64)
    for dim in ((-1,), (0,), tuple(range(len(shape)))):
        for transform in (torch.fft.fftn, torch.fft.ifftn):
            found = transform(x, dim=dim)
            assert torch.allclose(found, transform(x.to(torch.complex128), dim=dim))
            assert not found.is_conj()
    if len(shape) > 1:
        assert torch.allclose(torch.fft.fft2(x.mT), torch.fft.fft2(x.mT.to(torch.complex128)))


def test_the_node_of_real_input():
    x = torch.randn(6, requires_grad=True)
    assert torch.fft.fft(x).grad_fn.name() == "FftR2CBackward0"
    assert torch.fft.fft(torch.zeros(3, 0)[:2], n=4).tolist() == [[0, 0, 0, 0]] * 2


@pytest.mark.parametrize("size", [2, 3, 7, 8])
@pytest.mark.parametrize("dim", [(-1,), (0,), (0, 1), (1, 0)])
def test_gradients_of_half_spectra(oracle, size, dim):
    """They go through half spectra themselves, where PyTorch's fill the other half with zeros."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((size, size))
    for there, back in (("rfftn", "irfftn"), ("ihfftn", "hfftn")):
        found = []
        for engine in (torch, oracle):
            t = engine.tensor(x, requires_grad=True)
            half = getattr(engine.fft, there)(t, dim=dim)
            again = getattr(engine.fft, back)(half * (1 + 2j), dim=dim)
            loss = (half.abs() ** 2).sum() + (again**3).sum() + half.imag.sum()
            (first,) = engine.autograd.grad(loss, t, create_graph=True)
            (second,) = engine.autograd.grad(first.square().sum(), t)
            found.append((first.detach().numpy(), second.numpy()))
        for ours, theirs in zip(*found, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9 * np.abs(theirs).max())
