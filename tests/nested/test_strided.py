"""Strided nested tensors: dimensions are counted as the user counts them, parts keep their shapes."""

from __future__ import annotations

import warnings

import pytest

import flambeau

EXPRESSIONS = (
    "s.transpose(1, 2)", "s.softmax(-1)", "s.unsqueeze(1)", "s @ s.transpose(1, 2)", "s.size(0)",
    "s.size(1)", "s.size(2)", "s[0]", "s.reshape(2, -1, 3)", "s.view(2, -1, 3, 1)", "s + s", "s == s",
    "s.cos()", "s.select(0, 1)", "s.numel()", "s.dim()", "s.shape", "s.flatten()",
    "torch.bmm(s, s.transpose(1, 2))", "torch.nested.to_padded_tensor(s, 0.0)",
    "torch.nested.to_padded_tensor(s, 0.0, (2, 1, 3))", "s.sum(-1, keepdim=True)", "s.tolist()",
    "torch.nn.functional.relu(s)", "s.is_contiguous()", "s.layout", "s._nested_tensor_size()",
)  # fmt: skip


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_as_pytorch(expression, oracle):
    found = []
    for t in (flambeau, oracle):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyTorch calls nested tensors a prototype
            s = t.nested.nested_tensor([t.arange(6.0).view(2, 3), t.ones(1, 3)])
            try:
                found.append(str(eval(expression, {"s": s, "torch": t})))
            except Exception as problem:
                found.append(type(problem).__name__)
    assert found[0] == found[1]
