"""The worker processes of one iteration: started together, each behind a pipe, ended together
whatever happens.

Only this file knows processes; `dataloader` hands out tasks and takes results. Stands on `worker`
and `transport`.
"""

from __future__ import annotations

import atexit
import contextlib
import multiprocessing
import os
import signal
import time
import weakref
from multiprocessing import connection
from multiprocessing.connection import Connection
from typing import Any

from flambeau.core.errors import fail
from flambeau.utils.data._utils.transport import receive
from flambeau.utils.data._utils.worker import WorkerSetup, work

__all__ = ["Pool"]

PATIENCE = 5.0
"""Seconds a worker may use to finish its sample before it is terminated."""

_living: weakref.WeakSet[Pool] = weakref.WeakSet()


class Pool:
    """Processes 0 .. n-1; give each tasks, receive (worker, message) in the order they come.

    Args:
        setups: one per worker.
        context: of `multiprocessing`; the default start method if None.
    """

    def __init__(self, setups: list[WorkerSetup], context: Any = None) -> None:
        context = context or multiprocessing
        self.owner = os.getpid()
        self.pipes: list[Connection] = []
        self.processes: list[Any] = []
        self.closed = False
        inherits = context.get_start_method() == "fork"
        _living.add(self)
        try:
            for setup in setups:
                mine, theirs = context.Pipe(duplex=True)
                # A forked child holds copies of all the parent's ends: closed there, so that an end
                # means an end.
                copies = [*self.pipes, mine] if inherits else []
                self.pipes.append(mine)
                process = context.Process(
                    target=work, args=(setup, theirs, copies, os.getpid()), daemon=True
                )
                process.start()
                theirs.close()
                self.processes.append(process)
        except BaseException:
            self.close(patience=0.0)
            raise

    def give(self, worker: int, task: Any) -> None:
        """Send a task; a worker that is gone is reported by the next `take`."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.pipes[worker].send(task)

    def take(self, active: list[int], timeout: float) -> tuple[int, Any]:
        """The next message of an active worker; for one that ended without a word (None, the error
        that says so).

        Raises:
            RuntimeError: nothing came in `timeout` seconds (0: wait for ever).
        """
        limit = timeout or None
        ready = connection.wait([self.pipes[worker] for worker in active], limit)
        if not ready:
            raise fail(
                RuntimeError,
                "DataLoader",
                f"DataLoader timed out after {timeout} seconds. A sample takes longer than that; "
                f"raise timeout=, "
                "or look what the dataset waits for.",
            )
        pipes = {id(self.pipes[worker]): worker for worker in active}
        worker = min(pipes[id(pipe)] for pipe in ready)
        try:
            return worker, receive(self.pipes[worker])
        except (EOFError, ConnectionResetError, BrokenPipeError):
            return worker, (None, self._death(worker))

    def _death(self, worker: int) -> Exception:
        process = self.processes[worker]
        process.join(PATIENCE)
        code = process.exitcode
        if code is not None and code < 0:
            reason = f"it was killed by {signal.Signals(-code).name}"
            if -code == getattr(signal, "SIGKILL", None):
                reason += " (often: out of memory)"
        else:
            reason = f"its exit code is {code}"
        return fail(
            RuntimeError,
            "DataLoader",
            f"DataLoader worker (pid(s) {process.pid}) exited unexpectedly: worker {worker}, "
            f"{reason}. "
            "Run with num_workers=0 to see where.",
        )

    def close(self, patience: float = PATIENCE) -> None:
        """End all workers: ask, wait, terminate, kill. Does nothing in a process that inherited the
        pool."""
        if self.closed or self.owner != os.getpid():
            return
        self.closed = True
        try:
            for worker in range(len(self.processes)):
                with contextlib.suppress(OSError):
                    self.pipes[worker].send(None)
            for pipe in self.pipes:
                pipe.close()
            limit = time.monotonic() + patience
            for process in self.processes:
                process.join(max(0.0, limit - time.monotonic()))
        finally:
            for end in ("terminate", "kill"):
                stubborn = [process for process in self.processes if process.is_alive()]
                for process in stubborn:
                    getattr(process, end)()
                for process in stubborn:
                    process.join(PATIENCE)

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.close()


@atexit.register
def _end_all() -> None:
    for pool in list(_living):
        pool.close(patience=0.5)
