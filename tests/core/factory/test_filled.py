"""`empty` with a memory format, and who refuses one, against PyTorch."""

from __future__ import annotations

import pytest

import flambeau

CALLS = (
    "t.empty(2, 3, 4, 5, memory_format=t.channels_last)",
    "t.empty((2, 3, 4, 5), memory_format=t.channels_last, dtype=t.int64)",
    "t.empty((2, 3, 4, 5, 6), memory_format=t.channels_last_3d, device='meta')",
    "t.empty((2, 3), memory_format=t.contiguous_format, requires_grad=True)",
    "t.empty((2, 3), memory_format=None)",
    "t.empty((2, 3, 4), memory_format=t.channels_last)",
    "t.empty((2, 3), memory_format=t.preserve_format)",
    "t.empty((2, 3), memory_format='x')",
    "t.empty((2, 3, 4, 5), memory_format=t.channels_last, out=t.empty(0))",
    "t.zeros(2, 3, 4, 5, memory_format=t.channels_last)",
    "t.full((2, 3), 1.0, memory_format=t.contiguous_format)",
    "t.arange(3, memory_format=t.contiguous_format)",
    "t.ones(2).new_empty((2, 3), memory_format=t.contiguous_format)",
)


@pytest.mark.parametrize("call", CALLS)
def test_memory_format(call, oracle):
    found = []
    for t in (flambeau, oracle):
        try:
            y = eval(call, {"t": t})
        except Exception as problem:
            found.append(type(problem).__name__)
        else:
            found.append((y.shape, str(y.dtype), y.stride(), y.requires_grad, str(y.device)))
    assert found[0] == found[1]


def test_numbers_that_are_not_finite(oracle):
    for value in (float("inf"), float("-inf"), float("nan")):
        for dtype in (None, "float64", "bfloat16", "int64"):
            found = []
            for t in (flambeau, oracle):
                try:
                    made = t.full((2,), value, dtype=dtype and getattr(t, dtype))
                    found.append((repr(made.tolist()), str(made.dtype)[-7:]))
                except Exception as error:
                    found.append(type(error))
            assert found[0] == found[1], (value, dtype)


@pytest.mark.parametrize("value", ["a", b"a", None], ids=["text", "bytes", "none"])
def test_full_is_of_numbers(value):
    with pytest.raises(TypeError, match=r"full.*'fill_value' must be Number, not \w+"):
        flambeau.full((2,), value)
