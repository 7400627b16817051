"""Transforms against torchvision's own results."""

import pytest

from tests.vision.cases.transforms import CASES
from tests.vision.check import check

pytest.importorskip("PIL.Image")

# Bilinear upsampling of bytes: one value of 1440 lies at a half.
TIES = {"resizes": 1e-3}


@pytest.mark.parametrize("name", CASES)
def test_torchvision_gives_the_same(name):
    check("transforms", name, CASES[name], ties=TIES.get(name, 0.0))
