"""The sparse rows of `op_db`: every operator and layout that PyTorch declares, on its own samples.

An operator whose entry has no sparse samples is asked on its dense ones, converted to the layout.
A pair passes where values, layouts and gradients of every sample equal PyTorch's; a sample that
PyTorch refuses must be refused with the same exception, or answered.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.testing._internal.common_methods_invocations import op_db

from .compare import TORCH, Comparer, Mismatch
from .convert import Converter
from .engine import load
from .sample import OracleRaises, Sample, cotangents

__all__ = ["LAYOUTS", "Row", "differences", "rows"]

LAYOUTS = {
    "coo": torch.sparse_coo,
    "csr": torch.sparse_csr,
    "csc": torch.sparse_csc,
    "bsr": torch.sparse_bsr,
    "bsc": torch.sparse_bsc,
}
UNSPECIFIED = {"randn_like", "rand_like", "empty_like"}
Row = tuple[Any, str]


class Case:
    """What a sample needs to know of the engine under test."""

    def __init__(self, name: str = "flambeau") -> None:
        self.engine = load(name)
        self.comparer = Comparer(self.engine)
        self.translator = Converter(self.engine).translator
        self.oracle_translator = Converter(TORCH).translator


def rows() -> list[Row]:
    """Every (operator, layout) that PyTorch declares as supported."""
    return [
        (info, name)
        for info in op_db
        for name, layout in LAYOUTS.items()
        if info.supports_sparse_layout(layout)
    ]


def samples(info: Any, name: str) -> Iterator[Any]:
    """The entry's sparse samples of that layout, or its dense ones as sparse tensors."""
    grad = info.supports_autograd
    try:
        found = list(info.sample_inputs_sparse(LAYOUTS[name], "cpu", torch.float32, grad))
    except Exception:
        found = []
    yield from found
    if not found:
        for sample in info.sample_inputs("cpu", torch.float32, grad):
            made = converted(sample.input, name)
            if made is not None:
                sample.input = made
                yield sample


def converted(source: Any, name: str) -> torch.Tensor | None:
    """A dense tensor in the layout, half of it zeros; None where the layout cannot hold it."""
    if not isinstance(source, torch.Tensor) or source.numel() == 0:
        return None
    if name != "coo" and source.ndim != 2:
        return None
    dense = source.detach() * (torch.arange(source.numel()).reshape(source.shape) % 2)
    blocks = {"blocksize": (1, 1)} if name.startswith("b") else {}
    made = dense.to_sparse(layout=LAYOUTS[name], **blocks)
    return made.requires_grad_(source.requires_grad)


def differences(info: Any, name: str, case: Case) -> list[str]:
    """What differs, a line for each sample; [] where the pair passes."""
    found = []
    for k, given in enumerate(samples(info, name)):
        sample = Sample(info, given, case)
        try:
            _check(sample, values=info.name not in UNSPECIFIED)
        except OracleRaises as refused:
            wanted = refused.__cause__
            try:
                _forward_and_gradients(sample.subject)
            except Exception as error:
                if not isinstance(error, type(wanted)):
                    found.append(f"{k}: raises {error!r}, torch raises {wanted!r}")
        except Mismatch as error:
            found.append(f"{k}: {error}")
        except Exception as error:
            found.append(f"{k}: raises {type(error).__name__}: {error}")
    return found


def _check(sample: Sample, values: bool) -> None:
    wanted = sample.expect(lambda: _forward_and_gradients(sample.oracle))
    mine = _forward_and_gradients(sample.subject)
    for part, (theirs, ours) in enumerate(zip(wanted, mine, strict=True)):
        sample.compare(theirs, ours, ("out", "gradients")[part], values=values)


def _forward_and_gradients(side: Any) -> tuple[Any, list[Any]]:
    """The result, and the gradients of its elements' weighted sum for the sample's leaves."""
    out, leaves = side.forward
    if not out.requires_grad or not leaves:
        return out, []
    dense = out.to_dense() if str(out.layout) != "torch.strided" else out
    (weight,) = cotangents([torch.empty(tuple(dense.shape))])
    dense.backward(Converter(side.engine)(weight))
    return out, [leaf.grad for leaf in leaves]
