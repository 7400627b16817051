"""The named tuples that operations with several results return: ``torch.return_types.sort``, ...

`structseq` makes and remembers one class per name; the classes are also attributes of this module,
so that they pickle. Stands on nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any, ClassVar, Self

__all__ = ["StructSequence", "structseq"]


class StructSequence(tuple[Any, ...]):
    """A tuple whose places have names. Built from one sequence: ``sort((values, indices))``."""

    __slots__ = ()

    n_fields: ClassVar[int] = 0
    n_sequence_fields: ClassVar[int] = 0
    n_unnamed_fields: ClassVar[int] = 0
    __match_args__: ClassVar[tuple[str, ...]] = ()

    def __new__(cls, sequence: Iterable[Any], dict: object = None) -> Self:
        kind = type(sequence)  # asking an abstract class takes longer than making the tuple
        if kind is not tuple and kind is not list and not isinstance(sequence, Iterable):
            raise TypeError("constructor requires a sequence")
        self = tuple.__new__(cls, sequence)
        if len(self) != cls.n_fields:
            raise TypeError(
                f"torch.return_types.{cls.__name__}() takes a {cls.n_fields}-sequence "
                f"({len(self)}-sequence given)"
            )
        return self

    def __repr__(self) -> str:
        places = [
            f"{name}={value!r}" for name, value in zip(self.__match_args__, self, strict=True)
        ]
        return f"torch.return_types.{type(self).__name__}(\n" + ",\n".join(places) + ")"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (tuple(self), {})


_MADE: dict[str, type[StructSequence]] = {}


def structseq(name: str, fields: Sequence[str]) -> type[StructSequence]:
    """The class ``torch.return_types.<name>`` with the given field names; made once per name.

    Raises:
        ValueError: the name is taken by other fields.
    """
    known = _MADE.get(name)
    if known is not None:
        if known.__match_args__ != tuple(fields):
            raise ValueError(
                f"return type {name} has the fields {known.__match_args__}, "
                f"asked for {tuple(fields)}"
            )
        return known
    body: dict[str, Any] = {
        "__slots__": (),
        "__module__": "flambeau.return_types",
        "__match_args__": tuple(fields),
        "n_fields": len(fields),
        "n_sequence_fields": len(fields),
    }
    for place, field in enumerate(fields):
        body[field] = property(itemgetter(place))
    _MADE[name] = type(name, (StructSequence,), body)
    return _MADE[name]


def __getattr__(name: str) -> type[StructSequence]:
    try:
        return _MADE[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None


_PAIRS = ("values", "indices")
for _name in (
    "cummax",
    "cummin",
    "kthvalue",
    "max",
    "median",
    "min",
    "mode",
    "nanmedian",
    "sort",
    "topk",
):
    structseq(_name, _PAIRS)
for _name, _fields in {
    "aminmax": "min max",
    "frexp": "mantissa exponent",
    "geqrf": "a tau",
    "histogram": "hist bin_edges",
    "histogramdd": "hist bin_edges",
    "linalg_cholesky_ex": "L info",
    "linalg_eig": "eigenvalues eigenvectors",
    "linalg_eigh": "eigenvalues eigenvectors",
    "linalg_inv_ex": "inverse info",
    "linalg_ldl_factor": "LD pivots",
    "linalg_ldl_factor_ex": "LD pivots info",
    "linalg_lstsq": "solution residuals rank singular_values",
    "linalg_lu": "P L U",
    "linalg_lu_factor": "LU pivots",
    "linalg_lu_factor_ex": "LU pivots info",
    "linalg_qr": "Q R",
    "linalg_slogdet": "sign logabsdet",
    "linalg_solve_ex": "result info",
    "linalg_svd": "U S Vh",
    "lu_unpack": "P L U",
    "qr": "Q R",
    "slogdet": "sign logabsdet",
    "svd": "U S V",
    "triangular_solve": "solution cloned_coefficient",
}.items():
    structseq(_name, _fields.split())
