"""What memory made under inference mode allows: everything but to be saved for a backward."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau as torch

USES = {
    "mul": lambda t, w, a: w * a,
    "view": lambda t, w, a: w * a[0],
    "matmul": lambda t, w, a: w @ a,
    "vector": lambda t, w, a: w @ a[0],
    "linear": lambda t, w, a: t.nn.functional.linear(a, w),
    "addmm": lambda t, w, a: t.addmm(w, a, w),
    "written": lambda t, w, a: (w * 1).mul_(a),
    "addcmul": lambda t, w, a: t.addcmul(w, w, a),
    "add": lambda t, w, a: w + a,
    "where": lambda t, w, a: t.where(a > 0, w, w),
    "clone": lambda t, w, a: w * a.clone(),
    "reshaped": lambda t, w, a: a.reshape(9).view(3, 3).t().is_inference(),
    "not_recorded": lambda t, w, a: w.detach() * a,
    "detached": lambda t, w, a: a.detach().is_inference(),
}


def outcome(t, use):
    with t.inference_mode():
        a = t.ones(3, 3)
    w = t.ones(3, 3, requires_grad=True)
    try:
        USES[use](t, w, a)
    except RuntimeError as error:
        return "Inference tensors cannot be saved for backward" in str(error)
    return "fine"


@pytest.mark.parametrize("use", sorted(USES))
def test_saved_at_the_forward(use, oracle):
    assert outcome(torch, use) == outcome(oracle, use)


def test_the_error_names_the_line():
    with torch.inference_mode():
        a = torch.ones(2)
    w = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="test_storage.py"):
        w * a


def test_memory_that_others_hold_is_not_resized(oracle):
    for engine in (torch, oracle):
        x = engine.ones(3)
        held = (
            engine.from_numpy(np.ones(3, "f4")), engine.frombuffer(bytearray(12), dtype=x.dtype),
            engine.from_dlpack(np.ones(3, "f4")), x,
        )  # fmt: skip
        assert x.untyped_storage().resizable()
        x.numpy()
        for tensor in held:
            storage = tensor.untyped_storage()
            assert not storage.resizable()
            for resize in (lambda t=tensor: t.resize_(10), lambda s=storage: s.resize_(100)):
                with pytest.raises(RuntimeError, match="not resizable"):
                    resize()
            assert tensor.resize_(2).shape == (2,)


@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated:UserWarning")  # PyTorch's
def test_storage_types_are_the_old_names(oracle):
    for engine in (torch, oracle):
        for dtype, name in (("float32", "FloatStorage"), ("bool", "BoolStorage")):
            kind = engine.ones(2, dtype=getattr(engine, dtype)).storage_type()
            assert kind is getattr(engine, name)
