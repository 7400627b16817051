"""gradcheck with sparse inputs and outputs: values in their place. Stands on basis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flambeau.core.tensor import Tensor
from flambeau.sparse import basis
from flambeau.sparse.data import SparseData

__all__ = ["wrapped"]


def wrapped(gradcheck: Callable[..., bool]) -> Callable[..., bool]:
    """`gradcheck` of the function of the values of its sparse inputs."""

    def check(function: Callable[..., Any], inputs: Any, **options: Any) -> bool:
        masked = options.pop("masked", True)
        given = tuple(inputs) if isinstance(inputs, (list, tuple)) else (inputs,)
        patterns = [_pattern(x) for x in given]
        plain = [
            x
            if pattern is None
            else basis.values(basis.coalesce(x.detach()))
            .detach()
            .clone()
            .requires_grad_(x.requires_grad)
            for x, pattern in zip(given, patterns, strict=True)
        ]

        def dense(*values: Any) -> Any:
            found = function(
                *(
                    v if pattern is None else basis.fill(v, pattern)
                    for v, pattern in zip(values, patterns, strict=True)
                )
            )
            several = isinstance(found, (tuple, list))
            outputs = [
                basis.to_dense(x, masked)
                if isinstance(x, Tensor) and isinstance(x._array, SparseData)
                else x
                for x in (found if several else (found,))
            ]
            return tuple(outputs) if several else outputs[0]

        return gradcheck(dense, tuple(plain), **options)

    return check


def _pattern(x: Any) -> Any:
    if isinstance(x, Tensor) and isinstance(x._array, SparseData):
        return basis.tidy(x._array)
    return None
