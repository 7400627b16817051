"""transforms.v2 against torchvision's own results."""

import pytest

from tests.vision.cases.transforms_v2 import CASES
from tests.vision.check import check

pytest.importorskip("PIL.Image")


@pytest.mark.parametrize("name", CASES)
def test_torchvision_gives_the_same(name):
    check("transforms_v2", name, CASES[name])
