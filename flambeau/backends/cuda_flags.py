"""``torch.backends.cuda``: switches of matrix products and attention on a GPU, kept."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from flambeau.backends.flags import Flags

__all__ = ["make_cuda"]

KERNELS = ("flash", "mem_efficient", "math", "cudnn")


def make_cuda(name: str) -> Flags:
    """The module; PyTorch's matmul switches hang below it."""
    matmul = Flags(
        name + ".matmul",
        "Precision of matrix products on a GPU.",
        {
            "allow_tf32": False,
            "allow_fp16_reduced_precision_reduction": True,
            "allow_bf16_reduced_precision_reduction": True,
            "allow_fp16_accumulation": False,
            "fp32_precision": "none",
        },
    )
    allowed = dict.fromkeys(KERNELS, True)
    functions: dict[str, Any] = {"matmul": matmul, "is_built": _is_built}

    @contextlib.contextmanager
    def sdp_kernel(
        enable_flash: bool = True,
        enable_math: bool = True,
        enable_mem_efficient: bool = True,
        enable_cudnn: bool = True,
    ) -> Iterator[None]:
        """Choose attention's kernels for a block."""
        before = dict(allowed)
        allowed.update(
            flash=enable_flash,
            math=enable_math,
            mem_efficient=enable_mem_efficient,
            cudnn=enable_cudnn,
        )
        try:
            yield
        finally:
            allowed.update(before)

    functions["sdp_kernel"] = sdp_kernel
    for kernel in KERNELS:
        ask, switch = _switch(allowed, kernel)
        functions |= {f"{kernel}_sdp_enabled": ask, f"enable_{kernel}_sdp": switch}
    return Flags(name, "CUDA: absent.", {}, **functions)


def _is_built() -> bool:
    """Whether there is CUDA: no."""
    return False


def _switch(allowed: dict[str, bool], kernel: str) -> tuple[Any, Any]:
    def enabled_now() -> bool:
        """Whether a kernel of attention is allowed."""
        return allowed[kernel]

    def enable(enabled: bool) -> None:
        """Allow a kernel of attention, or not."""
        allowed[kernel] = bool(enabled)

    return enabled_now, enable
