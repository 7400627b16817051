"""The short-time Fourier transform and its inverse: overlapping frames, windowed and transformed.
Stands on fft.
"""

from __future__ import annotations

import warnings

from flambeau.core.declare import composite, ops
from flambeau.core.errors import fail
from flambeau.core.ops.fft import legible
from flambeau.core.ops.pad import pad as pad_tensor
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import Tensor

__all__: list[str] = []


def _full_window(
    name: str, window: Tensor | None, n_fft: int, win_length: int, like: Tensor
) -> Tensor | None:
    """The window, with zeros on both sides up to the length of a frame."""
    if window is None:
        warnings.warn(
            "A window was not provided. A rectangular window will be applied, which is known to "
            "cause spectral leakage. Other windows "
            "such as torch.hann_window or torch.hamming_window are recommended to reduce spectral "
            "leakage. To suppress this warning "
            "and use a rectangular window, explicitly set `window=torch.ones(n_fft, "
            "device=<device>)`.",
            UserWarning,
            stacklevel=stack_level(),
        )
        if win_length == n_fft:
            return None
        window = ops.ones(
            win_length, dtype=ops.real(like).dtype if like.is_complex() else like.dtype
        )
    if win_length < n_fft:
        left = (n_fft - win_length) // 2
        window = pad_tensor(window, (left, n_fft - win_length - left))
    return window


def _check_lengths(
    name: str, input: Tensor, n_fft: int, hop: int, win: int, window: Tensor | None
) -> None:
    head = f"{name}({legible(input)}, n_fft={n_fft}, hop_length={hop}, win_length={win})"
    if hop <= 0:
        raise fail(
            RuntimeError, name, f"{head} : expected hop_length > 0, but got hop_length={hop}"
        )
    if not 0 < win <= n_fft:
        raise fail(
            RuntimeError,
            name,
            f"{head} : expected 0 < win_length <= n_fft, but got win_length={win}",
        )
    if window is not None and (window.dim() != 1 or window.shape[0] != win):
        raise fail(
            RuntimeError,
            name,
            f"{head} : expected a 1D window tensor of size equal to win_length={win}, but got "
            f"window with size {list(window.shape)}",
        )


def _refuse_integers(input: Tensor, n_fft: int) -> None:
    raise fail(
        RuntimeError,
        "stft",
        f"stft({legible(input)}, n_fft={n_fft}) : expected a tensor of floating point or complex "
        "values. Use .float().",
    )


@composite(method=True)
def stft(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    pad_mode: str = "reflect",
    normalized: bool = False,
    onesided: bool | None = None,
    return_complex: bool | None = None,
    align_to_window: bool | None = None,
) -> Tensor:
    """The Fourier transforms of overlapping frames.

    Args:
        n_fft: the length of a frame.
        hop_length: how far frames are apart; a quarter of `n_fft` by default.
        win_length: the length of the window, `n_fft` by default; a shorter one is centred.
        window: the factors of a frame's samples; ones by default.
        center: pad the signal by half a frame on both sides (`pad_mode`), so that frame t is
            centred on t * hop_length.
        normalized: divide by ``sqrt(n_fft)``.
        onesided: only the frequencies from 0 to half; by default where input and window are real.
        return_complex: False gives real and imaginary parts in a last dimension.

    Shape: (*, L) -> (*, frequencies, frames).
    """
    hop = n_fft // 4 if hop_length is None else hop_length
    win = n_fft if win_length is None else win_length
    if return_complex is None:
        if not input.is_complex() and not (window is not None and window.is_complex()):
            raise fail(
                RuntimeError,
                "stft",
                "stft requires the return_complex parameter be given for real inputs, and will "
                "further require that return_complex=True in a future PyTorch release.",
            )
        return_complex = True
    if not return_complex:
        warnings.warn(
            "stft with return_complex=False is deprecated. In a future pytorch release, stft will "
            "return complex tensors for all "
            "inputs, and return_complex=False will raise an error.\nNote: you can still call "
            "torch.view_as_real on the complex output "
            "to recover the old return format.",
            UserWarning,
            stacklevel=stack_level(),
        )
    if input.dim() not in (1, 2):
        raise fail(
            RuntimeError,
            "stft",
            f"stft({legible(input)}, n_fft={n_fft}, hop_length={hop}, win_length={win}) : "
            "expected a 1D or 2D tensor",
        )
    if not center and not (input.is_floating_point() or input.is_complex()):
        _refuse_integers(input, n_fft)
    if center and align_to_window is not None:
        raise fail(
            RuntimeError, "stft", "stft align_to_window should only be set when center = false."
        )
    if center:
        half = n_fft // 2
        extended = input.reshape([1] * (3 - input.dim()) + list(input.shape))
        extended = pad_tensor(extended, (half, half), pad_mode)
        if not (input.is_floating_point() or input.is_complex()):
            _refuse_integers(input, n_fft)
        input = extended.reshape(extended.shape[-input.dim() :])
    batched = input.dim() == 2
    if not batched:
        input = input.unsqueeze(0)
    _check_lengths("stft", input, n_fft, hop, win, window)
    if not 0 < n_fft <= input.shape[1]:
        raise fail(
            RuntimeError,
            "stft",
            f"stft({legible(input)}) : expected 0 < n_fft < {input.shape[1]}, but got n_fft={win}",
        )
    is_complex = input.is_complex() or (window is not None and window.is_complex())
    full = _full_window("stft", window, n_fft, win, input)
    if align_to_window:
        left = (n_fft - win) // 2
        input = pad_tensor(input, (left, left))
    frames = input.unfold(-1, n_fft, hop)
    if full is not None:
        frames = frames * full
    if onesided is None:
        onesided = not is_complex
    if onesided and is_complex:
        raise fail(
            RuntimeError, "stft", "Cannot have onesided output if window or input is complex"
        )
    norm = "ortho" if normalized else None
    found = (
        ops.fft_rfft(frames, dim=-1, norm=norm)
        if onesided
        else ops.fft_fft(frames, dim=-1, norm=norm)
    )
    found = found.transpose(1, 2)
    if not batched:
        found = found.squeeze(0)
    return found if return_complex else ops.view_as_real(found)


def _overlap_add(frames: Tensor, hop: int, total: int) -> Tensor:
    """The sum of frames laid `hop` apart: what `unfold` gives, put back."""
    return ops.unfold_backward(frames, (frames.shape[0], total), 1, frames.shape[-1], hop)


@composite(method=True)
def istft(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    normalized: bool = False,
    onesided: bool | None = None,
    length: int | None = None,
    return_complex: bool = False,
) -> Tensor:
    """The signal whose short-time transform is nearest to `input`: overlapping frames, weighted by
    the window.

    Args:
        length: the signal is cut, or filled with zeros, to it.

    Raises:
        RuntimeError: the squared windows do not overlap to something above zero everywhere.

    Reference: D. Griffin and J. Lim, Signal estimation from modified short-time Fourier transform,
        1984.
    """
    hop = n_fft // 4 if hop_length is None else hop_length
    win = n_fft if win_length is None else win_length
    if not input.is_complex():
        raise fail(
            RuntimeError,
            "istft",
            "istft requires a complex-valued input tensor matching the output from stft with "
            "return_complex=True.",
        )
    if not input.numel():
        raise fail(
            RuntimeError, "istft", f"istft({legible(input)}) : input tensor cannot be empty."
        )
    if input.dim() not in (2, 3):
        raise fail(
            RuntimeError,
            "istft",
            f"istft({legible(input)}) : expected a tensor with 3 or 4 dimensions, but got "
            f"{input.dim()}",
        )
    if onesided is None:
        onesided = input.shape[-2] != n_fft
    wanted = n_fft // 2 + 1 if onesided else n_fft
    if input.shape[-2] != wanted:
        words = (
            f"n_fft / 2 + 1 when onesided=True, but got {input.shape[-2]}"
            if onesided
            else f"n_fft when onesided=False, but got {input.shape[-2]}"
        )
        raise fail(
            RuntimeError,
            "istft",
            "expected the frequency dimension (3rd to the last) of the input tensor to match "
            f"{words}",
        )
    _check_lengths("istft", input, n_fft, hop, win, window)
    if window is not None and window.is_complex() and (onesided or not return_complex):
        raise fail(
            RuntimeError, "istft", "Complex windows are incompatible with return_complex=False"
        )
    batched = input.dim() == 3
    if not batched:
        input = input.unsqueeze(0)
    real = ops.real(input).dtype
    full = _full_window("istft", window, n_fft, win, input)
    if full is None:
        full = ops.ones(n_fft, dtype=real)
    norm = "ortho" if normalized else None
    frames = input.transpose(1, 2)
    if return_complex:
        if onesided:
            raise fail(
                RuntimeError, "istft", "cannot have onesided output if window or input is complex"
            )
        frames = ops.fft_ifft(frames, dim=-1, norm=norm)
    else:
        if not onesided:
            frames = frames.narrow(-1, 0, n_fft // 2 + 1)
        frames = ops.fft_irfft(frames, n_fft, dim=-1, norm=norm)
    count = frames.shape[1]
    total = n_fft + hop * (count - 1)
    y = _overlap_add(frames * full, hop, total)
    weight = _overlap_add((full * full).expand((1, count, n_fft)), hop, total)
    start = n_fft // 2 if center else 0
    end = start + length if length is not None else total - n_fft // 2 if center else total
    stop = min(end, total)
    y, weight = y.narrow(1, start, stop - start), weight.narrow(1, start, stop - start)
    if bool((ops.abs(weight) < 1e-11).any()):
        raise fail(
            RuntimeError,
            "istft",
            f"window overlap add min: {float(ops.abs(weight).min())} is zero somewhere: no signal "
            "has this transform. Use a window and hop that overlap.",
        )
    found = y / weight
    if end > total:
        warnings.warn(
            "The length of signal is shorter than the length parameter. Result is being padded "
            "with zeros in the tail. Please check your center and hop_length settings.",
            UserWarning,
            stacklevel=stack_level(),
        )
        found = pad_tensor(found, (0, end - total))
    return found if batched else found.squeeze(0)
