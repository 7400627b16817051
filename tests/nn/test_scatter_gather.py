"""Batches cut up for devices, by PyTorch's path; without devices only plain values go through."""

from __future__ import annotations

from importlib import import_module

import flambeau


def test_arguments_and_keyword_arguments_are_as_many(oracle):
    def parts(torch):
        room = import_module(f"{torch.__name__}.nn.parallel.scatter_gather")
        return [
            room.scatter_kwargs((1, "a"), {"scale": 2}, [0, 1]),
            room.scatter_kwargs((1,), None, [0]),
            room.scatter_kwargs((), {"scale": [1, 2]}, [0]),
        ]

    assert parts(flambeau) == parts(oracle)
