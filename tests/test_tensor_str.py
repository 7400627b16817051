"""The parts of a tensor's text by PyTorch's path."""

from __future__ import annotations

from importlib import import_module

import flambeau


def test_parts_are_pytorchs(oracle):
    def parts(torch):
        text = import_module(f"{torch.__name__}._tensor_str")
        x = torch.arange(6.0).view(2, 3)
        return [
            text._tensor_str(x, 4),
            text._add_suffixes("Index(" + text._tensor_str(x[0], 6), ["size=3"], 6, False),
            text._str(x),
            text._str_intern(x, tensor_contents="..."),
            text.PRINT_OPTS.threshold,
        ]

    assert parts(flambeau) == parts(oracle)
