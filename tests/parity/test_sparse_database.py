"""Every operator and layout that PyTorch's database declares for sparse tensors: all of them pass."""

from __future__ import annotations

import warnings

import pytest

from .guard import require_torch

require_torch()

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from .sparse_database import Case, differences, rows

    ROWS = rows()

pytestmark = pytest.mark.parity


@pytest.mark.parametrize(
    ("info", "layout"), ROWS, ids=[f"{info.name}-{layout}" for info, layout in ROWS]
)
def test_values_layouts_and_gradients(info, layout):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = differences(info, layout, Case())
    assert not found, found[0]


def test_a_wrong_result_is_found(monkeypatch):
    import flambeau

    info, layout = next(row for row in ROWS if row[0].name == "neg")
    monkeypatch.setattr(flambeau, "neg", lambda x: x)
    assert differences(info, layout, Case())
