"""`op_db`: every operator of PyTorch, sample by sample, over the table of aspects."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Any

import torch

from .aspects import TABLE, Aspect
from .compare import TORCH, Comparer
from .convert import Converter
from .engine import Engine
from .limit import limit
from .resolve import Private, Translator
from .result import Result, died
from .sample import OracleRaises, Sample
from .tolerance import overrides
from .truth import measured

NAME = "op_db"
# OpInfo's method for each kind of input. Reference inputs are about ten times as many; an entry
# that has none of its own gives its samples.
INPUTS = {"samples": "sample_inputs", "reference": "reference_inputs"}
# (dtype, aspects) of the default run.
DEFAULT = (
    ("float32", ("forward", "grad")),
    ("float64", ("gradgrad",)),
    ("int64", ("forward",)),
    ("bool", ("forward",)),
)
_VARIANTS = ("strides", "noncontiguous", "method", "inplace", "out")
# What CI runs, on the samples that selection.py chooses.
DAILY = (
    ("float32", ("forward", "grad", *_VARIANTS, "vmap", "errors")),
    ("float64", ("gradgrad", "jvp")),
    ("int64", ("forward", "method", "inplace", "out")),
    ("bool", ("forward", "method", "inplace", "out")),
)
FULL = (
    ("float32", ("forward", "grad", *_VARIANTS, "vmap", "errors", "refused")),
    ("float64", ("forward", "grad", "gradgrad", "jvp")),
    ("int64", ("forward", *_VARIANTS, "refused")),
    ("bool", ("forward", *_VARIANTS, "refused")),
    ("complex64", ("forward", "grad", "inplace", "out", "refused")),
    ("complex128", ("forward", "grad", "gradgrad", "jvp")),
    ("bfloat16", ("forward", "grad", "refused")),
    ("float16", ("forward", "grad", "refused")),
    *((dtype, ("forward", *_VARIANTS)) for dtype in ("int8", "int16", "int32", "uint8")),
    *((dtype, ("forward", "strides", "out")) for dtype in ("uint16", "uint32", "uint64")),
    ("complex32", ("forward", "grad", *_VARIANTS)),
    *(
        (f"float8_{kind}", ("forward", "out"))
        for kind in ("e4m3fn", "e5m2", "e4m3fnuz", "e5m2fnuz")
    ),
)
# PyTorch's own skip says that torch is wrong or crashes on the CPU.
TORCH_IS_WRONG: dict[str, str] = {}


@lru_cache(maxsize=1)
def entries() -> dict[str, Any]:
    """Full name (`polygamma.polygamma_n_0`) -> OpInfo, in the order of the database."""
    from torch.testing._internal.common_methods_invocations import op_db

    return {info.full_name: info for info in op_db}


@lru_cache(maxsize=1)
def out() -> dict[str, str]:
    """Entries that have no public name in PyTorch -> why."""
    found = {}
    translator = Translator(TORCH, Converter(TORCH))
    for name, info in entries().items():
        parts = info.name.split(".")
        if any(p.startswith("_") and not p.endswith("__") for p in parts) or "ops" in parts:
            found[name] = "private name"
        elif info.name.startswith("jiterator"):
            found[name] = "compiles CUDA source"
        elif name in TORCH_IS_WRONG:
            found[name] = TORCH_IS_WRONG[name]
        else:
            try:
                translator(info.op)
            except Private as error:
                found[name] = f"calls private {error}"
    return found


def names() -> list[str]:
    """Every operator that PyTorch's public namespace has."""
    return [name for name in entries() if name not in out()]


class Case:
    """One operator under one engine; shared by its samples."""

    def __init__(self, info: Any, engine: Engine, inputs: str = "samples") -> None:
        self.info = info
        self.engine = engine
        self.inputs = getattr(info, INPUTS[inputs])
        self.translator = Translator(engine, lambda value: Converter(engine)(value))
        self.oracle_translator = Translator(TORCH, lambda value: Converter(TORCH)(value))

    @cached_property
    def comparer(self) -> Comparer:
        """Raises `Missing` at first use where the engine has no Tensor yet."""
        return Comparer(self.engine, overrides(self.info))

    def samples(self, source: str, dtype: torch.dtype) -> Iterator[Any]:
        """The database's samples of one source, as its own tests would get them."""
        if source == "errors":
            for error in self.info.error_inputs("cpu"):
                yield error.sample_input
            return
        if source == "refused":
            yield from itertools.islice(self.inputs("cpu", dtype, requires_grad=False), 3)
            return
        differentiable = dtype in self.info.supported_backward_dtypes("cpu")
        yield from self.inputs("cpu", dtype, requires_grad=differentiable)


def plan(info: Any, wanted: Any) -> list[tuple[str, Aspect]]:
    """The (dtype, aspect) pairs of the request that PyTorch supports for this entry."""
    pairs = []
    for dtype, aspects in wanted:
        real = getattr(torch, dtype)
        for aspect in map(TABLE.__getitem__, aspects):
            supported = real in info.supported_dtypes("cpu") or aspect.samples != "plain"
            if supported and aspect.applies(info, real):
                pairs.append((dtype, aspect))
    return pairs


def run(
    name: str,
    engine: Engine,
    wanted: Any = DEFAULT,
    seconds: int = 60,
    only: Any = None,
    inputs: str = "samples",
) -> list[Result]:
    """Run one operator; `only(aspect, count)` may choose sample indices (None means all).

    Every (dtype, aspect) ends at its first failing sample.
    """
    return run_entry(NAME, name, Case(entries()[name], engine, inputs), wanted, seconds, only)


def run_entry(db: str, name: str, case: Case, wanted: Any, seconds: int, only: Any) -> list[Result]:
    """Run one entry of any database of OpInfos."""
    results = {
        (dtype, aspect.name): Result(db, name, dtype, aspect.name)
        for dtype, aspect in plan(case.info, wanted)
    }
    with limit(seconds, list(results.values())):
        _run_all(case, results, only)
    return list(results.values())


def _run_all(case: Case, results: dict[tuple[str, str], Result], only: Any) -> None:
    groups: dict[tuple[str, str], list[Result]] = {}
    for (dtype, aspect), result in results.items():
        groups.setdefault((dtype, TABLE[aspect].samples), []).append(result)
    for (dtype, source), members in groups.items():
        try:
            samples = list(case.samples(source, getattr(torch, dtype)))
        except Exception:  # torch's own generator fails: nothing to hold the engine against
            samples = []
        chosen = {m.aspect: only(m.aspect, len(samples)) if only else None for m in members}
        for index, given in enumerate(samples):
            try:
                sample = Sample(case.info, given, case)
            except Exception as error:
                for result in members:
                    result.fail(error, case.engine.name)
                break
            for result in members:
                picked = chosen[result.aspect]
                if result.state == "open" and (picked is None or index in picked):
                    _check(result, sample)
        for result in members:
            result.close()


def _check(result: Result, sample: Sample) -> None:
    try:
        TABLE[result.aspect].check(sample)
        result.samples += 1
    except OracleRaises:
        result.skipped += 1
    except Exception as error:
        result.fail(error, sample.case.engine.name, _describe(sample))
        check = TABLE[result.aspect].check
        result.truth = measured(sample, check, getattr(torch, result.dtype), error)


def _describe(sample: Sample) -> str:
    try:
        return str(sample.sample.summary())
    except Exception:
        return ""


def lost(name: str, wanted: Any, why: str) -> list[Result]:
    """The results of a job whose process died."""
    return died(NAME, name, plan(entries()[name], wanted), why)
