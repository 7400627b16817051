"""Switches by name are bools, as in PyTorch: nothing else is read as one. Arrays are operands of
operators alone."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau

SWITCHED = (
    "x.sum(1, keepdim=v)", "x.argmax(1, keepdim=v)", "x.topk(1, largest=v)",
    "t.linalg.svd(x, full_matrices=v)", "x.any(0, keepdim=v)", "x.requires_grad_(v)",
)  # fmt: skip


@pytest.mark.parametrize("code", SWITCHED)
@pytest.mark.parametrize("value", ("a", None, 1, np.True_, True))
def test_switches(code, value, oracle):
    found = []
    for t in (flambeau, oracle):
        names = {"t": t, "x": t.ones(2, 3), "v": value}
        try:
            eval(code, names)
        except TypeError:
            found.append(TypeError)
        else:
            found.append(None)
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "code",
    (
        "t.mul(x, n)", "t.add(x, n)", "x.add(n)", "x.mul_(n)", "x.mul_(n.astype('f8'))", "x.eq(n)",
        "t.fmod(x, n)", "t.sub(x, n)", "t.bitwise_and(x.long(), n.astype('i8'))", "x == n", "t.mul(x, np.float32(2))", "x * np.float64(2)", "t.where(x > 0, n, x)",
    ),
)  # fmt: skip
def test_arrays_are_operands_of_operators(code, oracle):
    found = []
    for t in (flambeau, oracle):
        names = {"t": t, "x": t.ones(2, 3), "n": np.ones((2, 3), np.float32), "np": np}
        for _ in range(2):  # the first call, and those the native entry serves
            try:
                result = eval(code, names)
                found.append((str(result.dtype), result.tolist()))
            except TypeError:
                found.append(TypeError)
    assert found[:2] == found[2:]


@pytest.mark.parametrize(
    "call",
    [
        lambda t, x: t.sort(x, 0, descending=1),
        lambda t, x: t.nanmedian(x, 0, 1),
        lambda t, x: x.sum(0, 1),
        lambda t, x: t.mean(x, 0, 1),
        lambda t, x: x.max(0, 1),
        lambda t, x: t.linalg.svd(x, 1),
        lambda t, x: t.linalg.norm(x, keepdim=1),
        lambda t, x: x.index_put((t.zeros(1).long(),), x[0], accumulate=1),
    ],
)
def test_a_number_is_no_switch(call, oracle):
    for engine in (oracle, flambeau):
        with pytest.raises(TypeError, match="bool|combination"):
            call(engine, engine.ones(2, 3))


@pytest.mark.parametrize(
    "code",
    ["x.tile('a')", "x.repeat('a')", "x.permute('a')", "t.full(2, 1.0)", "t.full((2,), 1.0)",
     "setattr(x, 'requires_grad', 3)", "setattr(x, 'requires_grad', None)", "x.requires_grad_(3)"],
)  # fmt: skip
def test_a_text_is_no_size_and_a_number_no_shape(code, oracle):
    found = []
    for t in (flambeau, oracle):
        try:
            eval(code, {"t": t, "x": t.ones(2, 3)})
            found.append(None)
        except Exception as error:
            found.append(type(error))
    assert found[0] is found[1]
