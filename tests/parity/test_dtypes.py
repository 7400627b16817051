"""Every dtype's attributes, limits and kin against PyTorch's."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from flambeau.core import dtypes
from flambeau.core.dtypes import DTYPES


def outcome(function: Any, *arguments: Any) -> Any:
    """The result's text, or the exception's type and words."""
    try:
        return repr(function(*arguments))
    except (TypeError, RuntimeError) as error:
        return type(error), str(error)


@pytest.mark.parametrize("name", DTYPES)
def test_dtype(oracle: ModuleType, name: str) -> None:
    ours, theirs = DTYPES[name], getattr(oracle, name)
    for attribute in ("itemsize", "is_floating_point", "is_complex", "is_signed", "abbr"):
        assert getattr(ours, attribute) == getattr(theirs, attribute), attribute
    assert repr(ours) == repr(theirs)
    assert outcome(ours.to_real) == outcome(theirs.to_real)
    assert outcome(ours.to_complex) == outcome(theirs.to_complex)
    if name != "complex32":  # PyTorch warns that it is experimental
        assert dtypes.tensor_type_name(ours) == oracle.empty(0, dtype=theirs).type()


@pytest.mark.parametrize("name", DTYPES)
@pytest.mark.parametrize("limits", ["finfo", "iinfo"])
def test_limits(oracle: ModuleType, limits: str, name: str) -> None:
    ours, theirs = getattr(dtypes, limits), getattr(oracle, limits)
    found = outcome(theirs, getattr(oracle, name))
    assert outcome(ours, DTYPES[name]) == found
    if isinstance(found, str):
        theirs = theirs(getattr(oracle, name))
        for attribute in dir(theirs):
            if not attribute.startswith("_"):
                assert getattr(ours(DTYPES[name]), attribute) == getattr(theirs, attribute)


def test_aliases(oracle: ModuleType) -> None:
    for alias, kind in dtypes.ALIASES.items():
        assert repr(getattr(oracle, alias)) == repr(kind)
