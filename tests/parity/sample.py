"""One sample of an operator, evaluated once by torch and once by the engine under test.

Every aspect reads what it needs; nothing is computed twice for the same sample.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import torch
from torch.testing._internal.opinfo import core

from .compare import TORCH, Comparer
from .convert import Converter
from .engine import Engine
from .resolve import Private, Translator

SEED = 20260
# These wrappers hide masked-out elements behind private torch code; both sides call plainly.
PLAIN = {core.gradcheck_wrapper_masked_operation, core.gradcheck_wrapper_masked_pointwise_operation}


class OracleRaises(Exception):
    """torch itself refuses the sample, so there is nothing to compare."""


class Side:
    """What one engine makes of a sample: inputs, outputs, gradients."""

    def __init__(self, engine: Engine, translator: Translator, info: Any, sample: Any) -> None:
        self.engine = engine
        self.translator = translator
        self.info = info
        self.sample = sample

    @cached_property
    def op(self) -> Callable[..., Any]:
        """The operator of this engine."""
        return self.translator(self.info.op)

    def inputs(self) -> tuple[tuple[Any, ...], dict[str, Any], list[Any]]:
        """Fresh positional arguments, keyword arguments, and the differentiable leaves in them."""
        convert = Converter(self.engine, self.translator)
        args = tuple(convert(item) for item in (self.sample.input, *self.sample.args))
        kwargs = {key: convert(item) for key, item in self.sample.kwargs.items()}
        return args, kwargs, convert.leaves

    def call(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Call with the generator at its seed."""
        self.engine.seed(SEED)
        return function(*args, **kwargs)

    @cached_property
    def forward(self) -> tuple[Any, list[Any]]:
        """The plain result and the leaves it was computed from."""
        args, kwargs, leaves = self.inputs()
        return self.call(self.op, args, kwargs), leaves

    @property
    def is_plain(self) -> bool:
        """True where derivatives are taken of the plain result."""
        wrapper = self.info.gradcheck_wrapper
        process = self.sample.output_process_fn_grad
        return (
            (wrapper in PLAIN or wrapper.__name__ == "<lambda>")
            and process.__module__ == core.__name__
            and process.__name__ == "<lambda>"
        )

    def differentiable(self, *args: Any, **kwargs: Any) -> Any:
        """The function whose derivatives are defined: wrapped and processed as PyTorch does."""
        wrapper = self.info.gradcheck_wrapper
        if wrapper in PLAIN or wrapper.__name__ == "<lambda>":
            made = self.op(*args, **kwargs)
        else:
            made = self.translator(wrapper)(self.op, *args, **kwargs)
        process = self.sample.output_process_fn_grad
        if process.__module__ == core.__name__ and process.__name__ == "<lambda>":
            return made
        return self.translator(process)(made)

    @cached_property
    def processed(self) -> tuple[list[Any], list[Any]]:
        """Outputs that require grad (flat), and the leaves."""
        if self.is_plain:
            made, leaves = self.forward
        else:
            args, kwargs, leaves = self.inputs()
            made = self.call(self.differentiable, args, kwargs)
        return [t for t in flat(made, self.engine) if t.requires_grad], leaves


def flat(value: Any, engine: Engine) -> list[Any]:
    """The tensors in a result, in order."""
    if isinstance(value, engine.get("Tensor")):
        return [value]
    if isinstance(value, (list, tuple)):
        return [tensor for item in value for tensor in flat(item, engine)]
    if isinstance(value, dict):
        return [tensor for item in value.values() for tensor in flat(item, engine)]
    return []


def cotangents(tensors: list[torch.Tensor], seed: int = SEED) -> list[torch.Tensor]:
    """One fixed random cotangent for each of torch's outputs."""
    generator = torch.Generator().manual_seed(seed)
    made = []
    for tensor in tensors:
        wide = torch.complex128 if tensor.dtype.is_complex else torch.float64
        drawn = torch.randn(tuple(tensor.shape), dtype=wide, generator=generator)
        made.append(drawn.to(tensor.dtype))
    return made


class Sample:
    """The two sides of one sample, and the comparer for it."""

    def __init__(
        self, info: Any, sample: Any, case: Any, through: torch.dtype | None = None
    ) -> None:
        self.through = through  # the dtype that cotangents are rounded to first
        self.info = info
        self.sample = sample
        self.case = case
        self.compare: Comparer = case.comparer
        self.oracle = Side(TORCH, case.oracle_translator, info, sample)
        self.subject = Side(case.engine, case.translator, info, sample)

    def expect(self, compute: Callable[[], Any]) -> Any:
        """Evaluate torch's side; what torch refuses is `OracleRaises`, not a failure."""
        try:
            return compute()
        except Private:
            raise
        except Exception as error:
            raise OracleRaises(f"{type(error).__name__}: {error}") from error

    def cotangents(self, tensors: list[torch.Tensor], seed: int = SEED) -> list[torch.Tensor]:
        """One fixed random cotangent for each of torch's tensors."""
        made = cotangents(tensors, seed)
        if self.through is None:
            return made
        real, imag = self.through.to_real(), self.through.to_complex()
        return [t.to(imag if t.dtype.is_complex else real).to(t.dtype) for t in made]

    def to_subject(self, tensors: list[torch.Tensor]) -> list[Any]:
        """Torch tensors as tensors of the engine."""
        convert = Converter(self.case.engine, self.case.translator)
        return [convert(tensor) for tensor in tensors]
