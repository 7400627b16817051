"""`dim_order` against PyTorch, over layouts that leave no choice and some that do."""

from __future__ import annotations

import pytest

import flambeau

TENSORS = (
    "t.empty(2, 3, 5, 7)", "t.empty((2, 3, 5, 7), memory_format=t.channels_last)",
    "t.empty(1, 2, 3, 4)", "t.empty(2, 3).t()", "t.empty(3)", "t.empty(())", "t.empty(0, 3)",
    "t.empty(2, 1, 3).transpose(0, 1)", "t.empty(3, 1).expand(3, 4)", "t.empty(1, 1, 2)",
    "t.empty((2, 3, 4, 5, 6), memory_format=t.channels_last_3d)",
    "t.empty((4, 4, 1, 1), memory_format=t.channels_last)", "t.empty(1, 1, 1, 1)",
    "t.empty(2, 3, 4).permute(2, 0, 1)", "t.empty(6, 6)[::2, ::3]", "t.empty(2, 1, 3, 3)",
    "t.empty((2, 1, 3, 3), memory_format=t.channels_last)",
)  # fmt: skip
CHECKS = (
    "False", "True", "[t.contiguous_format]", "[t.channels_last]",
    "[t.contiguous_format, t.channels_last]", "'x'", "['x']",
)  # fmt: skip


@pytest.mark.parametrize("call", TENSORS)
def test_dim_order(call, oracle):
    for check in CHECKS:
        found = []
        for t in (flambeau, oracle):
            try:
                found.append(eval(call, {"t": t}).dim_order(ambiguity_check=eval(check, {"t": t})))
            except (RuntimeError, TypeError) as problem:
                found.append(type(problem).__name__)
        assert found[0] == found[1], check


def test_arguments_that_require_grad_and_switches_that_are_numbers_are_refused(oracle):
    for engine in (flambeau, oracle):
        x, wanted = engine.ones(3, 3), engine.ones(1, 3, requires_grad=True)
        with pytest.raises(RuntimeError, match="requires grad"):
            x.map_(wanted, lambda a, b: a)
        with pytest.raises(RuntimeError, match="requires grad"):
            x.map2_(x, wanted, lambda a, b, c: a)
        with pytest.raises(TypeError):
            engine.use_deterministic_algorithms(False, warn_only=1)
