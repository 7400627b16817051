"""Places of truths by generated code against NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

from flambeau.core.kernels.generate import marked
from flambeau.core.kernels.jit import build

pytestmark = pytest.mark.skipif(not build.available(), reason="no code can be generated here")


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 1])
@pytest.mark.parametrize("shape", [(100, 101), (3000, 2), (2, 3000), (20, 30, 11), (5, 6, 7, 60)])
def test_places_of_truths(shape, share):
    truths = np.random.default_rng(0).random(shape) < share
    found = marked.marked(truths)
    assert found.dtype == np.int64 and np.array_equal(found, np.array(np.nonzero(truths)))


def test_other_arrays_go_the_other_way():
    truths = np.ones((100, 100), bool)
    assert marked.marked(truths.T[:-1]) is None
    assert marked.marked(truths[:3]) is None
    assert marked.marked(truths.reshape(-1)) is None
