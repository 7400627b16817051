"""Small programs about gradients, run under both engines: what they return, raise and warn must be
the same.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import flambeau
from tests.parity.programs import autograd, batches, forward, functions, hooks, modes, transforms

ROOMS = (autograd, hooks, functions, modes, transforms, batches, forward)
CASES = [
    (f"{room.__name__.rsplit('.')[-1]}.{name}", each)
    for room in ROOMS
    for name, each in vars(room).items()
    if callable(each) and name[0].islower() and each.__module__ == room.__name__
]


def plain(value: Any) -> Any:
    """A program's result as something both engines' results can be compared by."""
    if hasattr(value, "detach"):
        value = value.detach()
        array = np.asarray(value.tolist())
        return "tensor", str(value.dtype).removeprefix("torch."), tuple(value.shape), array
    if isinstance(value, BaseException):
        return "raised", type(value).__name__
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, type):
        return value.__name__
    return value


def same(a: Any, b: Any, path: str = "result") -> None:
    if isinstance(a, np.ndarray):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6, err_msg=path)
    elif isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        assert len(a) == len(b), f"{path}: {a} != {b}"
        for k, (x, y) in enumerate(zip(a, b, strict=True)):
            same(x, y, f"{path}[{k}]")
    elif isinstance(a, dict):
        assert a.keys() == b.keys(), path
        for key in a:
            same(a[key], b[key], f"{path}.{key}")
    elif isinstance(a, float):
        assert a == pytest.approx(b, rel=1e-5, nan_ok=True), path
    else:
        assert type(a) is type(b), f"{path}: flambeau {a!r}, PyTorch {b!r}"
        assert a == b, f"{path}: flambeau {a!r}, PyTorch {b!r}"


def run(program: Callable[..., Any], torch: ModuleType) -> tuple[Any, list[str]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = plain(program(torch))
        except Exception as error:
            result = plain(error)
            if (
                type(error)
                in (AttributeError, NotImplementedError, ImportError, ModuleNotFoundError)
                and torch is flambeau
            ):
                raise
    # gradcheck's own use of deprecated functions says nothing about the program.
    return result, sorted(
        {each.category.__name__ for each in caught if "torch.jit" not in str(each.message)}
    )


@pytest.mark.parametrize(("name", "program"), CASES, ids=[name for name, _ in CASES])
def test_program(name: str, program: Callable[..., Any], oracle: ModuleType) -> None:
    expected, expected_warnings = run(program, oracle)
    found, found_warnings = run(program, flambeau)
    same(found, expected)
    assert found_warnings == expected_warnings
