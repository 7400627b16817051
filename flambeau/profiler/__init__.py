"""``torch.profiler``: how often operations ran and how long they took, printed as a table or
written as a trace.

`profile` is a mode: while it records, every operation is timed on its way (backward passes as far
as their rules run as
operations). Nothing is timed, and nothing costs, outside it. Stands on core.
"""

from __future__ import annotations

from flambeau.autograd.events import EventList, FunctionEvent, FunctionEventAvg
from flambeau.autograd.recording import record_function
from flambeau.profiler.profile import (
    ExecutionTraceObserver,
    ProfilerActivity,
    kineto_available,
    profile,
    supported_activities,
    tensorboard_trace_handler,
)
from flambeau.profiler.schedule import ProfilerAction, schedule

__all__ = [
    "EventList",
    "ExecutionTraceObserver",
    "FunctionEvent",
    "FunctionEventAvg",
    "ProfilerAction",
    "ProfilerActivity",
    "kineto_available",
    "profile",
    "record_function",
    "schedule",
    "supported_activities",
    "tensorboard_trace_handler",
]
