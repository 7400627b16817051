"""`torch.fft`: discrete Fourier transforms, real and complex, in any number of dimensions.

The functions are operations of `core.ops.fft`; this file gives them their public names.
"""

from __future__ import annotations

from flambeau.core.late import operation as _operation
from flambeau.core.titles import entitle as _entitle

__all__ = [
    "fft",
    "fft2",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "hfft2",
    "hfftn",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "ihfft",
    "ihfft2",
    "ihfftn",
    "irfft",
    "irfft2",
    "irfftn",
    "rfft",
    "rfft2",
    "rfftfreq",
    "rfftn",
]

for _name in __all__:
    globals()[_name] = _operation("fft_" + _name)
    _entitle(globals()[_name], _name, __name__)
