"""``torch.backends``: the switches that scripts set, and which libraries there are.

flambeau computes with NumPy and its own kernels on the CPU: cuDNN and MPS are absent; the
switches can be read and set, and change nothing.
"""

from __future__ import annotations

from typing import Any

from flambeau.backends.cuda_flags import make_cuda
from flambeau.backends.flags import Flags

__all__ = [
    "cpu",
    "cuda",
    "cudnn",
    "cusparselt",
    "kleidiai",
    "mha",
    "mkl",
    "mkldnn",
    "mps",
    "nnpack",
    "openmp",
    "opt_einsum",
    "quantized",
]


def _yes() -> bool:
    """True: it is there."""
    return True


def _no() -> bool:
    """False: it is absent."""
    return False


def _nothing() -> None:
    """None: it is absent."""
    return None


def _always(*args: Any) -> bool:
    return False


def _get_cpu_capability() -> str:
    """The vector instructions that NumPy's kernels use here, in PyTorch's words."""
    from numpy.lib.introspect import opt_func_info

    found = str(opt_func_info(func_name="^add$"))
    return next((name for name in ("AVX512", "AVX2") if name in found), "DEFAULT")


class Verbose:
    """The block in which a library would print its calls; there is none to print."""

    def __init__(self, enable: int = 1) -> None:
        self.enable = enable

    def __enter__(self) -> Verbose:
        return self

    def __exit__(self, *exc: object) -> None:
        pass


PREFIX = "flambeau.backends."
cpu = Flags(PREFIX + "cpu", "The CPU.", {}, get_cpu_capability=_get_cpu_capability)
cuda = make_cuda(PREFIX + "cuda")
cudnn = Flags(
    PREFIX + "cudnn",
    "cuDNN: absent; its switches are kept.",
    {
        "enabled": True,
        "benchmark": False,
        "benchmark_limit": None,
        "deterministic": False,
        "allow_tf32": True,
        "fp32_precision": "none",
    },
    is_available=_no,
    version=_nothing,
    is_acceptable=_always,
)
cusparselt = Flags(PREFIX + "cusparselt", "Absent.", {}, is_available=_no, version=_nothing)
kleidiai = Flags(PREFIX + "kleidiai", "Absent.", {}, is_available=_no)
mha = Flags(PREFIX + "mha", "The fast path of attention in evaluation.", {"fastpath": True})


def get_fastpath_enabled() -> bool:
    """Whether attention may take its short way."""
    return bool(mha.fastpath)


def set_fastpath_enabled(value: bool) -> None:
    """Let attention take its short way, or not."""
    mha.fastpath = value


mha.__dict__.update(
    get_fastpath_enabled=get_fastpath_enabled, set_fastpath_enabled=set_fastpath_enabled
)
mkl = Flags(
    PREFIX + "mkl",
    "A BLAS: NumPy's own stands in.",
    {},
    is_available=_yes,
    verbose=Verbose,
    VERBOSE_OFF=0,
    VERBOSE_ON=1,
)
mkldnn = Flags(
    PREFIX + "mkldnn",
    "Fast kernels on the CPU: flambeau's own stand in.",
    {"enabled": True, "deterministic": False, "allow_tf32": True, "fp32_precision": "none"},
    is_available=_yes,
    verbose=Verbose,
    VERBOSE_OFF=0,
    VERBOSE_ON=1,
    VERBOSE_ON_CREATION=2,
)
mps = Flags(PREFIX + "mps", "Apple's GPU: absent.", {}, is_available=_no, is_built=_no)
nnpack = Flags(PREFIX + "nnpack", "Absent.", {"enabled": True}, is_available=_no)
openmp = Flags(PREFIX + "openmp", "Threads: flambeau's own stand in.", {}, is_available=_yes)
opt_einsum = Flags(
    PREFIX + "opt_einsum",
    "The order of contractions in einsum.",
    {"enabled": False, "strategy": None},
    is_available=_no,
)
quantized = Flags(
    PREFIX + "quantized",
    "Quantized layers compute as FBGEMM does, whichever is named.",
    {"engine": "x86", "supported_engines": ["qnnpack", "onednn", "x86", "fbgemm"]},
)
fp32_precision = "none"
