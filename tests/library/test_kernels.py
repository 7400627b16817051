"""`get_kernel`: the kernels there are, and the errors where there is none."""

from __future__ import annotations

import pytest

import flambeau


def test_kernels_as_in_pytorch(oracle):
    found = []
    for t in (flambeau, oracle):
        library = t.library.Library("kernels_got", "DEF")
        library.define("f(Tensor x) -> Tensor")
        library.impl("f", lambda x: x * 3, "CPU")
        told = []
        for op, key in (
            ("aten::sin", "CPU"), ("aten::nope", "CPU"), ("kernels_got::f", "CPU"),
            ("kernels_got::g", "CPU"), (t.ops.aten.sin.default, "CPU"), ("aten::sin", "Nope"),
            (t.ops.kernels_got.f, "CPU"), (3, "CPU"), ("kernels_got::f", "CUDA"),
        ):  # fmt: skip
            try:
                kernel = t.library.get_kernel(op, key)
                keyset = t.DispatchKeySet(t.DispatchKey.CPU) if t is oracle else None
                told.append(kernel.call_boxed(keyset, t.ones(2)).tolist())
            except (RuntimeError, ValueError) as error:
                told.append(type(error).__name__)
        found.append(told)
        library._destroy()
    assert found[0] == found[1]


@pytest.mark.parametrize("name", ["zero", "alias"])
def test_inner_operations_are_not_public(name, oracle):
    assert hasattr(flambeau, name) == hasattr(oracle, name)
    assert hasattr(flambeau.Tensor, name) == hasattr(oracle.Tensor, name)
