"""`profile`: records while it is entered, or in the steps that its schedule names. Stands on
recording, schedule."""

from __future__ import annotations

import gzip
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any

from flambeau.autograd.events import EventList
from flambeau.autograd.recording import Recorder, record_function
from flambeau.core.errors import fail
from flambeau.profiler.schedule import ProfilerAction

__all__ = [
    "ExecutionTraceObserver",
    "ProfilerActivity",
    "kineto_available",
    "profile",
    "supported_activities",
    "tensorboard_trace_handler",
]


class ProfilerActivity(Enum):
    """What may be recorded; here it is the CPU."""

    CPU = 0
    XPU = 1
    MTIA = 2
    CUDA = 3
    HPU = 4
    PrivateUse1 = 5


def supported_activities() -> set[ProfilerActivity]:
    """What can be recorded."""
    return {ProfilerActivity.CPU}


def kineto_available() -> bool:
    """False: the profiler is flambeau's own."""
    return False


class ExecutionTraceObserver:
    """Accepted by `profile`; records nothing of its own."""

    def register_callback(self, output_file_path: str) -> ExecutionTraceObserver:
        """Remember where a trace would go."""
        self.path = output_file_path
        return self


class profile:
    """Records the operations of a block.

    Args:
        activities: CPU; others are accepted and add nothing.
        schedule: from step number to `ProfilerAction`; call `step()` after each step. None records
            everything.
        on_trace_ready: called with the profile after each recorded cycle.
        record_shapes: keep the input shapes.
        profile_memory, with_stack, with_flops, with_modules, experimental_config,
        execution_trace_observer,
            acc_events, use_cuda: accepted.

    Example::

        with profile(record_shapes=True) as p:
            model(x)
        print(p.key_averages().table(sort_by="self_cpu_time_total", row_limit=10))
    """

    def __init__(
        self,
        *,
        activities: Iterable[ProfilerActivity] | None = None,
        schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Callable[..., Any] | None = None,
        record_shapes: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_flops: bool = False,
        with_modules: bool = False,
        experimental_config: Any = None,
        execution_trace_observer: Any = None,
        acc_events: bool = False,
        use_cuda: bool | None = None,
        custom_trace_id_callback: Any = None,
        post_processing_timeout_s: float | None = None,
    ) -> None:
        self.activities = set(activities) if activities else supported_activities()
        self.schedule = schedule or (lambda step: ProfilerAction.RECORD)
        self._steps = schedule is not None
        self.on_trace_ready = on_trace_ready
        self.record_shapes = record_shapes
        self.step_num = 0
        self.current_action = ProfilerAction.NONE
        self._recorder: Recorder | None = None
        self._recorded: EventList | None = None
        self._range: record_function | None = None
        self._metadata: dict[str, str] = {}

    def __enter__(self) -> profile:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin with step 0."""
        self.current_action = self.schedule(self.step_num)
        self._begin()

    def stop(self) -> None:
        """Stop recording; what was being recorded is handed to `on_trace_ready`."""
        recording = self._recorder is not None
        self._end()
        if recording and self.on_trace_ready is not None:
            self.on_trace_ready(self)
        self.current_action = ProfilerAction.NONE

    def step(self) -> None:
        """The next step begins."""
        self._close_range()
        before = self.current_action
        self.step_num += 1
        self.current_action = self.schedule(self.step_num)
        if before is ProfilerAction.RECORD_AND_SAVE:
            self._end()
            if self.on_trace_ready is not None:
                self.on_trace_ready(self)
        self._begin()

    def _begin(self) -> None:
        wanted = self.current_action in (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE)
        if wanted and self._recorder is None:
            self._recorder = Recorder(self.record_shapes)
            self._recorder.start()
        elif not wanted and self._recorder is not None:
            self._end()
        if wanted and self._steps:
            self._range = record_function(f"ProfilerStep#{self.step_num}")
            self._range.__enter__()

    def _close_range(self) -> None:
        if self._range is not None:
            self._range.__exit__()
            self._range = None

    def _end(self) -> None:
        self._close_range()
        if self._recorder is not None:
            self._recorder.stop()
            self._recorded = self._recorder.in_order()
            self._recorder = None

    def events(self) -> EventList:
        """Every run, in order.

        Raises:
            AssertionError: nothing was recorded.
        """
        if self._recorded is None:
            raise AssertionError(
                "profile.events: the profiler has not recorded anything yet: leave the block, or "
                "reach an active step"
            )
        return self._recorded

    def key_averages(
        self, group_by_input_shape: bool = False, group_by_stack_n: int = 0, **_: Any
    ) -> EventList:
        """One row for each operation."""
        return self.events().key_averages(group_by_input_shape)

    def export_chrome_trace(self, path: str) -> None:
        """Write a trace that chrome://tracing and Perfetto read; compressed when the name ends in
        .gz."""
        if not path.endswith(".gz"):
            self.events().export_chrome_trace(path)
            return
        plain = path[:-3]
        self.events().export_chrome_trace(plain)
        with open(plain, "rb") as source, gzip.open(path, "wb") as target:
            shutil.copyfileobj(source, target)
        os.remove(plain)

    def export_stacks(self, path: str, metric: str = "self_cpu_time_total") -> None:
        """Stacks are not recorded.

        Raises:
            RuntimeError: always.
        """
        raise fail(
            RuntimeError, "export_stacks", "stacks are not recorded here: use export_chrome_trace()"
        )

    def add_metadata(self, key: str, value: str) -> None:
        """Remember a string with the profile."""
        self._metadata[key] = value

    add_metadata_json = add_metadata

    def preset_metadata_json(self, key: str, value: str) -> None:
        """Remember a string with the profile."""
        self._metadata[key] = value

    @property
    def profiler(self) -> profile:
        """The profile itself: PyTorch keeps an inner one."""
        return self


def tensorboard_trace_handler(
    dir_name: str, worker_name: str | None = None, use_gzip: bool = False
) -> Callable[[Any], None]:
    """An `on_trace_ready` that writes each trace into a directory, named by worker and time."""

    def write(prof: Any) -> None:
        os.makedirs(dir_name, exist_ok=True)
        worker = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        name = f"{worker}.{time.time_ns()}.pt.trace.json"
        prof.export_chrome_trace(os.path.join(dir_name, name + (".gz" if use_gzip else "")))

    return write
