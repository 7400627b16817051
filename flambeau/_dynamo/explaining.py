"""`explain`: how many graphs a program gives, and of how many operations."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from flambeau.compiler.capture import Break, capture

__all__ = ["ExplainOutput", "explain"]


@dataclasses.dataclass
class ExplainOutput:
    """What `explain` found; printed, a table."""

    graphs: list[Any]
    graph_count: int
    graph_break_count: int
    break_reasons: list[Any]
    op_count: int
    ops_per_graph: list[list[Any]] | None = None
    out_guards: list[Any] | None = None
    compile_times: str | None = None

    def __str__(self) -> str:
        lines = [
            f"Graph Count: {self.graph_count}",
            f"Graph Break Count: {self.graph_break_count}",
            f"Op Count: {self.op_count}",
            "Break Reasons:",
        ]
        for k, reason in enumerate(self.break_reasons):
            lines += [f"  Break Reason {k + 1}:", f"    Reason: {reason}"]
        lines.append("Ops per Graph:")
        for k, called in enumerate(self.ops_per_graph or ()):
            lines += [f"  Ops {k + 1}:", *(f"    {each}" for each in called)]
        return "\n".join(lines)


def explain(f: Callable[..., Any], *extra_args: Any, **extra_kwargs: Any) -> Any:
    """What `torch.compile` makes of a program: ``explain(f)(*args)``.

    A program without a graph counts as one break: it runs eagerly as a whole.
    """

    def explained(*args: Any, **kwargs: Any) -> ExplainOutput:
        try:
            module = capture(f, args, kwargs).module
        except Break as reason:
            return ExplainOutput([], 0, 1, [str(reason)], 0, [], [])
        called = [n.target for n in module.graph.nodes if n.op == "call_function"]
        return ExplainOutput([module], 1, 0, [], len(called), [called], [])

    if extra_args or extra_kwargs:
        return explained(*extra_args, **extra_kwargs)
    return explained
