"""The named result tuples."""

from __future__ import annotations

import copy
import pickle

import pytest

from flambeau.core import return_types
from flambeau.core.return_types import structseq


def test_text_names_and_places() -> None:
    kind = structseq("sort", ("values", "indices"))
    pair = kind([1, 2])
    assert repr(pair) == "torch.return_types.sort(\nvalues=1,\nindices=2)"
    assert (pair.values, pair.indices) == pair == (1, 2)
    values, indices = pair
    assert (values, indices) == (1, 2)
    assert type(pair[:]) is tuple
    assert (kind.n_fields, kind.n_sequence_fields, kind.n_unnamed_fields) == (2, 2, 0)
    assert isinstance(pair, return_types.StructSequence)


def test_one_class_per_name() -> None:
    assert structseq("topk", ("values", "indices")) is return_types.topk
    made = structseq("made_for_this_test", ["first"])
    assert structseq("made_for_this_test", ["first"]) is made
    with pytest.raises(ValueError, match="has the fields"):
        structseq("made_for_this_test", ["second"])
    with pytest.raises(AttributeError, match="no attribute"):
        return_types.never_made


def test_copies() -> None:
    triple = return_types.linalg_svd((1, [2], 3))
    for again in (pickle.loads(pickle.dumps(triple)), copy.deepcopy(triple)):
        assert type(again) is type(triple)
        assert again == triple
        assert again.Vh == 3


def test_refusals() -> None:
    with pytest.raises(TypeError, match=r"takes a 2-sequence \(3-sequence given\)"):
        return_types.sort((1, 2, 3))
    with pytest.raises(TypeError, match="constructor requires a sequence"):
        return_types.sort(1)
    with pytest.raises(AttributeError):
        return_types.sort((1, 2)).values = 3
