"""Sizes are plain integers: questions about unknown ones have plain answers."""

from __future__ import annotations

import pytest

import flambeau
from flambeau._subclasses.fake_tensor import FakeTensor, FakeTensorMode, is_fake
from flambeau.fx.experimental import proxy_tensor, symbolic_shapes


def test_nothing_is_unknown():
    assert symbolic_shapes.guard_or_false(3 > 2) and not symbolic_shapes.guard_or_true(3 < 2)
    assert symbolic_shapes.free_symbols(3) == set()
    assert proxy_tensor.get_proxy_mode() is None


def test_no_tensor_is_fake_and_the_mode_names_the_meta_device():
    x = flambeau.ones(2)
    assert not isinstance(x, FakeTensor) and not is_fake(x)
    with pytest.raises(NotImplementedError, match="meta"):
        FakeTensorMode()
