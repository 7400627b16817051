"""`torch.fft`: discrete Fourier transforms, real and complex, in any number of dimensions.

Written by scripts/stubs.py; change what it was made from."""

from typing import Any

from flambeau.core.tensor import Tensor

def fft(
    input: Tensor,
    n: int | None = None,
    dim: int = -1,
    norm: str | None = None,
    *,
    out: Any = None,
) -> Tensor:
    """The discrete Fourier transform over dimension `dim`."""

def fft2(
    input: Tensor,
    s: Any = None,
    dim: Any = ...,
    norm: str | None = None,
    *,
    out: Any = None,
) -> Tensor:
    """The discrete Fourier transform over the last two dimensions."""

def fftfreq(
    n: int,
    d: float = 1.0,
    *,
    out: Any = None,
    dtype: Any = None,
    **options: Any,
) -> Tensor:
    """The frequencies of `fft`'s bins for samples `d` apart:"""

def fftn(
    input: Tensor,
    s: Any = None,
    dim: Any = None,
    norm: str | None = None,
    *,
    out: Any = None,
) -> Tensor:
    """The discrete Fourier transform over `dim` (all dimensions by default)."""

def fftshift(input: Tensor, dim: Any = None) -> Tensor:
    """The spectrum with frequency zero in the middle."""

def hfft(
    input: Tensor,
    n: int | None = None,
    dim: int = -1,
    norm: str | None = None,
    *,
    out: Any = None,
) -> Tensor:
    """The real Fourier transform of a hermitian signal's half over dimension `dim`."""

def hfft2(
    input: Tensor,
    s: Any = None,
    dim: Any = ...,
    norm: str | None = None,
    *,
    out: Any = None,
) -> Tensor:
    """The real Fourier transform of a hermitian signal's half over the last two ..."""

def hfftn(
    input: Tensor,
    s: Any = None,
    dim: Any = None,
    norm: str | None = None,
    *,
    out: Any = None,
) -> Tensor:
    """The real Fourier transform of a hermitian signal's half over `dim` (all ..."""

def ifft(
    input: Tensor,
    n: int | None = None,
    dim: int = -1,
    norm: str | None = None,
    *,
    out: Any = None,
) -> Tensor:
    """The inverse discrete Fourier transform over dimension `dim`."""

def ifft2(
    input: Tensor,
    s: Any = None,
    dim: Any = ...,
    norm: str | None = None,
    *,
    out: Any = None,
) -> Tensor:
    """The inverse discrete Fourier transform over the last two dimensions."""

def ifftn(
    input: Tensor,
    s: Any = None,
    dim: Any = None,
    norm: str | None = None,
    *,
    out: Any = None,
) -> Tensor:
    """The inverse discrete Fourier transform over `dim` (all dimensions by default)."""

def ifftshift(input: Tensor, dim: Any = None) -> Tensor:
    """The inverse of `fftshift`."""

def ihfft(
    input: Tensor,
    n: int | None = None,
    dim: int = -1,
    norm: str | None = None,
    *,
    out: Any = None,
) -> Tensor:
    """The inverse of `hfft`: a half of the hermitian signal over dimension `dim`."""

def ihfft2(
    input: Tensor,
    s: Any = None,
    dim: Any = ...,
    norm: str | None = None,
    *,
    out: Any = None,
) -> Tensor:
    """The inverse of `hfft`: a half of the hermitian signal over the last two dimensions."""

def ihfftn(
    input: Tensor,
    s: Any = None,
    dim: Any = None,
    norm: str | None = None,
    *,
    out: Any = None,
) -> Tensor:
    """The inverse of `hfft`: a half of the hermitian signal over `dim` (all dimensions ..."""

def irfft(
    input: Tensor,
    n: int | None = None,
    dim: int = -1,
    norm: str | None = None,
    *,
    out: Any = None,
) -> Tensor:
    """The real inverse of `rfft`; the last size is ``2 * (m - 1)`` unless given over ..."""

def irfft2(
    input: Tensor,
    s: Any = None,
    dim: Any = ...,
    norm: str | None = None,
    *,
    out: Any = None,
) -> Tensor:
    """The real inverse of `rfft`; the last size is ``2 * (m - 1)`` unless given over ..."""

def irfftn(
    input: Tensor,
    s: Any = None,
    dim: Any = None,
    norm: str | None = None,
    *,
    out: Any = None,
) -> Tensor:
    """The real inverse of `rfft`; the last size is ``2 * (m - 1)`` unless given over ..."""

def rfft(
    input: Tensor,
    n: int | None = None,
    dim: int = -1,
    norm: str | None = None,
    *,
    out: Any = None,
) -> Tensor:
    """The half of a real input's Fourier transform that determines the rest over ..."""

def rfft2(
    input: Tensor,
    s: Any = None,
    dim: Any = ...,
    norm: str | None = None,
    *,
    out: Any = None,
) -> Tensor:
    """The half of a real input's Fourier transform that determines the rest over the ..."""

def rfftfreq(
    n: int,
    d: float = 1.0,
    *,
    out: Any = None,
    dtype: Any = None,
    **options: Any,
) -> Tensor:
    """The frequencies of `rfft`'s bins for samples `d` apart."""

def rfftn(
    input: Tensor,
    s: Any = None,
    dim: Any = None,
    norm: str | None = None,
    *,
    out: Any = None,
) -> Tensor:
    """The half of a real input's Fourier transform that determines the rest over `dim` ..."""
