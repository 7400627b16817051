"""When rows of pixels lie without borders between them, and what their planes are then."""

from __future__ import annotations

import pytest

from flambeau.core.kernels.phases import MANY, apart, phases, registers

NEAR = ((0,), (-1, 0, 1), (-1, 0, 1))


@pytest.mark.parametrize(
    ("out", "expected"),
    [
        ((1, 4, 4), (True, 1)),  # 22 numbers with borders: two registers of sixteen
        ((1, 8, 8), (True, 4)),
        ((1, 16, 16), (True, 16)),
        ((1, 14, 14), (False, 14)),  # rows of 16 with their borders: a thirteenth is not worth it
        ((1, 56, 56), (False, 203)),
    ],
)
def test_rows_lie_side_by_side_where_registers_are_saved(out, expected):
    found = apart(NEAR, (1, 1, 1), out, 16), registers(NEAR, (1, 1, 1), out, 16, MANY)
    assert found == expected


def test_few_features_keep_their_borders():
    assert registers(NEAR, (1, 1, 1), (1, 8, 8), 16, MANY - 1) == 5


@pytest.mark.parametrize("stride", [1, 2])
def test_taps_have_planes_of_their_own_along_columns(stride):
    found = phases(NEAR, (1, stride, stride), True)
    assert found.span[1] == 0
    assert all(column == 0 for _, _, column in found.taps)
    starts = [int(found.columns[phase]) for phase, _, _ in found.taps]
    assert starts == [x for _ in NEAR[1] for x in NEAR[2]]
