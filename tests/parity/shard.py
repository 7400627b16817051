"""Runs jobs over forked worker processes; what crashes or hangs costs one job, never the run.

The parent imports torch and the databases once and never computes, so forking is safe. A worker
gets one job at a time; one that dies is replaced, its job is reported as failed.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, wait
from typing import Any

GRACE = 20  # seconds after a job's own timeout until its process is ended


class _Worker:
    def __init__(self, work: Callable[[Any], Any]) -> None:
        context = multiprocessing.get_context("fork")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, work), daemon=True)
        self.process.start()
        theirs.close()
        self.job: Any = None
        self.since = 0.0

    def give(self, job: Any) -> None:
        self.job, self.since = job, time.monotonic()
        self.pipe.send(job)

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


def _serve(pipe: Connection, work: Callable[[Any], Any]) -> None:
    import torch

    torch.set_num_threads(1)
    while True:
        try:
            job = pipe.recv()
        except EOFError:
            return
        pipe.send(work(job))


def run(
    jobs: list[Any], work: Callable[[Any], Any], processes: int, seconds: float
) -> Iterator[tuple[Any, Any, str]]:
    """Yield (job, answer, "") as they come, or (job, None, why) where the process died."""
    queue = list(reversed(jobs))
    workers = [_Worker(work) for _ in range(max(1, min(processes, len(jobs))))]
    try:
        for worker in workers:
            if queue:
                worker.give(queue.pop())
        while any(worker.job is not None for worker in workers):
            busy = [worker for worker in workers if worker.job is not None]
            ready = wait([worker.pipe for worker in busy], timeout=1.0)
            for worker in busy:
                why = ""
                answer = None
                if worker.pipe in ready:
                    try:
                        answer = worker.pipe.recv()
                    except (EOFError, OSError):
                        worker.process.join()
                        why = f"crash: the process ended with {worker.process.exitcode}"
                elif time.monotonic() - worker.since > seconds + GRACE:
                    why = f"timeout: no answer after {seconds + GRACE:.0f} s"
                else:
                    continue
                job, worker.job = worker.job, None
                if why:
                    worker.end()
                    fresh = _Worker(work)
                    workers[workers.index(worker)] = fresh
                    worker = fresh
                if queue:
                    worker.give(queue.pop())
                yield job, answer, why
    finally:
        for worker in workers:
            worker.end()
