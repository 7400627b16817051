"""The usual calls of factories against PyTorch: values, dtypes, strides, errors."""

from __future__ import annotations

import pytest

import flambeau
from flambeau.core.factory.short import Filled
from flambeau.core.kernels import memory
from flambeau.core.kernels.jit import build

CALLS = (
    "t.zeros(2, 3)", "t.zeros((2, 3))", "t.zeros(t.Size([2, 3]))", "t.zeros([2, 3])", "t.zeros(0)",
    "t.zeros(())", "t.ones(3, dtype=t.int64)", "t.ones(5, dtype=t.bool)", "t.zeros(-1)",
    "t.ones(7, dtype=t.uint8)", "t.ones(3, dtype=t.float16)", "t.ones(3, dtype=t.bfloat16)",
    "t.ones(2, dtype=t.complex64)", "t.ones(2, dtype=t.complex128)", "t.ones(3, device='cpu')",
    "t.ones(3, device=t.device('cpu'), dtype=t.int32)", "t.ones(3, dtype=t.int8)",
    "t.zeros(2, requires_grad=True)", "t.zeros(2.5)", "t.zeros('a')", "t.ones(t.tensor(3))",
    "t.zeros(1, 1, 1, 1, 1, 1, 1, 1, 1)", "t.full((2, 3), 1.5)",
    "t.full((2,), 3)", "t.full((2,), True)", "t.full((2,), float('nan'))",
    "t.full((2,), 2, dtype=t.float64)", "t.full((2,), 2.5, dtype=t.int64)",
    "t.full([2], 1.0)", "t.full((2,), 1j)", "t.zeros_like(x)", "t.ones_like(x)",
    "t.zeros_like(x, dtype=t.int64)", "t.ones_like(x.t())", "t.ones_like(x[:, ::2])",
    "t.ones_like(x, device='cpu')", "t.zeros_like(x, requires_grad=True)", "t.zeros_like(3)",
    "t.ones_like(x[:1])", "t.full_like(x, 2.0)", "t.full_like(x, 2)", "t.full_like(x.long(), 2)",
    "t.ones_like(x, memory_format=t.contiguous_format)", "t.ones_like(x, dtype=float)",
    "x.new_zeros(2, 3)", "x.new_ones((2,))", "x.new_full((2,), 3.0)", "x.new_full((2,), 3)",
    "x.long().new_ones(2)", "x.new_zeros(2, dtype=t.int64)", "t.ones_like(t.ones(0, 3))",
    "t.ones_like(t.tensor(3))",
)  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
def test_as_pytorch(call, oracle):
    found = []
    for t in (flambeau, oracle):
        x = t.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
        try:
            y = eval(call, {"t": t, "x": x})
        except Exception as problem:
            found.append(type(problem).__name__)
            continue
        found.append((y.shape, str(y.dtype), y.stride(), y.requires_grad, str(y.tolist())))
    assert found[0] == found[1]


@pytest.mark.skipif(not build.available(), reason="there is only the long way")
def test_nothing_is_shared_and_large_ones_are_made_elsewhere():
    shorts = Filled(1)
    kind = flambeau.float32.numpy
    first, second = shorts[kind](3), shorts[kind](3)
    first.zero_()
    assert second.tolist() == [1, 1, 1]
    assert shorts[kind](memory.LARGE) is None and shorts[kind](memory.LARGE // 4, 2) is None
    assert flambeau.ones(memory.LARGE).sum() == memory.LARGE


def test_modes_are_asked():
    with flambeau.device("meta"):
        assert flambeau.zeros(2).device.type == "meta"
        assert flambeau.full((2,), 1.0).device.type == "meta"
    with flambeau.inference_mode():
        assert flambeau.ones(2).is_inference()
