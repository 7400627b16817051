"""PyTorch against itself: which rows of the score does the processor decide?

The same samples, checks and tolerances, but both sides are real torch: this process's against one
process for each class of processor in `CLASSES`. A tape carries inputs there and results back, so
that they differ by arithmetic alone. What differs is listed by ``apart``. Stands on the databases,
through their `run`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import numpy as np
import torch

from .aspects.forward import UP_TO_SIGN
from .compare import Mismatch, hold
from .engine import Engine
from .result import Result
from .tolerance import Tolerance

# What the other process is told about its processor: an older one, the one before this, and this
# one with its work divided over two threads.
CLASSES = {
    "SSE4.1": {
        "ATEN_CPU_CAPABILITY": "default",
        "MKL_CBWR": "COMPATIBLE",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
    },
    "AVX2": {"ATEN_CPU_CAPABILITY": "avx2", "MKL_CBWR": "AVX2", "ONEDNN_MAX_CPU_ISA": "AVX2"},
    "two threads": {"OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "passive"},
}
# Aspects that compare no values, or only those that another one compares.
VALUELESS = {"strides", "method", "errors", "refused", "state"}


class Note(NamedTuple):
    """One comparison: where, the dtype's name and its tolerance, and the values."""

    at: str
    dtype: str
    tolerance: Tolerance
    values: np.ndarray


Row = tuple[str, str]  # dtype, aspect
Answer = tuple[Result, list[Note]] | str  # a text is why there is none


class Tape:
    """Inputs in the order in which they are converted, results in the order of comparison."""

    def __init__(self, inputs: list[np.ndarray] | None = None) -> None:
        self.playing = inputs is not None
        self.inputs = inputs or []
        self.notes: list[Note] = []

    def input(self, memory: torch.Tensor) -> torch.Tensor:
        """That flat memory, which is recorded, or what was recorded in its place."""
        if not self.playing:
            self.inputs.append(memory.view(torch.uint8).numpy().copy())
            return memory
        recorded = torch.from_numpy(self.inputs.pop(0)).view(memory.dtype)
        if recorded.shape != memory.shape:
            raise Mismatch(
                "input", f"{tuple(memory.shape)} elements, {tuple(recorded.shape)} there"
            )
        return recorded

    def note(self, at: str, dtype: str, tolerance: Tolerance, values: np.ndarray) -> None:
        """Record one result."""
        self.notes.append(Note(at, dtype, tolerance, values.copy()))


class Taped(Engine):
    """torch, with a tape that comparer and converter find."""

    def __init__(self, tape: Tape) -> None:
        super().__init__(torch)
        self.tape = tape


class Other:
    """torch in a process of its own, under another class of processor."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.start()

    def start(self) -> None:
        """A fresh process."""
        self.pipe, theirs = Pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-c", f"import {__name__} as m; m.serve({theirs.fileno()})"],
            env={"OMP_NUM_THREADS": "1", **os.environ, **CLASSES[self.name]},
            pass_fds=(theirs.fileno(),),
        )
        theirs.close()

    def answers(self) -> list[Answer]:
        """What the rows gave there, or why there is nothing."""
        try:
            return self.pipe.recv()
        except EOFError:
            code = self.process.wait()
            self.start()
            return [f"crash: the process ended with {code}"]


def taped(db: Any, name: str, row: Row, seconds: int, tape: Tape) -> Answer:
    """Run one row of a name with a tape; an empty answer where the database has none."""
    dtype, aspect = row
    results = db.run(name, Taped(tape), ((dtype, (aspect,)),), seconds)
    return (results[0], tape.notes) if results else ""


_others: list[Other] = []


def run(short: str, db: Any, name: str, wanted: Any, seconds: int) -> list[Result]:
    """The results of one name: failed where torch differs from torch under another class."""
    if not _others:
        _others.extend(map(Other, CLASSES))
    done = []
    for row in ((dtype, aspect) for dtype, aspects in wanted for aspect in aspects):
        tape = Tape()
        answer = taped(db, name, row, seconds, tape) if row[1] not in VALUELESS else ""
        if not isinstance(answer, str):
            done.append((row, *answer, tape.inputs))
    held = [job for job in done if job[1].state == "pass" and job[2]]
    for other in _others:
        other.pipe.send((short, name, seconds, [(row, inputs) for row, _, _, inputs in held]))
    for other in _others:
        answers = other.answers()
        for index, (_, result, notes, _) in enumerate(held):
            verdict(result, other.name, notes, answers[min(index, len(answers) - 1)])
    return [result for _, result, _, _ in done]


def verdict(result: Result, label: str, notes: list[Note], answer: Answer) -> None:
    """Fail the result where the other process' answer is not the same within the tolerances."""
    if isinstance(answer, str):
        why = answer
    elif answer[0].state != "pass":
        why = f"{answer[0].kind}: {answer[0].reason}"
    else:
        why = _difference(result.name, notes, answer[1])
    if why:
        kind, _, reason = why.partition(": ")
        result.state = "fail"
        result.kind = result.kind or kind
        result.where = f"{result.where}, {label}" if result.where else label
        result.reason = result.reason or reason


def _difference(name: str, notes: list[Note], there: list[Note]) -> str:
    if len(there) != len(notes):
        return f"structure: {len(there)} comparisons, {len(notes)} here"
    try:
        for mine, theirs in zip(notes, there, strict=True):
            _same(name, mine, theirs)
    except Mismatch as error:
        return f"{error.kind}: {error}"
    return ""


def _same(name: str, mine: Note, theirs: Note) -> None:
    if mine.values.shape != theirs.values.shape:
        raise Mismatch("shape", f"{mine.at}: {theirs.values.shape}, {mine.values.shape} here")
    try:
        hold(mine.values, theirs.values, mine.tolerance, mine.at)
    except Mismatch:
        if name not in UP_TO_SIGN:
            raise
        hold(np.abs(mine.values), np.abs(theirs.values), mine.tolerance, mine.at)


def serve(end: int) -> None:
    """Answer the jobs that come through that pipe until its other end is closed."""
    from .run import KNOWN

    pipe = Connection(end)
    while True:
        try:
            short, name, seconds, rows = pipe.recv()
        except EOFError:
            return
        db = KNOWN[short]
        pipe.send([taped(db, name, row, seconds, Tape(inputs)) for row, inputs in rows])
