"""The same operation called another way: as a Tensor method, in place, and with `out=`."""

from __future__ import annotations

from typing import Any

import torch

from .. import exceptions
from ..compare import Mismatch
from ..resolve import path_of
from .forward import UNINITIALISED, same

# torch leaves uninitialised memory in the out= of these.
GARBAGE_OUT = {"fft.ihfft2", "fft.ihfftn"}


def has_method(info: Any, dtype: Any) -> bool:
    """True where `torch.Tensor` has the operation by name."""
    return info.method_variant is not None and path_of(info.method_variant) is not None


def has_inplace(info: Any, dtype: Any) -> bool:
    """True where `torch.Tensor` has the operation with a trailing underscore."""
    return info.inplace_variant is not None and path_of(info.inplace_variant) is not None


def has_out(info: Any, dtype: Any) -> bool:
    """True where PyTorch takes `out=`."""
    return bool(info.supports_out) and info.name not in GARBAGE_OUT


def _variant(sample: Any, variant: Any, values: bool = True) -> None:
    def run(side: Any) -> Any:
        args, kwargs, _ = side.inputs()
        with side.engine.get("no_grad")():
            made = side.call(side.translator(variant), args, kwargs)
            return made, args[0]

    expected, written = sample.expect(lambda: run(sample.oracle))
    actual, ours = run(sample.subject)
    same(sample, expected, actual, values=values)
    if isinstance(written, (list, torch.Tensor)):
        sample.compare(written, ours, "self", values=values)


def check_method(sample: Any) -> None:
    """Call `input.name(...)`."""
    if isinstance(sample.sample.input, torch.Tensor):
        _variant(sample, sample.info.method_variant, sample.info.name not in UNINITIALISED)


def check_inplace(sample: Any) -> None:
    """Call `input.name_(...)`: the input changes, and what torch refuses is refused."""
    if not isinstance(sample.sample.input, (list, torch.Tensor)):
        return
    variant = sample.info.inplace_variant

    def run(side: Any) -> None:
        args, kwargs, _ = side.inputs()
        with side.engine.get("no_grad")():
            side.call(side.translator(variant), args, kwargs)

    theirs = exceptions.raised(lambda: run(sample.oracle))
    if theirs is None:
        _variant(sample, variant)
    else:
        exceptions.compare(theirs, exceptions.raised(lambda: run(sample.subject)))


def _out_like(value: Any, engine: Any) -> Any:
    if isinstance(value, engine.get("Tensor")):
        return engine.get("empty_like")(value)
    return tuple(_out_like(item, engine) for item in value)


def check_out(sample: Any) -> None:
    """Call with `out=`: the values land in the given tensors, which are also the result."""

    def run(side: Any) -> Any:
        args, kwargs, _ = side.inputs()
        with side.engine.get("no_grad")():
            made = side.call(side.op, args, kwargs)
            target = _out_like(made, side.engine)
            args, kwargs, _ = side.inputs()
            result = side.call(side.op, args, {**kwargs, "out": target})
        return result, target

    values = sample.info.name not in UNINITIALISED
    result, target = sample.expect(lambda: run(sample.oracle))
    ours, filled = run(sample.subject)
    same(sample, target, filled, "out=", values)
    for index, (theirs, mine) in enumerate(zip(_parts(result), _parts(ours), strict=True)):
        given = _parts(target)[index]
        if (theirs is given) != (mine is _parts(filled)[index]):
            raise Mismatch("identity", f"result[{index}] is not the tensor given as out=")


def _parts(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]
