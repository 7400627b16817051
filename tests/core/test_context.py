"""Context variables set while a garbage collection closes generators that set them too."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import gc
from contextvars import ContextVar

import flambeau as torch

kept = []
more = [ContextVar(f"more{k}") for k in range(6)]
for variable in more:
    variable.set(object())


class Filler:
    '''Takes the memory that was freed just before, and fills it with zeros.'''

    def __del__(self):
        for size in range(15, 400, 16):
            kept.extend([bytes(size) for _ in range(20)])
        del kept[:-5000]


@torch.no_grad()
def numbers():
    yield torch.ones(2)
    yield torch.ones(3)


def abandon():
    numbers_of = numbers()
    next(numbers_of)
    cycle = [numbers_of]
    cycle.append(cycle)
    filler = Filler()
    filler.me = filler


large = torch.ones(300, 300)


def use():
    USE


use()
abandon()
gc.collect()
for allocations in range(1, 250):  # the collection comes at each allocation of use in turn
    gc.disable()
    gc.collect()
    for _ in range(3):
        abandon()
    gc.set_threshold(allocations, 1000, 1000)
    gc.enable()
    use()
    ballast = [[] for _ in range(20)]
print("whole", torch.is_grad_enabled(), len(kept))
"""
OURS = """
    with torch.no_grad():
        with torch.enable_grad(), torch.inference_mode(), torch.set_grad_enabled(False):
            large + 1
"""
FOREIGN = """
    token = more[0].set(object())
    more[1].set(object())
    more[0].reset(token)
"""


@pytest.mark.parametrize("use", [OURS, FOREIGN], ids=["ours", "foreign"])
def test_a_generator_closed_by_a_collection_leaves_the_context_whole(use):
    program = PROGRAM.replace("    USE\n", use)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "whole True 5000\n", (done.returncode, done.stderr[-2000:])
