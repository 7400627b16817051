"""`opcheck`: whether an operation keeps what its schema and registrations promise. Stands on
custom."""

from __future__ import annotations

from typing import Any

import numpy as np

from flambeau.core.tensor import Tensor, wrap
from flambeau.library.custom import _found

__all__ = ["opcheck"]

TESTS = (
    "test_schema",
    "test_autograd_registration",
    "test_faketensor",
    "test_aot_dispatch_dynamic",
)


def _flat(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _schema(op: Any, args: Any, kwargs: Any) -> None:
    kept = [x._array.copy() if isinstance(x, Tensor) else None for x in args]
    op(*args, **kwargs)
    for name, before, x in zip(op._signature.parameters, kept, args, strict=False):
        if (
            before is not None
            and name not in op._schema.mutates
            and not np.array_equal(before, x._array, equal_nan=before.dtype.kind in "fc")
        ):
            raise RuntimeError(
                f"opcheck: {op!r} wrote its argument '{name}', which its schema {op._schema} does "
                "not say: list it in mutates_args"
            )


def _gradient(op: Any, args: Any, kwargs: Any) -> None:
    if (
        any(isinstance(x, Tensor) and x.requires_grad for x in args)
        and op._backward is None
        and not op._schema.mutates
    ):
        raise RuntimeError(
            f"opcheck: {op!r} got inputs that require grad but has no register_autograd"
        )


def _fake(op: Any, args: Any, kwargs: Any) -> None:
    if op._fake is None:
        raise RuntimeError(
            f"opcheck: {op!r} has no fake implementation: add one with register_fake"
        )
    real = _flat(op(*args, **kwargs))
    shown = _flat(
        op(*[x.detach().to("meta") if isinstance(x, Tensor) else x for x in args], **kwargs)
    )
    for a, b in zip(real, shown, strict=True):
        if isinstance(a, Tensor) and (a.shape != b.shape or a.dtype is not b.dtype):
            raise RuntimeError(
                f"opcheck: the fake implementation gives {list(b.shape)} {b.dtype}, the real one "
                f"{list(a.shape)} {a.dtype}"
            )


CHECKS = {
    "test_schema": _schema,
    "test_autograd_registration": _gradient,
    "test_faketensor": _fake,
    "test_aot_dispatch_dynamic": _fake,
}


def opcheck(
    op: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any] | None = None,
    *,
    test_utils: Any = TESTS,
    raise_exception: bool = True,
    atol: float | None = None,
    rtol: float | None = None,
) -> dict[str, Any]:
    """Check an operation on sample arguments: what it writes, that it has a gradient, that its
    fake agrees.

    Returns:
        "SUCCESS" or the exception for each check.
    """
    found = _found(op)
    results: dict[str, Any] = {}
    for name in (test_utils,) if isinstance(test_utils, str) else test_utils:
        copies = tuple(
            wrap(x._array.copy()).requires_grad_(x.requires_grad) if isinstance(x, Tensor) else x
            for x in args
        )
        try:
            CHECKS[name](found, copies, kwargs or {})
        except Exception as error:
            if raise_exception:
                raise
            results[name] = error
        else:
            results[name] = "SUCCESS"
    return results
