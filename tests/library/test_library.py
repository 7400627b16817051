"""Libraries of operations."""

import pytest

import flambeau


def test_a_fallthrough_kernel_leaves_the_operation_to_the_next():
    lib = flambeau.library.Library("falls", "DEF")
    lib.define("through(Tensor x) -> Tensor")
    lib.impl("through", lambda x: x + 1, "CompositeImplicitAutograd")
    lib.impl("through", flambeau.library.fallthrough_kernel, "CPU")
    assert flambeau.ops.falls.through(flambeau.ones(1)).item() == 2
    with pytest.raises(NotImplementedError):
        flambeau.library.fallthrough_kernel()
