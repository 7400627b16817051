"""Generated code run from Python: what words become, and both ways to the pool."""

from __future__ import annotations

import numpy as np
import pytest

from flambeau.core.kernels.jit import build, ir, pool
from flambeau.core.kernels.native import launch

pytestmark = pytest.mark.skipif(not build.available(), reason="no code can be generated here")


def copier(count: int) -> int:
    """A function that writes its context, from the second word on, to where the first points."""
    module = ir.Module(f"copier{count}")
    f = module.function("copy", pool.ARGUMENTS)
    target = f.load("ptr", f.argument["context"])
    with f.loop(1, count) as i:
        f.store(f.load("i64", f.argument["context"], i), target, i - 1)
    return build.load(module)["copy"]


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("work", [0, 1 << 20])
def test_words(native, work):
    way = launch.launcher() if native else launch.by_ctypes
    room, array = np.zeros(8, "i8"), np.zeros(3)
    way(copier(7), work, room, array, -5, 2.5, None, np.int64(7), True)
    bits = int(np.array(2.5).view("i8"))
    assert room.tolist() == [array.ctypes.data, -5, bits, 0, 7, 1, 0, 0]


def test_a_word_is_never_rounded():
    with pytest.raises(TypeError):
        launch.launcher()(0, 0, np.float32(0.5))
