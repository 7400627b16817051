"""`torch.func.vmap` over the operator, every tensor stacked twice along a new first axis."""

from __future__ import annotations

from typing import Any

from ..convert import Converter
from ..sample import Side
from .forward import UNINITIALISED, same

BATCH = 2


def applies(info: Any, dtype: Any) -> bool:
    """Every operator that takes tensors; random ones are mapped with the same draw."""
    return not info.is_factory_function


def _mapped(side: Side) -> Any:
    args, kwargs, _ = side.inputs()
    tensor_type = side.engine.get("Tensor")
    stack = side.engine.get("stack")
    tensors: list[Any] = []

    def take(value: Any) -> Any:
        if isinstance(value, tensor_type):
            tensors.append(stack([value.detach()] * BATCH))
            return _Slot(len(tensors) - 1)
        if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
            return type(value)([take(item) for item in value])
        return value

    args = tuple(map(take, args))
    kwargs = {key: take(item) for key, item in kwargs.items()}

    def function(*given: Any) -> Any:
        def put(value: Any) -> Any:
            if isinstance(value, _Slot):
                return given[value.index]
            if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
                return type(value)([put(item) for item in value])
            return value

        return side.op(*map(put, args), **{key: put(item) for key, item in kwargs.items()})

    return side.call(side.engine.get("func.vmap")(function, randomness="same"), tensors, {})


class _Slot:
    """Stands in the arguments where a mapped tensor goes."""

    def __init__(self, index: int) -> None:
        self.index = index


def check(sample: Any) -> None:
    """Compare the mapped result with torch's."""
    if not _has_tensor(sample):
        return
    expected = sample.expect(lambda: _mapped(sample.oracle))
    values = sample.info.name not in UNINITIALISED
    same(sample, expected, _mapped(sample.subject), values=values)


def _has_tensor(sample: Any) -> bool:
    convert = Converter(sample.oracle.engine, sample.oracle.translator)
    convert([sample.sample.input, list(sample.sample.args), dict(sample.sample.kwargs)])
    return bool(convert.memo)
